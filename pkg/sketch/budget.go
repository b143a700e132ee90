package sketch

import "sync/atomic"

// Budget bounds the memory of many Windows. It is safe for concurrent use. Nil does not limit anything.
type Budget struct {
	max     int64
	used    atomic.Int64
	refused atomic.Int64
}

// NewBudget returns a Budget of that many bytes.
func NewBudget(bytes int64) *Budget { return &Budget{max: bytes} }

// Used returns the number of bytes in use.
func (b *Budget) Used() int64 { return b.used.Load() }

// Refused returns how often a session was not counted because the Budget was used up.
func (b *Budget) Refused() int64 { return b.refused.Load() }

func (b *Budget) take(bytes int64) bool {
	if b == nil {
		return true
	}
	if b.used.Add(bytes) > b.max {
		b.used.Add(-bytes)
		b.refused.Add(1)
		return false
	}
	return true
}

// Reset sets the number of bytes in use. Call it with the sum of Window.Rotate over all Windows, which corrects the number for
// Windows that were dropped.
func (b *Budget) Reset(bytes int64) { b.used.Store(bytes) }

func (b *Budget) release(bytes int64) {
	if b != nil {
		b.used.Add(-bytes)
	}
}
