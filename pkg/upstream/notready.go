package upstream

import (
	"slices"

	"github.com/limpet-dev/limpet/pkg/model"
)

// notReadyEndpoints contains the endpoints of a pool that are not ready or ejected, and not terminating. They receive no
// requests. It is immutable.
type notReadyEndpoints struct {
	list    []model.Endpoint
	byPod   map[model.EndpointKey]bool
	byName  map[model.EndpointKey]bool
	byValue map[model.Identity]map[model.EndpointKey]bool // by label and annotation values
	ejected *ejectedEndpoints                             // nil without such endpoints
}

// splitReadiness separates the endpoints that receive requests from the others.
func splitReadiness(endpoints []model.Endpoint) (available []model.Endpoint, notReady *notReadyEndpoints) {
	isNotReady := func(e model.Endpoint) bool {
		return e.State == model.EndpointNotReady || e.State == model.EndpointEjected
	}
	if !slices.ContainsFunc(endpoints, isNotReady) {
		return endpoints, nil
	}
	notReady = &notReadyEndpoints{
		byPod: map[model.EndpointKey]bool{}, byName: map[model.EndpointKey]bool{},
		byValue: map[model.Identity]map[model.EndpointKey]bool{},
	}
	for i := range endpoints {
		if isNotReady(endpoints[i]) {
			notReady.add(&endpoints[i])
			continue
		}
		available = append(available, endpoints[i])
	}
	return available, notReady
}

func (n *notReadyEndpoints) add(e *model.Endpoint) {
	n.list = append(n.list, *e)
	n.byPod[model.KeyOf(e.ID)] = true
	n.byName[model.KeyOf((&Endpoint{Endpoint: *e}).podName())] = true
	for identity, value := range e.Names {
		if n.byValue[identity] == nil {
			n.byValue[identity] = map[model.EndpointKey]bool{}
		}
		n.byValue[identity][model.KeyOf(value)] = true
	}
}

// NotReady returns the endpoints that are not ready or ejected, and not terminating. Endpoints does not include them. Callers
// must not modify the slice.
func (s *Set) NotReady() []model.Endpoint {
	if s.notReady == nil {
		return nil
	}
	return s.notReady.list
}

// CountByState returns the number of endpoints in each state, including 0. Unlike Endpoints, it includes those that are not
// ready.
func (s *Set) CountByState() map[model.EndpointState]int {
	count := map[model.EndpointState]int{
		model.EndpointReady: 0, model.EndpointDraining: 0, model.EndpointNotReady: 0, model.EndpointEjected: 0,
	}
	for _, e := range s.Endpoints() {
		count[e.State]++
	}
	for i := range s.NotReady() {
		count[s.notReady.list[i].State]++
	}
	return count
}

// IsNotReady reports whether a pod with that key exists, but is not ready or is ejected, and is not terminating. Lookup does
// not find such a pod, unless another endpoint has the same key.
func (s *Set) IsNotReady(identity model.Identity, key model.EndpointKey) bool {
	if s.notReady == nil {
		return false
	}
	switch identity {
	case model.IdentityPod:
		return s.notReady.byPod[key]
	case model.IdentityPodName:
		return s.notReady.byName[key]
	}
	return s.notReady.byValue[identity][key]
}
