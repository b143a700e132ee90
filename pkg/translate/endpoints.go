package translate

import (
	"cmp"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Endpoints returns the endpoints of a pool, sorted by ID, then address. It reads the EndpointSlices of the Service and the
// metadata of the pods. Slices of other Services are ignored. Entries with the same ID are merged into one endpoint. A ready
// entry takes precedence over a draining one, that one over one that is not ready, and IPv4 over IPv6.
//
// An endpoint that is ready, or whose readiness is not set, gets new sessions. An endpoint that terminates and still serves
// is Draining, as is one whose pod has AnnotationDrain. One that is not ready and does not terminate is NotReady. All others
// are left out.
func Endpoints(pool model.Pool, slicesOfService []*discoveryv1.EndpointSlice, pods Pods) []model.Endpoint {
	if host := cmp.Or(pool.ExternalName, pool.ClusterIP); host != "" {
		address := net.JoinHostPort(host, strconv.Itoa(int(pool.ID.Port)))
		return []model.Endpoint{{ID: address, Address: address, State: model.EndpointReady}}
	}
	found := map[string]candidate{}
	for _, slice := range slicesOfService {
		if belongs(slice, pool.ID) {
			collect(found, slice, &pool, pods)
		}
	}
	out := make([]model.Endpoint, 0, len(found))
	for _, c := range found {
		out = append(out, c.Endpoint)
	}
	slices.SortFunc(out, func(a, b model.Endpoint) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.Address, b.Address))
	})
	return out
}

func belongs(slice *discoveryv1.EndpointSlice, id model.PoolID) bool {
	return slice.Namespace == id.Namespace && slice.Labels[discoveryv1.LabelServiceName] == id.Service
}

// candidate is an endpoint with its parsed address, by which entries with the same ID are compared.
type candidate struct {
	model.Endpoint
	address netip.AddrPort
}

func collect(found map[string]candidate, slice *discoveryv1.EndpointSlice, pool *model.Pool, pods Pods) {
	port, ok := slicePort(slice, pool.PortName)
	if !ok {
		return
	}
	for i := range slice.Endpoints {
		c, ok := readEndpoint(&slice.Endpoints[i], port)
		if !ok {
			continue
		}
		if ref := slice.Endpoints[i].TargetRef; c.Pod != "" {
			addPod(&c.Endpoint, pods(slice.Namespace, c.Pod), ref.UID, pool.Names)
		}
		if known, exists := found[c.ID]; !exists || better(c, known) {
			found[c.ID] = c
		}
	}
}

// better reports whether a takes precedence over b, which has the same ID. The order of slices does not matter.
func better(a, b candidate) bool {
	if a.State != b.State {
		return stateRank(a.State) < stateRank(b.State)
	}
	if order := a.address.Compare(b.address); order != 0 {
		return order < 0
	}
	return cmp.Or(cmp.Compare(a.Pod, b.Pod), cmp.Compare(a.Zone, b.Zone), cmp.Compare(a.ForZones, b.ForZones)) < 0
}

func stateRank(s model.EndpointState) int {
	switch s {
	case model.EndpointReady:
		return 0
	case model.EndpointDraining:
		return 1
	}
	return 2
}

func slicePort(slice *discoveryv1.EndpointSlice, name string) (uint16, bool) {
	for _, port := range slice.Ports {
		if deref(port.Name) != name || cmp.Or(deref(port.Protocol), corev1.ProtocolTCP) != corev1.ProtocolTCP {
			continue
		}
		if n := deref(port.Port); n >= 1 && n <= 65535 {
			return uint16(n), true
		}
	}
	return 0, false
}

// readEndpoint reads an endpoint. It uses the first address: by the definition of the API, the others are equivalent.
func readEndpoint(e *discoveryv1.Endpoint, port uint16) (candidate, bool) {
	state, usable := stateOf(e.Conditions)
	if !usable || len(e.Addresses) == 0 {
		return candidate{}, false
	}
	ip, err := netip.ParseAddr(e.Addresses[0])
	if err != nil || ip.Zone() != "" || ip.IsUnspecified() || ip.IsMulticast() {
		return candidate{}, false
	}
	address := netip.AddrPortFrom(ip.Unmap(), port)
	out := candidate{address: address}
	out.Endpoint = model.Endpoint{
		ID: address.String(), Address: address.String(), Zone: deref(e.Zone), ForZones: forZones(e.Hints), State: state,
	}
	if ref := e.TargetRef; ref != nil && ref.Kind == "Pod" {
		out.Pod = ref.Name
		out.ID = cmp.Or(string(ref.UID), out.ID)
	}
	return out, true
}

// forZones returns the sorted zones of the hints, separated by commas.
func forZones(hints *discoveryv1.EndpointHints) string {
	if hints == nil {
		return ""
	}
	zones := make([]string, len(hints.ForZones))
	for i := range hints.ForZones {
		zones[i] = hints.ForZones[i].Name
	}
	slices.Sort(zones)
	return strings.Join(zones, ",")
}

func stateOf(c discoveryv1.EndpointConditions) (state model.EndpointState, usable bool) {
	ready := c.Ready == nil || *c.Ready
	if !deref(c.Terminating) {
		if !ready {
			return model.EndpointNotReady, true
		}
		return model.EndpointReady, true
	}
	if c.Serving == nil {
		return model.EndpointDraining, ready
	}
	// Ready stays true on a terminating pod whose Service publishes addresses that are not ready.
	return model.EndpointDraining, *c.Serving || deref(c.Ready)
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
