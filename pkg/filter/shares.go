package filter

import "sync"

// Shares divides a bounded resource among owners, such as the namespaces of a cluster. An owner may hold as much as is left
// for the others: half of the resource if no other owner holds any, or a third if another one does. So no owner can use it
// up. It is safe for concurrent use.
type Shares[Owner comparable] struct {
	mu   sync.Mutex
	free int64
	held map[Owner]int64
}

// NewShares returns a resource of that size.
func NewShares[Owner comparable](size int64) *Shares[Owner] {
	return &Shares[Owner]{free: size, held: map[Owner]int64{}}
}

// Take takes n for an owner. It returns false if the owner would then hold more than is left.
func (s *Shares[Owner]) Take(owner Owner, n int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[owner]+n > s.free-n {
		return false
	}
	s.free -= n
	s.held[owner] += n
	return true
}

// Return returns n that an owner has taken.
func (s *Shares[Owner]) Return(owner Owner, n int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free += n
	if s.held[owner] -= n; s.held[owner] == 0 {
		delete(s.held, owner)
	}
}

// Held returns how much an owner holds.
func (s *Shares[Owner]) Held(owner Owner) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.held[owner]
}
