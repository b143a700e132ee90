package memory

import "sync/atomic"

// reserveStep is the granularity of reservations, in bytes.
const reserveStep = 16 << 10

// connectionShares defines the limit of one connection, which depends on the usage of the Budget. Connections with
// much memory can fill only the first half, so that new connections still get the memory that an ordinary client
// needs.
var connectionShares = [...]struct{ usedQuarters, share int64 }{
	{2, 8},   // up to one half: an eighth of the Budget
	{3, 128}, // up to three quarters
	{4, 512},
}

// minConnectionBytes is always allowed for one connection, unless the Budget is exhausted.
const minConnectionBytes = 8 * reserveStep

// Budget limits the memory of all connections together, in bytes. It is safe for concurrent use. A nil Budget sets no
// limit.
type Budget struct {
	full atomic.Bool // read by every request; written only when it changes
	_    [64]byte

	limit    atomic.Int64
	reserved atomic.Int64 // by Accounts
	sampled  atomic.Int64 // by connections without an Account, see Sample
	refused  atomic.Uint64
}

// NewBudget returns a Budget with a limit in bytes. Zero or less sets no limit.
func NewBudget(limit int64) *Budget {
	b := &Budget{}
	b.SetLimit(limit)
	return b
}

// SetLimit changes the limit. Memory in use is not affected, even if it exceeds the limit.
func (b *Budget) SetLimit(limit int64) {
	b.limit.Store(limit)
	b.update()
}

// Limit returns the limit in bytes, or zero if there is no limit.
func (b *Budget) Limit() int64 { return max(b.limit.Load(), 0) }

// Used returns the number of bytes that are reserved or sampled.
func (b *Budget) Used() int64 { return b.reserved.Load() + b.sampled.Load() }

// Refused returns the number of refusals.
func (b *Budget) Refused() uint64 { return b.refused.Load() }

// Sample sets the memory of all connections without an Account, which use little memory each. It also updates Full, so
// it must be called regularly.
func (b *Budget) Sample(bytes int64) {
	if b == nil {
		return
	}
	b.sampled.Store(bytes)
	b.update()
}

// Full reports whether the Budget was exhausted at the last call of Sample or SetLimit.
func (b *Budget) Full() bool { return b != nil && b.full.Load() }

// Refuse counts a refusal because of a full Budget.
func (b *Budget) Refuse() { b.refused.Add(1) }

// Tight reports whether less than half of the Budget is free.
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

// reserve reserves n more bytes for an Account that has reserved has bytes. Concurrent reservations may exceed the
// limit by one step each.
func (b *Budget) reserve(n, has int64) bool {
	if limit := b.Limit(); limit > 0 && has+n > connectionLimit(limit, b.Used()+n) {
		return false
	}
	b.reserved.Add(n)
	return true
}

// connectionLimit returns the limit of one connection at a given usage of the Budget.
func connectionLimit(limit, used int64) int64 {
	for _, t := range connectionShares {
		if used <= limit/4*t.usedQuarters {
			return max(limit/t.share, minConnectionBytes)
		}
	}
	return 0
}
