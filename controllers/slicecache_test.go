package controllers

import (
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"testing"
	"unsafe"
	"weak"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// variedSlice returns a slice with each combination of conditions, and with endpoints that are hardly any.
func variedSlice() *discoveryv1.EndpointSlice {
	s := slice("shop", "cart")
	s.Ports = append(s.Ports, discoveryv1.EndpointPort{Name: ptr.To("dns"), Port: ptr.To[int32](53), Protocol: ptr.To(corev1.ProtocolUDP)},
		discoveryv1.EndpointPort{Name: ptr.To("all")}, discoveryv1.EndpointPort{Name: ptr.To("admin"), Port: ptr.To[int32](90)})
	states := []*bool{nil, ptr.To(false), ptr.To(true)}
	for i := range 27 {
		e := discoveryv1.Endpoint{
			Addresses: []string{fmt.Sprintf("10.250.0.%d", i+1), "10.250.1.1"}, Zone: ptr.To(fmt.Sprintf("zone-%d", i%2)),
			Hostname: ptr.To("cart"), NodeName: ptr.To("node"),
			Conditions: discoveryv1.EndpointConditions{Ready: states[i%3], Serving: states[i/3%3], Terminating: states[i/9]},
			TargetRef: &corev1.ObjectReference{
				Kind: "Pod", Namespace: "shop", Name: fmt.Sprintf("cart-%d", i), UID: types.UID(fmt.Sprint("u", i)),
			},
		}
		if i%2 == 0 {
			e.Hints = &discoveryv1.EndpointHints{ForZones: []discoveryv1.ForZone{{Name: "zone-1"}, {Name: "zone-0"}}}
		}
		s.Endpoints = append(s.Endpoints, e)
	}
	s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{}, discoveryv1.Endpoint{Addresses: []string{"10.250.0.99"}},
		discoveryv1.Endpoint{Addresses: []string{"10.250.0.98"}, TargetRef: &corev1.ObjectReference{Kind: "Node", Name: "n", UID: "n"}})
	return s
}

// A slice must result in the same endpoints after it was in the mirror.
func TestReduceSlice_keepsEndpoints(t *testing.T) {
	pods := func(string, string) *metav1.PartialObjectMetadata { return nil }
	restored := reduceSlice(variedSlice()).object()
	for _, name := range []string{"", "admin", "dns", "all"} {
		pool := model.Pool{ID: model.PoolID{Namespace: "shop", Service: "cart", Port: 80}, PortName: name}
		want := translate.Endpoints(pool, []*discoveryv1.EndpointSlice{variedSlice()}, pods)
		got := translate.Endpoints(pool, []*discoveryv1.EndpointSlice{restored}, pods)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("port %q: got %+v, want %+v", name, got, want)
		}
		if reached := len(want) > 20; reached != (name == "" || name == "admin") {
			t.Errorf("port %q has %d endpoints", name, len(want))
		}
	}
}

func TestCachedSlice_equal(t *testing.T) {
	original := reduceSlice(variedSlice())
	for name, change := range map[string]func(*discoveryv1.EndpointSlice){
		"address":   func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].Addresses[0] = "10.250.0.77" },
		"condition": func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].Conditions.Ready = ptr.To(true) },
		"pod":       func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].TargetRef.UID = "other" },
		"zone":      func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].Zone = nil },
		"hint":      func(s *discoveryv1.EndpointSlice) { s.Endpoints[0].Hints = nil },
		"port":      func(s *discoveryv1.EndpointSlice) { s.Ports[0].Port = ptr.To[int32](81) },
		"Service":   func(s *discoveryv1.EndpointSlice) { s.Labels = nil },
		"fewer":     func(s *discoveryv1.EndpointSlice) { s.Endpoints = s.Endpoints[1:] },
	} {
		s := variedSlice()
		change(s)
		if original.equal(reduceSlice(s)) {
			t.Errorf("%s: the change is not seen", name)
		}
	}
	s := variedSlice()
	s.ResourceVersion, s.Endpoints[0].NodeName = "99", nil
	if !original.equal(reduceSlice(s)) {
		t.Error("a change of what is not read counts")
	}
}

func TestSliceIndex_followsSlices(t *testing.T) {
	m := newMirrors(1)
	store := &mirrorStore[*discoveryv1.EndpointSlice, cachedSlice]{mirror: m.slices, reduce: reduceSlice}
	made := func(name, service string, pods ...string) *discoveryv1.EndpointSlice {
		s := slice("shop", service)
		s.Name = name
		for _, pod := range pods {
			s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: pod}})
		}
		return s
	}
	expect := func(pod string, want ...string) {
		t.Helper()
		got := m.index.servicesOf(types.NamespacedName{Namespace: "shop", Name: pod})
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", pod, got, want)
		}
	}
	list(t, store, made("cart-4", "cart", "a", "b"), made("cart-6", "cart", "a"), made("blue-1", "blue", "a"))
	expect("a", "blue", "cart", "cart")
	expect("b", "cart")
	if n := len(m.index.slicesOf("shop", "cart")); n != 2 {
		t.Errorf("cart has %d slices, want 2", n)
	}
	_ = store.Update(made("cart-4", "cart", "b", "c", "c"))
	expect("a", "blue", "cart")
	expect("c", "cart")
	_ = store.Delete(made("cart-6", "cart"))
	_ = store.Update(made("blue-1", "green", "a"))
	expect("a", "green")
	if n := len(m.index.slicesOf("shop", "blue")); n != 0 {
		t.Errorf("blue has %d slices, want none", n)
	}
	_ = store.Update(made("cart-4", "", "a"))
	expect("a", "green")
	list(t, store)
	if len(m.index.byPod.one)+len(m.index.byPod.more)+len(m.index.byService) > 0 {
		t.Errorf("left in the index: %v, %v", m.index.byPod, m.index.byService)
	}
}

// The keys of a mirror and of its index must not keep the texts of an older version of an object in memory.
func TestSliceIndex_freesOldTexts(t *testing.T) {
	m := newMirrors(1)
	store := &mirrorStore[*discoveryv1.EndpointSlice, cachedSlice]{mirror: m.slices, reduce: reduceSlice}
	made := func(name string, addresses ...string) *discoveryv1.EndpointSlice {
		s := slice("shop", "cart", addresses...)
		s.Name = name
		s.Endpoints[0].TargetRef = &corev1.ObjectReference{Kind: "Pod", Name: "a-pod-of-two-slices", UID: "u"}
		return s
	}
	list(t, store, made("ipv4", "10.250.0.1", "10.250.0.2"), made("ipv6", "2001:db8::1"))
	stored := m.slices.get(types.NamespacedName{Namespace: "shop", Name: "ipv4"})
	first := weak.Make(unsafe.StringData(stored.endpoints[1].address))
	_ = store.Update(made("ipv4", "10.250.0.1", "10.250.0.3"))
	runtime.GC()
	if first.Value() != nil {
		t.Error("the addresses of the first version are still in memory")
	}
	runtime.KeepAlive(m)
}

// BenchmarkCachedSlice_object measures reading a slice of 100 endpoints.
func BenchmarkCachedSlice_object(b *testing.B) {
	s := slice("shop", "cart")
	for i := range 100 {
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{"10.250.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(true)},
			TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: fmt.Sprint("cart-", i), UID: "u"},
		})
	}
	reduced := reduceSlice(s)
	b.ReportAllocs()
	for b.Loop() {
		reduced.object()
	}
}

// Several endpoints of a slice may be one pod, and several slices may have it.
func TestPodIndex_countsSlicesOnce(t *testing.T) {
	made := func(pods ...string) *cachedSlice {
		s := &cachedSlice{key: types.NamespacedName{Namespace: "shop"}}
		for _, pod := range pods {
			s.endpoints = append(s.endpoints, cachedEndpoint{pod: pod})
		}
		return s
	}
	var x podIndex
	a := types.NamespacedName{Namespace: "shop", Name: "a"}
	first, second, third := made("a", "a", ""), made("a", "b", "a"), made("a")
	for _, s := range []*cachedSlice{first, second, third} {
		x.add(s)
	}
	if got := x.of(a); !slices.Equal(got, []*cachedSlice{first, second, third}) {
		t.Errorf("%d slices, want 3", len(got))
	}
	x.remove(first)
	if got := x.of(a); !slices.Equal(got, []*cachedSlice{second, third}) {
		t.Errorf("%d slices, want 2", len(got))
	}
	if got := x.of(types.NamespacedName{Namespace: "other", Name: "a"}); got != nil {
		t.Errorf("%d slices of another namespace", len(got))
	}
	x.remove(second)
	x.remove(third)
	if len(x.one)+len(x.more) > 0 {
		t.Errorf("left: %v, %v", x.one, x.more)
	}
}
