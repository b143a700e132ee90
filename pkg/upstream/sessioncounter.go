package upstream

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

// sketchBits is the size of one filter, 8 KiB. With four bits per session, 1,000 sessions are counted with an error of
// about 2 %, and the false positive rate is 1 in 30,000. For 10,000 sessions the values are 1 % and 1 in 20.
const (
	sketchBits = 1 << 16
	blockBits  = 512 // a cache line
)

// bitsPerSession is the average number of distinct bits that one session sets in a block: 512 (1 - (511/512)^4). Two
// of its four bits may coincide.
const bitsPerSession = 3.9883

// bloomFilter is an approximate set of sessions. Membership uses a blocked Bloom filter (Putze, Sanders and Singler, 2007).
// The number of members is estimated from the number of set bits (linear counting).
//
// It is lock-free. A read touches one cache line, and adding a known session writes nothing. A nil bloomFilter is empty.
type bloomFilter struct {
	bits [sketchBits / 64]atomic.Uint64
}

// positions returns the four bits of a session, all in one block. The session must be a hash or random.
func positions(session uint64) [4]uint64 {
	block := session % (sketchBits / blockBits) * blockBits
	return [4]uint64{
		block + session>>8%blockBits, block + session>>20%blockBits,
		block + session>>32%blockBits, block + session>>44%blockBits,
	}
}

func (s *bloomFilter) has(session uint64) bool {
	at := positions(session)
	return s.isSet(at[0]) && s.isSet(at[1]) && s.isSet(at[2]) && s.isSet(at[3])
}

func (s *bloomFilter) isSet(at uint64) bool {
	return s != nil && s.bits[at/64].Load()&(1<<(at%64)) != 0
}

// set sets a bit and reports whether it was not set before.
func (s *bloomFilter) set(at uint64) bool {
	mask := uint64(1) << (at % 64)
	return s.bits[at/64].Or(mask)&mask == 0
}

func (s *bloomFilter) ones() int64 {
	n := 0
	for i := range s.bits {
		n += bits.OnesCount64(s.bits[i].Load())
	}
	return int64(n)
}

// sessionCounter records the sessions that an endpoint served during the current window and the previous one. The
// first session allocates the memory. A nil sessionCounter has counted nothing.
type sessionCounter struct {
	current, previous atomic.Pointer[bloomFilter]
	ones              atomic.Int64 // number of bits that are set in current or previous
	// moved and movedBefore count the sessions that moved away in the current and in the previous window. The filters
	// still contain them.
	moved, movedBefore atomic.Int64
	// anonymous and anonymousBefore count the clients without a session in the same windows.
	anonymous, anonymousBefore atomic.Int64
	// uses is nil until a policy with a handoff is used.
	uses atomic.Pointer[sessionUses]
}

// add records that the session was served now. It reports whether it was in neither window.
func (s *sessionCounter) add(session uint64) (unknown bool) {
	current := s.current.Load()
	if current == nil {
		current = s.first()
	}
	if current.has(session) {
		return false
	}
	previous := s.previous.Load()
	for _, at := range positions(session) {
		if current.set(at) && !previous.isSet(at) {
			s.ones.Add(1)
			unknown = true
		}
	}
	return unknown
}

func (s *sessionCounter) first() *bloomFilter {
	s.current.CompareAndSwap(nil, new(bloomFilter))
	return s.current.Load()
}

func (s *sessionCounter) has(session uint64) bool {
	return s != nil && (s.current.Load().has(session) || s.previous.Load().has(session))
}

// countSessions returns the counter of the endpoint's sessions. The first call creates it.
func (e *endpointState) countSessions() *sessionCounter {
	if s := e.sessions.Load(); s != nil {
		return s
	}
	e.sessions.CompareAndSwap(nil, new(sessionCounter))
	return e.sessions.Load()
}

// count estimates the number of sessions: if n sessions of b bits each set x of m bits, then n = -m/b ln(1 - x/m).
func (s *sessionCounter) count() int64 {
	if s == nil {
		return 0
	}
	ones := float64(min(s.ones.Load(), sketchBits-1))
	n := int64(math.Round(-sketchBits / bitsPerSession * math.Log1p(-ones/sketchBits)))
	return max(n-s.moved.Load()-s.movedBefore.Load(), 0)
}

func (s *sessionCounter) anonymousCount() int64 {
	if s == nil {
		return 0
	}
	return max(s.anonymous.Load()+s.anonymousBefore.Load(), 0)
}

// rotate starts a new window and discards the previous one. Sessions that are added concurrently may be miscounted
// until the next rotation.
func (s *sessionCounter) rotate() {
	if s == nil {
		return
	}
	s.anonymousBefore.Store(s.anonymous.Swap(0))
	current := s.current.Load()
	if current == nil {
		return
	}
	s.movedBefore.Store(s.moved.Swap(0))
	s.previous.Store(current)
	s.current.Store(new(bloomFilter))
	s.ones.Store(current.ones())
}

// sessionWindow is the length of one window. An endpoint remembers an idle session for one to two windows.
const sessionWindow = 30 * time.Minute
