package upstream

import (
	"math"
	"math/bits"
	"sync/atomic"
	"time"
)

// sketchBits is the size of one sketch, 8 KiB. With four bits a session, 1,000 sessions are counted within about 2 %
// and a stranger is taken for one of them once in 30,000 times; 10,000 within 1 % and once in 20.
const (
	sketchBits = 1 << 16
	blockBits  = 512 // a cache line
)

// bitsOfSession is how many bits of a block one session sets on average: 512 (1 - (511/512)^4), as two of its four may
// be the same one.
const bitsOfSession = 3.9883

// sketch is a set of sessions, kept as bits: membership is approximate (a Bloom filter in blocks: Putze, Sanders and
// Singler, 2007), and the number of members is estimated from the share of bits that are set (linear counting).
// Lock-free: reads touch one cache line, and a session that is known already costs no write. A nil sketch is empty.
type sketch struct {
	bits [sketchBits / 64]atomic.Uint64
}

// positions of a session's four bits, all in one block. The session is a hash or random already.
func positions(session uint64) [4]uint64 {
	block := session % (sketchBits / blockBits) * blockBits
	return [4]uint64{
		block + session>>8%blockBits, block + session>>20%blockBits,
		block + session>>32%blockBits, block + session>>44%blockBits,
	}
}

func (s *sketch) has(session uint64) bool {
	at := positions(session)
	return s.isSet(at[0]) && s.isSet(at[1]) && s.isSet(at[2]) && s.isSet(at[3])
}

func (s *sketch) isSet(at uint64) bool {
	return s != nil && s.bits[at/64].Load()&(1<<(at%64)) != 0
}

// set reports whether the bit was not set before.
func (s *sketch) set(at uint64) bool {
	mask := uint64(1) << (at % 64)
	return s.bits[at/64].Or(mask)&mask == 0
}

func (s *sketch) ones() int64 {
	n := 0
	for i := range s.bits {
		n += bits.OnesCount64(s.bits[i].Load())
	}
	return int64(n)
}

// sessions remembers which sessions an endpoint has served during the last one to two windows. Memory is taken when
// the first session comes.
type sessions struct {
	current, previous atomic.Pointer[sketch]
	ones              atomic.Int64 // how many bits are set in either
	// left and leftBefore count the sessions that were sent away during the window and the one before: they are in the
	// sketches all the same.
	left, leftBefore atomic.Int64
	// guests and guestsBefore count the clients without a session in the same windows.
	guests, guestsBefore atomic.Int64
}

// add notes that the session was served just now.
func (s *sessions) add(session uint64) {
	current := s.current.Load()
	if current == nil {
		current = s.first()
	}
	if current.has(session) {
		return
	}
	previous := s.previous.Load()
	for _, at := range positions(session) {
		if current.set(at) && !previous.isSet(at) {
			s.ones.Add(1)
		}
	}
}

func (s *sessions) first() *sketch {
	s.current.CompareAndSwap(nil, new(sketch))
	return s.current.Load()
}

func (s *sessions) has(session uint64) bool {
	return s.current.Load().has(session) || s.previous.Load().has(session)
}

// count estimates the number of sessions: with m bits of which x are set by n sessions of b bits each,
// n = -m/b ln(1 - x/m).
func (s *sessions) count() int64 {
	ones := float64(min(s.ones.Load(), sketchBits-1))
	n := int64(math.Round(-sketchBits / bitsOfSession * math.Log1p(-ones/sketchBits)))
	return max(n-s.left.Load()-s.leftBefore.Load(), 0)
}

func (s *sessions) guestCount() int64 { return max(s.guests.Load()+s.guestsBefore.Load(), 0) }

// turnOver starts a new window: what was not served during the last one is forgotten at the next turn. Sessions that
// are added meanwhile may be counted wrongly until then.
func (s *sessions) turnOver() {
	s.guestsBefore.Store(s.guests.Swap(0))
	current := s.current.Load()
	if current == nil {
		return
	}
	s.leftBefore.Store(s.left.Swap(0))
	s.previous.Store(current)
	s.current.Store(new(sketch))
	s.ones.Store(current.ones())
}

// sessionWindow is how long an endpoint remembers a session that sends nothing, at least; twice that at most.
const sessionWindow = 30 * time.Minute
