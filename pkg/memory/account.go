package memory

import "sync"

// Account counts the memory of one connection, in bytes. It is safe for concurrent use. A nil Account counts nothing
// and sets no limit.
type Account struct {
	budget *Budget

	mu             sync.Mutex
	used, reserved int64
	closed         bool
}

// NewAccount returns an Account that reserves memory from b, or nil if b is nil.
func NewAccount(b *Budget) *Account {
	if b == nil {
		return nil
	}
	return &Account{budget: b}
}

// Take adds n bytes. It returns false and adds nothing if the connection must not use them.
func (a *Account) Take(n int) bool {
	if a == nil {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if missing := a.used + int64(n) - a.reserved; missing > 0 {
		more := (missing + reserveStep - 1) / reserveStep * reserveStep
		if !a.budget.reserve(more, a.reserved) {
			a.budget.Refuse()
			return false
		}
		a.reserved += more
	}
	a.used += int64(n)
	return true
}

// Return subtracts n bytes that Take has added. They stay reserved for the connection until Trim.
func (a *Account) Return(n int) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.used -= int64(n); a.closed {
		a.trim()
	}
}

// Close must be called when the connection ends. Memory that is still in use is released from the Budget as it is
// returned.
func (a *Account) Close() {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	a.trim()
}

// Trim releases reserved memory that is not in use. It should be called regularly.
func (a *Account) Trim() {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.trim()
}

func (a *Account) trim() {
	if needed := (a.used + reserveStep - 1) / reserveStep * reserveStep; needed < a.reserved {
		a.budget.reserved.Add(needed - a.reserved)
		a.reserved = needed
	}
}

// Used returns the number of bytes in use.
func (a *Account) Used() int64 {
	if a == nil {
		return 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.used
}
