package controllers

import (
	"hash/maphash"
	"slices"

	"k8s.io/apimachinery/pkg/types"
)

// podIndex finds the EndpointSlices that have a pod. Its keys are hashes, because the names of 100,000 pods take 9 MiB more. The
// zero value is empty.
type podIndex struct {
	seed maphash.Seed
	one  map[uint64]*cachedSlice
	more map[uint64][]*cachedSlice // the slices after the first one. Few pods have several
}

func (x *podIndex) hash(pod types.NamespacedName) uint64 {
	if x.one == nil {
		x.seed, x.one, x.more = maphash.MakeSeed(), map[uint64]*cachedSlice{}, map[uint64][]*cachedSlice{}
	}
	return maphash.Comparable(x.seed, pod)
}

// add adds a slice for each of its pods, once even if several of its endpoints have the same pod.
func (x *podIndex) add(s *cachedSlice) {
	for i := range s.endpoints {
		if s.endpoints[i].pod == "" {
			continue
		}
		key := x.hash(s.podKey(i))
		switch first := x.one[key]; {
		case first == nil:
			x.one[key] = s
		case first != s && !slices.Contains(x.more[key], s):
			x.more[key] = append(x.more[key], s)
		}
	}
}

// remove removes a slice.
func (x *podIndex) remove(s *cachedSlice) {
	for i := range s.endpoints {
		key := x.hash(s.podKey(i))
		more := slices.DeleteFunc(x.more[key], func(other *cachedSlice) bool { return other == s })
		if x.one[key] == s {
			delete(x.one, key)
			if len(more) > 0 {
				x.one[key] = more[0]
				more = slices.Delete(more, 0, 1)
			}
		}
		if x.more[key] = more; len(more) == 0 {
			delete(x.more, key)
		}
	}
}

// of returns the slices of a pod. Callers must not modify x concurrently.
func (x *podIndex) of(pod types.NamespacedName) []*cachedSlice {
	if x.one == nil {
		return nil
	}
	key := x.hash(pod)
	var found []*cachedSlice
	if s := x.one[key]; s.has(pod) {
		found = append(found, s)
	}
	for _, s := range x.more[key] {
		if s.has(pod) {
			found = append(found, s)
		}
	}
	return found
}

// has reports whether an endpoint of the slice is the pod. A nil slice has no endpoints.
func (s *cachedSlice) has(pod types.NamespacedName) bool {
	return s != nil && s.key.Namespace == pod.Namespace &&
		slices.ContainsFunc(s.endpoints, func(e cachedEndpoint) bool { return e.pod == pod.Name })
}
