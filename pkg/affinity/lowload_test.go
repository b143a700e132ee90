package affinity

import (
	"slices"
	"sync/atomic"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// newLargeSet returns a set of 1,000 endpoints of which a pick compares 16 listed ones and 16 others.
func newLargeSet() *fakeSet {
	ids := podIDs(1000)
	set := newSetOf(ids, ids, len(ids))
	set.lowLoad = make([]atomic.Int32, 16)
	return set
}

// Every endpoint is compared within 63 picks. Then an endpoint that is far below the others gets all sessions.
func TestLeast_findsLowestOfLargeSet(t *testing.T) {
	set := newLargeSet()
	for i := range set.sessions {
		set.sessions[i] = 500
	}
	set.sessions[777] = 0
	for range 63 {
		set.sessions[Pick(set, model.PickLeastSessions, nil)]++
	}
	for n := range 100 {
		if at := Pick(set, model.PickLeastSessions, nil); at != 777 {
			t.Fatalf("pick %d is endpoint %d with %d sessions, want 777 with %d", n, at, set.sessions[at], set.sessions[777])
		}
		set.sessions[777]++
	}
}

func TestLeast_evenInLargeSet(t *testing.T) {
	set := newLargeSet()
	for range 20 * len(set.sessions) {
		set.sessions[Pick(set, model.PickLeastSessions, nil)]++
	}
	if low, high := slices.Min(set.sessions), slices.Max(set.sessions); low < 18 || high > 22 {
		t.Errorf("the endpoints have between %d and %d sessions, want about 20", low, high)
	}
}

// An endpoint is found even if no compared endpoint accepts the session.
func TestLeast_onlyOneAccepts(t *testing.T) {
	set := newLargeSet()
	for i := range set.sessions {
		set.sessions[i] = 5
	}
	set.sessions[500] = 4
	c := candidates{set: set, identity: model.IdentityPod, requirements: requirements{maxSessions: 5, refuseWhenFull: true}}
	for range 100 {
		if at := c.choose(model.PickLeastSessions); at != 500 {
			t.Fatalf("endpoint %d, want the only one that is not full", at)
		}
	}
}
