package affinity

import (
	"math"
	"slices"

	"github.com/limpet-dev/limpet/pkg/model"
)

// terms are what a policy asks of an endpoint before it is given a session. The zero value asks nothing.
type terms struct {
	near   bool  // that it is in Limpet's own zone
	slow   int64 // that it has been ready for so many seconds, for its full share of sessions
	most   int64 // that it has fewer sessions
	refuse bool  // and where none has: no endpoint, rather than one that is full
}

// candidates are the endpoints that one session may be given to.
type candidates struct {
	set   Set
	id    model.Identity
	spent []int32 // not to be offered again
	terms terms
	now   int64
	key   uint64 // of the session, where its hash decides
	load  int64  // requests in flight with which an endpoint takes no more; 0: any
}

// choose makes the pick. Where no endpoint fulfils all terms, the one that matters least is given up, and so on.
func (c *candidates) choose(pick model.Pick) int {
	if pick == model.PickHash {
		c.terms.near = false // replicas in other zones would not agree
	}
	for {
		if at := c.try(pick); at != none || !c.relax() {
			return at
		}
	}
}

// relax gives up one term. It returns false if there is none left to give up.
func (c *candidates) relax() bool {
	t := &c.terms
	switch {
	case t.near:
		t.near = false
	case t.slow > 0:
		t.slow = 0
	case t.most > 0 && !t.refuse:
		t.most = 0
	case c.load > 0:
		c.load = 0
	default:
		return false
	}
	return true
}

// takes reports whether endpoint i fulfils the terms, but for a slow start.
func (c *candidates) takes(i int) bool {
	switch {
	case c.isSpent(i):
		return false
	case c.terms.near && !c.set.Near(i):
		return false
	case c.terms.most > 0 && c.isFull(i):
		return false
	}
	return c.load == 0 || c.set.Requests(i) < c.load
}

func (c *candidates) isSpent(i int) bool { return slices.Contains(c.spent, int32(i)) }

// isPlain reports whether nothing is asked.
func (c *candidates) isPlain() bool { return c.terms == (terms{}) && c.load == 0 && len(c.spent) == 0 }

// isFull is never so for an endpoint that the session is on already.
func (c *candidates) isFull(i int) bool {
	return c.set.Sessions(i) >= c.terms.most && (c.key == 0 || !c.set.Knows(i, c.key))
}

// share is how much of a full share of sessions endpoint i takes: from 0 when it has just become ready, to 1.
func (c *candidates) share(i int) float64 {
	if c.terms.slow == 0 {
		return 1
	}
	return min(float64(max(c.now-c.set.Since(i), 0))/float64(c.terms.slow), 1)
}

// starts reports whether endpoint i takes a session with this draw, which is spread evenly over all numbers. A session
// that it takes with some share it takes with every larger one.
func (c *candidates) starts(i int, draw uint64) bool {
	return c.terms.slow == 0 || float64(draw) < c.share(i)*math.MaxUint64
}

// fullLoad is how many requests in flight are factor percent of the mean, with one more to come, rounded up (Mirrokni,
// Thorup and Zadimoghaddam, "Consistent Hashing with Bounded Loads", 2016).
func fullLoad(set Set, factor int64) int64 {
	ready := int64(set.Ready())
	if factor == 0 || ready == 0 {
		return 0
	}
	return shareOf(inFlight(set)+1, factor, ready)
}

// shareOf is factor percent of the mean, rounded up.
func shareOf(total, factor, ready int64) int64 { return (total*factor + 100*ready - 1) / (100 * ready) }

func inFlight(set Set) int64 {
	total := int64(0)
	for i := range set.Ready() {
		if n := set.Requests(i); n != math.MaxInt64 { // it refuses connections
			total += n
		}
	}
	return total
}

// IsBounded reports whether the policy bounds how many requests of hashed sessions an endpoint has in flight.
func (p *Policy) IsBounded() bool { return p.balance != 0 }

// Exceeds reports whether the i-th endpoint has more requests in flight than the policy wants, with all counted that
// have been decided on.
func (p *Policy) Exceeds(set Set, i int) bool {
	return i < set.Ready() && set.Requests(i) > shareOf(inFlight(set), p.balance, int64(set.Ready()))
}
