package memory

import "sync"

// Account counts what one connection holds. It is safe for concurrent use. A nil Account counts nothing and has no bound.
type Account struct {
	budget *Budget

	mu             sync.Mutex
	held, reserved int64
	closed         bool
}

// NewAccount returns an Account that reserves from b, which may be nil.
func NewAccount(b *Budget) *Account {
	if b == nil {
		return nil
	}
	return &Account{budget: b}
}

// Take counts n bytes more. It returns false, and counts nothing, if the connection may not hold them.
func (a *Account) Take(n int) bool {
	if a == nil {
		return true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if missing := a.held + int64(n) - a.reserved; missing > 0 {
		more := (missing + step - 1) / step * step
		if !a.budget.reserve(more, a.reserved) {
			a.budget.Refuse()
			return false
		}
		a.reserved += more
	}
	a.held += int64(n)
	return true
}

// Return counts n bytes less, which Take has counted. They stay reserved for the connection until Trim.
func (a *Account) Return(n int) {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.held -= int64(n); a.closed {
		a.trim()
	}
}

// Close is called when the connection ends. What is still counted is given back to the Budget as it is returned.
func (a *Account) Close() {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	a.trim()
}

// Trim gives back to the Budget what is reserved and not held. It is called regularly.
func (a *Account) Trim() {
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.trim()
}

func (a *Account) trim() {
	if needed := (a.held + step - 1) / step * step; needed < a.reserved {
		a.budget.reserved.Add(needed - a.reserved)
		a.reserved = needed
	}
}

// Held returns how many bytes are counted.
func (a *Account) Held() int64 {
	if a == nil {
		return 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.held
}
