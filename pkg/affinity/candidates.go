package affinity

import (
	"math"
	"slices"

	"github.com/limpet-dev/limpet/pkg/model"
)

// terms are what a policy asks of an endpoint before it is given a session. The zero value asks nothing.
type requirements struct {
	preferZone     bool  // that it is in Limpet's own zone
	slowStart      int64 // that it has been ready for so many seconds, for its full share of sessions
	maxSessions    int64 // that it has fewer sessions
	refuseWhenFull bool  // and where none has: no endpoint, rather than one that is full
}

// candidates are the endpoints that one session may be given to.
type candidates struct {
	set          Set
	identity     model.Identity
	tried        []int32 // not to be offered again
	requirements requirements
	now          int64
	key          uint64 // of the session, where its hash decides
	requestBound int64  // requests in flight with which an endpoint takes no more; 0: any
}

// choose makes the pick. Where no endpoint fulfils all terms, the one that matters least is given up, and so on.
func (c *candidates) choose(pick model.Pick) int {
	if pick == model.PickHash {
		c.requirements.preferZone = false // replicas in other zones would not agree
	}
	for {
		if at := c.pickOnce(pick); at != none || !c.relax() {
			return at
		}
	}
}

// relax gives up one term. It returns false if there is none left to give up.
func (c *candidates) relax() bool {
	t := &c.requirements
	switch {
	case t.preferZone:
		t.preferZone = false
	case t.slowStart > 0:
		t.slowStart = 0
	case t.maxSessions > 0 && !t.refuseWhenFull:
		t.maxSessions = 0
	case c.requestBound > 0:
		c.requestBound = 0
	default:
		return false
	}
	return true
}

// takes reports whether endpoint i fulfils the terms, but for a slow start.
func (c *candidates) accepts(i int) bool {
	switch {
	case c.isTried(i):
		return false
	case c.requirements.preferZone && !c.set.InLocalZone(i):
		return false
	case c.requirements.maxSessions > 0 && c.isFull(i):
		return false
	}
	return c.requestBound == 0 || c.set.ActiveRequests(i) < c.requestBound
}

func (c *candidates) isTried(i int) bool { return slices.Contains(c.tried, int32(i)) }

// isPlain reports whether nothing is asked.
func (c *candidates) isUnconstrained() bool {
	return c.requirements == (requirements{}) && c.requestBound == 0 && len(c.tried) == 0
}

// isFull is never so for an endpoint that the session is on already.
func (c *candidates) isFull(i int) bool {
	return c.set.Sessions(i) >= c.requirements.maxSessions && (c.key == 0 || !c.set.HasServed(i, c.key))
}

// share is how much of a full share of sessions endpoint i takes: from 0 when it has just become ready, to 1.
func (c *candidates) slowStartShare(i int) float64 {
	if c.requirements.slowStart == 0 {
		return 1
	}
	return min(float64(max(c.now-c.set.StateSince(i), 0))/float64(c.requirements.slowStart), 1)
}

// starts reports whether endpoint i takes a session with this draw, which is spread evenly over all numbers. A session
// that it takes with some share it takes with every larger one.
func (c *candidates) acceptsSlowStart(i int, draw uint64) bool {
	return c.requirements.slowStart == 0 || float64(draw) < c.slowStartShare(i)*math.MaxUint64
}

// fullLoad is how many requests in flight are factor percent of the mean, with one more to come, rounded up (Mirrokni,
// Thorup and Zadimoghaddam, "Consistent Hashing with Bounded Loads", 2016).
func requestBound(set Set, factor int64) int64 {
	ready := int64(set.Ready())
	if factor == 0 || ready == 0 {
		return 0
	}
	return percentOfMean(inFlight(set)+1, factor, ready)
}

// shareOf is factor percent of the mean, rounded up.
func percentOfMean(total, factor, ready int64) int64 {
	return (total*factor + 100*ready - 1) / (100 * ready)
}

func inFlight(set Set) int64 {
	total := int64(0)
	for i := range set.Ready() {
		if n := set.ActiveRequests(i); n != math.MaxInt64 { // it refuses connections
			total += n
		}
	}
	return total
}

// IsBounded reports whether the policy bounds how many requests of hashed sessions an endpoint has in flight.
func (p *Policy) IsBounded() bool { return p.balanceFactor != 0 }

// Exceeds reports whether the i-th endpoint has more requests in flight than the policy wants, with all counted that
// have been decided on.
func (p *Policy) Exceeds(set Set, i int) bool {
	return i < set.Ready() && set.ActiveRequests(i) > percentOfMean(inFlight(set), p.balanceFactor, int64(set.Ready()))
}
