package affinity

import (
	"math"
	"slices"

	"github.com/limpet-dev/limpet/pkg/model"
)

// requirements restrict which endpoints accept a new session. The zero value accepts every endpoint.
type requirements struct {
	preferZone     bool  // prefer endpoints in Limpet's own zone
	slowStart      int64 // duration in seconds until a new endpoint receives its full share; zero disables it
	maxSessions    int64 // maximum number of sessions on the endpoint; zero sets no maximum
	refuseWhenFull bool  // return no endpoint, instead of a full one, when all are full
}

// candidates selects an endpoint for one session.
type candidates struct {
	set          Set
	identity     model.Identity
	tried        []int32 // endpoints that must not be selected again
	requirements requirements
	now          int64
	key          uint64 // hash of the session; zero if it is not placed by hash
	requestBound int64  // endpoints with this many active requests are skipped; zero sets no bound
}

// choose selects an endpoint with the given algorithm. If no endpoint meets all requirements, it drops them one at a
// time, starting with the least important one.
func (c *candidates) choose(pick model.Pick) int {
	if pick == model.PickHash {
		c.requirements.preferZone = false // replicas in other zones must select the same endpoint
	}
	for {
		if at := c.pickOnce(pick); at != none || !c.relax() {
			return at
		}
	}
}

// relax drops one requirement. It returns false if none is left to drop.
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

// accepts reports whether endpoint i meets the requirements. It ignores the slow start, see acceptsSlowStart.
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

// isUnconstrained reports whether every endpoint is acceptable.
func (c *candidates) isUnconstrained() bool {
	return c.requirements == (requirements{}) && c.requestBound == 0 && len(c.tried) == 0
}

// isFull reports whether endpoint i has the maximum number of sessions. It returns false if the endpoint serves this
// session already.
func (c *candidates) isFull(i int) bool {
	return c.set.Sessions(i) >= c.requirements.maxSessions && (c.key == 0 || !c.set.HasServed(i, c.key))
}

// slowStartShare returns the fraction of its full share of sessions that endpoint i receives. It rises from 0, when
// the endpoint becomes ready, to 1.
func (c *candidates) slowStartShare(i int) float64 {
	if c.requirements.slowStart == 0 {
		return 1
	}
	return min(float64(max(c.now-c.set.StateSince(i), 0))/float64(c.requirements.slowStart), 1)
}

// acceptsSlowStart reports whether endpoint i accepts a session with this draw. Draws are uniform over all uint64
// values. A session that is accepted at one share is accepted at every larger share.
func (c *candidates) acceptsSlowStart(i int, draw uint64) bool {
	return c.requirements.slowStart == 0 || float64(draw) < c.slowStartShare(i)*math.MaxUint64
}

// requestBound returns the number of active requests at which an endpoint is too busy. It is factor percent of the
// mean, counting the request to be placed, rounded up. See Mirrokni, Thorup and Zadimoghaddam, "Consistent Hashing
// with Bounded Loads", 2016.
func requestBound(set Set, factor int64) int64 {
	ready := int64(set.Ready())
	if factor == 0 || ready == 0 {
		return 0
	}
	return percentOfMean(inFlight(set)+1, factor, ready)
}

// percentOfMean returns factor percent of the mean, rounded up.
func percentOfMean(total, factor, ready int64) int64 {
	return (total*factor + 100*ready - 1) / (100 * ready)
}

func inFlight(set Set) int64 {
	total := int64(0)
	for i := range set.Ready() {
		if n := set.ActiveRequests(i); n != math.MaxInt64 { // MaxInt64: the endpoint refuses connections
			total += n
		}
	}
	return total
}

// IsBounded reports whether the policy bounds the active requests of an endpoint for hashed sessions.
func (p *Policy) IsBounded() bool { return p.balanceFactor != 0 }

// Exceeds reports whether endpoint i has more active requests than the policy allows. The counts in set must already
// include the request that was just assigned.
func (p *Policy) Exceeds(set Set, i int) bool {
	return i < set.Ready() && set.ActiveRequests(i) > percentOfMean(inFlight(set), p.balanceFactor, int64(set.Ready()))
}
