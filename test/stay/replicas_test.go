package stay

import (
	"slices"
	"testing"

	discoveryv1 "k8s.io/api/discovery/v1"
)

// Two processes share nothing but the keys, and learn of the endpoints in different orders and from different slices.
func TestReplicas_agreeInAnyOrder(t *testing.T) {
	pods := ready(startPods(t, 6)...)
	one, other := newFolder(t), newFolder(t)
	other.keys = one.keys
	for _, f := range []*folder{one, other} {
		for _, object := range baseObjects() {
			f.apply(t, object)
		}
	}
	backwards := slices.Clone(pods)
	slices.Reverse(backwards)
	for _, w := range backends {
		one.apply(t, w.slice(pods))
		for i, part := range [][]podState{backwards[:2], backwards[2:]} {
			other.apply(t, named(w.slice(part), "part-"+string('a'+rune(i))+"-"+string(w)))
		}
	}
	first, second := one.start(t), other.start(t)
	for _, w := range backends {
		sessions := newSessions(t, w, 0, clients)
		settle(t, first, sessions)
		expectNoneMoves(t, second, sessions, 2)
		expectNoneMoves(t, first, sessions, 1)
		if used := podsOf(sessions); len(used) != len(pods) {
			t.Errorf("by %s: the sessions of the pods are %v, but all should have some", w, used)
		}
	}
}

func named(s *discoveryv1.EndpointSlice, name string) *discoveryv1.EndpointSlice {
	s.Name = name
	return s
}
