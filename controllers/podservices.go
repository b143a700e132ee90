package controllers

import (
	"slices"
	"sync"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
)

// podServices knows which Services select a pod, as their EndpointSlices say. An index of the informer would take a set for
// each pod. The zero value is empty. It is safe for concurrent use.
type podServices struct {
	mu sync.RWMutex
	// byPod has no empty values. A pod may be in several slices of one Service, such as those of IPv4 and IPv6.
	byPod map[types.NamespacedName][]sliceOfService
}

type sliceOfService struct{ slice, service string }

// of returns the names of the Services that select a pod, possibly more than once.
func (p *podServices) of(pod types.NamespacedName) []string {
	p.mu.RLock()
	defer p.mu.RUnlock()
	var names []string
	for _, from := range p.byPod[pod] {
		names = append(names, from.service)
	}
	return names
}

// replace replaces what a slice says. before is nil for a new slice, and after is nil for a deleted one.
func (p *podServices) replace(before, after *discoveryv1.EndpointSlice) {
	was, is := podsOf(before), podsOf(after)
	if before != nil && after != nil && serviceOf(before) == serviceOf(after) && slices.Equal(was, is) {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, pod := range was {
		p.lockedRemove(types.NamespacedName{Namespace: before.Namespace, Name: pod}, before.Name)
	}
	for _, pod := range is {
		p.lockedAdd(types.NamespacedName{Namespace: after.Namespace, Name: pod}, after)
	}
}

func (p *podServices) lockedAdd(pod types.NamespacedName, slice *discoveryv1.EndpointSlice) {
	service := serviceOf(slice)
	if service == "" {
		return // created by hand, not for a Service
	}
	if p.byPod == nil {
		p.byPod = map[types.NamespacedName][]sliceOfService{}
	}
	p.byPod[pod] = append(p.byPod[pod], sliceOfService{slice: slice.Name, service: service})
}

func (p *podServices) lockedRemove(pod types.NamespacedName, slice string) {
	left := slices.DeleteFunc(p.byPod[pod], func(from sliceOfService) bool { return from.slice == slice })
	if len(left) == 0 {
		delete(p.byPod, pod)
		return
	}
	p.byPod[pod] = left
}

// serviceOf returns the name of the Service of a slice, or "".
func serviceOf(slice *discoveryv1.EndpointSlice) string {
	return slice.Labels[discoveryv1.LabelServiceName]
}

// podsOf returns the names of the pods that a slice references, none for nil. They are in the namespace of the slice.
func podsOf(slice *discoveryv1.EndpointSlice) []string {
	if slice == nil {
		return nil
	}
	var names []string
	for i := range slice.Endpoints {
		if ref := slice.Endpoints[i].TargetRef; ref != nil && ref.Kind == "Pod" {
			names = append(names, ref.Name)
		}
	}
	return names
}
