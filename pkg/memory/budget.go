package memory

import "sync/atomic"

// step is how much an Account reserves at least, in bytes.
const step = 16 << 10

// tiers say how much one connection may hold while so much of the Budget is used. Connections that hold much can only use
// the first half, so that those that come later find room for what an ordinary client needs.
var tiers = [...]struct{ usedQuarters, share int64 }{
	{2, 8},   // below one half: an eighth of the Budget
	{3, 128}, // below three quarters
	{4, 512},
}

// leastShare is what one connection may hold whatever the tiers say, while anything is left.
const leastShare = 8 * step

// Budget is what all connections together may hold, in bytes. It is safe for concurrent use. A nil Budget has no bound.
type Budget struct {
	full atomic.Bool // read by every request, and written only when it changes
	_    [64]byte

	limit    atomic.Int64
	reserved atomic.Int64 // by accounts
	sampled  atomic.Int64 // by connections without an Account, see Sample
	refused  atomic.Uint64
}

// NewBudget returns a Budget of that many bytes. Zero or less is no bound.
func NewBudget(limit int64) *Budget {
	b := &Budget{}
	b.SetLimit(limit)
	return b
}

// SetLimit changes the Budget. What is held already stays, even if it is more.
func (b *Budget) SetLimit(limit int64) {
	b.limit.Store(limit)
	b.update()
}

// Limit returns how many bytes may be held, 0 if there is no bound.
func (b *Budget) Limit() int64 { return max(b.limit.Load(), 0) }

// Used returns how many bytes are held or reserved.
func (b *Budget) Used() int64 { return b.reserved.Load() + b.sampled.Load() }

// Refused returns how often something was refused.
func (b *Budget) Refused() uint64 { return b.refused.Load() }

// Sample sets how much is held by connections that have no Account because they hold little each. It also decides whether
// the Budget is Full, so it must be called regularly.
func (b *Budget) Sample(bytes int64) {
	if b == nil {
		return
	}
	b.sampled.Store(bytes)
	b.update()
}

// Full reports whether nothing was left when Sample was last called.
func (b *Budget) Full() bool { return b != nil && b.full.Load() }

// Refuse counts something that was refused because the Budget is Full.
func (b *Budget) Refuse() { b.refused.Add(1) }

// Tight reports whether less than half is left.
func (b *Budget) Tight() bool {
	if b == nil {
		return false
	}
	limit := b.Limit()
	return limit > 0 && b.Used() > limit/2
}

func (b *Budget) update() {
	limit := b.Limit()
	if full := limit > 0 && b.Used() >= limit; full != b.full.Load() {
		b.full.Store(full)
	}
}

// reserve takes n bytes more for an Account that has reserved some already. Reservations at the same moment may exceed the
// limit by a step each.
func (b *Budget) reserve(n, has int64) bool {
	if limit := b.Limit(); limit > 0 && has+n > shareOf(limit, b.Used()+n) {
		return false
	}
	b.reserved.Add(n)
	return true
}

// shareOf returns how much one connection may hold while so much of the limit is used.
func shareOf(limit, used int64) int64 {
	for _, t := range tiers {
		if used <= limit/4*t.usedQuarters {
			return max(limit/t.share, leastShare)
		}
	}
	return 0
}
