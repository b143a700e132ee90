package controllers

import (
	"slices"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
)

// cachedSlice has the parts of an EndpointSlice that translate.Endpoints reads.
type cachedSlice struct {
	key       types.NamespacedName
	service   string // "" if it was created by hand, not for a Service
	ports     []cachedPort
	endpoints []cachedEndpoint
}

// cachedPort is a port with protocol TCP.
type cachedPort struct {
	name   string
	number int32
}

type cachedEndpoint struct {
	address  string // the first one: by the definition of the API, the others are equivalent
	pod, uid string // "" if the endpoint is no pod
	zone     string
	forZones string // of the hints, separated by commas

	ready, serving, terminating optionalBool
}

// optionalBool is a *bool without a pointer.
type optionalBool uint8

const (
	boolUnset optionalBool = iota
	boolFalse
	boolTrue
)

func optional(b *bool) optionalBool {
	switch {
	case b == nil:
		return boolUnset
	case *b:
		return boolTrue
	}
	return boolFalse
}

// The values to which the pointers of all restored slices point.
var (
	valueFalse, valueTrue = false, true
	protocolTCP           = corev1.ProtocolTCP
)

func (b optionalBool) pointer() *bool {
	switch b {
	case boolTrue:
		return &valueTrue
	case boolFalse:
		return &valueFalse
	}
	return nil
}

// reduceSlice returns the parts of an EndpointSlice that Limpet reads.
func reduceSlice(slice *discoveryv1.EndpointSlice) *cachedSlice {
	out := &cachedSlice{
		key:     types.NamespacedName{Namespace: shared(slice.Namespace), Name: slice.Name},
		service: slice.Labels[discoveryv1.LabelServiceName],
	}
	for _, port := range slice.Ports {
		if port.Port == nil || port.Protocol != nil && *port.Protocol != corev1.ProtocolTCP {
			continue
		}
		out.ports = append(out.ports, cachedPort{name: shared(ptr.Deref(port.Name, "")), number: *port.Port})
	}
	out.endpoints = make([]cachedEndpoint, len(slice.Endpoints))
	for i := range slice.Endpoints {
		out.endpoints[i] = reduceEndpoint(&slice.Endpoints[i])
	}
	out.pack()
	return out
}

// pack moves the texts that only this slice has into one allocation.
func (s *cachedSlice) pack() {
	texts := make([]*string, 0, 2+3*len(s.endpoints))
	texts = append(texts, &s.key.Name, &s.service)
	for i := range s.endpoints {
		e := &s.endpoints[i]
		texts = append(texts, &e.address, &e.pod, &e.uid)
	}
	packTexts(texts...)
}

func reduceEndpoint(e *discoveryv1.Endpoint) cachedEndpoint {
	out := cachedEndpoint{
		ready: optional(e.Conditions.Ready), serving: optional(e.Conditions.Serving),
		terminating: optional(e.Conditions.Terminating),
	}
	if len(e.Addresses) > 0 {
		out.address = e.Addresses[0]
	}
	if ref := e.TargetRef; ref != nil && ref.Kind == "Pod" {
		out.pod, out.uid = ref.Name, string(ref.UID)
	}
	if e.Zone != nil {
		out.zone = shared(*e.Zone)
	}
	if e.Hints != nil {
		var zones []string
		for _, zone := range e.Hints.ForZones {
			zones = append(zones, zone.Name)
		}
		out.forZones = shared(strings.Join(zones, ","))
	}
	return out
}

func (s cachedSlice) objectKey() types.NamespacedName { return s.key }

func (s cachedSlice) equal(other *cachedSlice) bool {
	return s.service == other.service && slices.Equal(s.ports, other.ports) && slices.Equal(s.endpoints, other.endpoints)
}

// GetObjectMeta implements metav1.ObjectMetaAccessor, from which a Reflector reads the name.
func (s *cachedSlice) GetObjectMeta() metav1.Object {
	return &metav1.ObjectMeta{Namespace: s.key.Namespace, Name: s.key.Name}
}

// object returns the slice as an object. Callers must not modify it.
func (s *cachedSlice) object() *discoveryv1.EndpointSlice {
	out := &discoveryv1.EndpointSlice{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: s.key.Namespace, Name: s.key.Name, Labels: map[string]string{discoveryv1.LabelServiceName: s.service},
		},
		Ports:     make([]discoveryv1.EndpointPort, len(s.ports)),
		Endpoints: make([]discoveryv1.Endpoint, len(s.endpoints)),
	}
	for i := range s.ports {
		out.Ports[i] = discoveryv1.EndpointPort{Name: &s.ports[i].name, Port: &s.ports[i].number, Protocol: &protocolTCP}
	}
	addresses, refs := make([]string, len(s.endpoints)), make([]corev1.ObjectReference, len(s.endpoints))
	for i := range s.endpoints {
		s.endpoints[i].restore(&out.Endpoints[i], addresses[i:i+1:i+1], &refs[i])
	}
	return out
}

// restore writes the endpoint to an object, with memory for its address and its pod.
func (e *cachedEndpoint) restore(out *discoveryv1.Endpoint, addresses []string, ref *corev1.ObjectReference) {
	out.Conditions = discoveryv1.EndpointConditions{
		Ready: e.ready.pointer(), Serving: e.serving.pointer(), Terminating: e.terminating.pointer(),
	}
	if e.address != "" {
		addresses[0] = e.address
		out.Addresses = addresses
	}
	if e.pod != "" {
		*ref = corev1.ObjectReference{Kind: "Pod", Name: e.pod, UID: types.UID(e.uid)}
		out.TargetRef = ref
	}
	if e.zone != "" {
		out.Zone = &e.zone
	}
	if e.forZones != "" {
		out.Hints = &discoveryv1.EndpointHints{}
		for zone := range strings.SplitSeq(e.forZones, ",") {
			out.Hints.ForZones = append(out.Hints.ForZones, discoveryv1.ForZone{Name: zone})
		}
	}
}

// sliceIndex finds the EndpointSlices of a Service, and the Services of a pod. The zero value is empty. It is safe for
// concurrent use.
type sliceIndex struct {
	mu        sync.RWMutex
	byService map[types.NamespacedName][]*cachedSlice
	byPod     podIndex
}

// slicesOf returns the EndpointSlices of a Service. Callers must not modify them.
func (x *sliceIndex) slicesOf(namespace, service string) []*discoveryv1.EndpointSlice {
	x.mu.RLock()
	defer x.mu.RUnlock()
	found := x.byService[types.NamespacedName{Namespace: namespace, Name: service}]
	out := make([]*discoveryv1.EndpointSlice, len(found))
	for i, s := range found {
		out[i] = s.object()
	}
	return out
}

// servicesOf returns the names of the Services that select a pod, once for each EndpointSlice with it.
func (x *sliceIndex) servicesOf(pod types.NamespacedName) []string {
	x.mu.RLock()
	defer x.mu.RUnlock()
	var names []string
	for _, s := range x.byPod.of(pod) {
		names = append(names, s.service)
	}
	return names
}

// replace is the index function of a mirror.
func (x *sliceIndex) replace(before, after *cachedSlice) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.byService == nil {
		x.byService = map[types.NamespacedName][]*cachedSlice{}
	}
	if before != nil && before.service != "" {
		withoutSlice(x.byService, before.serviceKey(), before)
		x.byPod.remove(before)
	}
	if after == nil || after.service == "" {
		return
	}
	x.byService[after.serviceKey()] = append(x.byService[after.serviceKey()], after)
	x.byPod.add(after)
}

func (s *cachedSlice) serviceKey() types.NamespacedName {
	return types.NamespacedName{Namespace: s.key.Namespace, Name: s.service}
}

// podKey returns the name of the pod of an endpoint, which is in the namespace of the slice. It has no name if the endpoint is
// no pod.
func (s *cachedSlice) podKey(i int) types.NamespacedName {
	return types.NamespacedName{Namespace: s.key.Namespace, Name: s.endpoints[i].pod}
}

// withoutSlice removes a slice from an index, and a key without slices.
func withoutSlice(index map[types.NamespacedName][]*cachedSlice, key types.NamespacedName, s *cachedSlice) {
	known := index[key]
	at := slices.Index(known, s)
	switch {
	case at < 0:
	case len(known) == 1:
		delete(index, key)
	default:
		index[key] = slices.Delete(known, at, at+1)
	}
}
