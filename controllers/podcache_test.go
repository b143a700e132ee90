package controllers

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/pkg/translate"
)

// listedPod returns the metadata of a pod as an API server sends it.
func listedPod(name, uid string, labels ...string) *metav1.PartialObjectMetadata {
	pod := podMetadata()
	pod.ObjectMeta = metav1.ObjectMeta{
		Namespace: "shop", Name: name, UID: types.UID(uid), ResourceVersion: "2", Labels: map[string]string{},
		Annotations:   map[string]string{"short": "x", "long": strings.Repeat("x", translate.MaxPodValue+1)},
		ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubelet"}},
	}
	for i := 0; i < len(labels); i += 2 {
		pod.Labels[labels[i]] = labels[i+1]
	}
	return pod
}

// newPodStore returns a podStore of all namespaces, and the changes that its cache notifies of.
func newPodStore() (*podStore, *[]string) {
	c := newPodCache(1)
	var changes []string
	uid := func(p *cachedPod) types.UID {
		if p == nil {
			return "-"
		}
		return p.uid
	}
	c.onChange = func(before, pod *cachedPod) { changes = append(changes, fmt.Sprint(uid(before), ">", uid(pod))) }
	return &podStore{cache: c}, &changes
}

// list replaces the content of a store, as a Reflector does with a list that arrived by a watch.
func list(t *testing.T, s *podStore, pods ...*metav1.PartialObjectMetadata) {
	t.Helper()
	var all []any
	for _, pod := range pods {
		p, err := s.Transformer()(pod)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if err := s.Replace(all, "1"); err != nil {
		t.Fatal(err)
	}
}

func TestPodCache_keepsWhatIsRead(t *testing.T) {
	s, _ := newPodStore()
	list(t, s, listedPod("a", "1", "app", "shop"))
	got := s.cache.get("shop", "a")
	if got == nil || got.UID != "1" || got.Labels["app"] != "shop" || got.Annotations["short"] != "x" || got.Kind != "Pod" {
		t.Fatalf("got %+v", got)
	}
	if len(got.Annotations) != 1 || got.ManagedFields != nil {
		t.Errorf("kept: %+v", got.ObjectMeta)
	}
	if s.cache.get("shop", "b") != nil || s.cache.get("other", "a") != nil {
		t.Error("found a pod that does not exist")
	}
}

func TestPodCache_equalPodsShareValues(t *testing.T) {
	s, _ := newPodStore()
	list(t, s, listedPod("a", "1", "app", "shop"), listedPod("b", "2", "app", "shop"), listedPod("c", "3", "app", "other"))
	if err := s.Add(listedPod("d", "4", "app", "shop")); err != nil {
		t.Fatal(err)
	}
	values := func(name string) *podValues { return s.cache.pods[types.NamespacedName{Namespace: "shop", Name: name}].values }
	if values("a") != values("b") || values("a") != values("d") || values("a") == values("c") || values("a").users != 3 {
		t.Errorf("a %p, b %p, c %p, d %p, %d users", values("a"), values("b"), values("c"), values("d"), values("a").users)
	}
	list(t, s)
	if len(s.cache.pods)+len(s.cache.shared) > 0 {
		t.Errorf("%d pods and %d values stay", len(s.cache.pods), len(s.cache.shared))
	}
}

// Values must not be confused because their keys and values are the same text when joined.
func TestEncodeValues_differ(t *testing.T) {
	seen := map[string]int{}
	for i, pair := range [][2]map[string]string{
		{{}, {}},
		{{"a": "b"}, {}},
		{{}, {"a": "b"}},
		{{"a": "", "b": ""}, {}},
		{{"a": ""}, {"b": ""}},
		{{"a": "b1:c"}, {}},
		{{"a1:b": "c"}, {}},
	} {
		key := encodeValues(pair[0], pair[1])
		if other, ok := seen[key]; ok {
			t.Errorf("cases %d and %d are both %q", other, i, key)
		}
		seen[key] = i
	}
}

func TestPodCache_notifiesOfChanges(t *testing.T) {
	s, changes := newPodStore()
	expect := func(what string, want ...string) {
		t.Helper()
		if !slices.Equal(*changes, want) {
			t.Errorf("%s: %v, want %v", what, *changes, want)
		}
		*changes = nil
	}
	select {
	case <-s.cache.synced:
		t.Error("synced before the first list")
	default:
	}
	list(t, s, listedPod("a", "1"), listedPod("b", "2"))
	<-s.cache.synced
	expect("the first list", "->1", "->2")
	_ = s.Update(listedPod("a", "1"))
	expect("nothing that is read changed")
	_ = s.Update(listedPod("a", "1", "app", "shop"))
	expect("a label", "1>1")
	_ = s.Update(listedPod("a", "3", "app", "shop"))
	expect("created again", "1>3")
	_ = s.Delete(listedPod("b", "2"))
	_ = s.Delete(listedPod("b", "2"))
	expect("deleted", "2>-")
	_ = s.Add(listedPod("b", "4"))
	expect("added", "->4")
	if err := s.Replace([]any{listedPod("c", "5"), listedPod("a", "3", "app", "shop")}, "9"); err != nil {
		t.Fatal(err)
	}
	expect("another list", "->5", "4>-")
	if err := s.Add("a pod"); err == nil {
		t.Error("no error for another type")
	}
}

func TestPodStore_replacesOnlyItsNamespace(t *testing.T) {
	s, _ := newPodStore()
	s.namespace = "shop"
	other := listedPod("a", "1")
	other.Namespace = "other"
	s.cache.put(other)
	list(t, s, listedPod("a", "2"))
	list(t, s)
	if s.cache.get("other", "a") == nil || s.cache.get("shop", "a") != nil {
		t.Error("the list of a namespace replaced the pods of another one")
	}
}

func TestPodServices_followSlices(t *testing.T) {
	var p podServices
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
		got := p.of(types.NamespacedName{Namespace: "shop", Name: pod})
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", pod, got, want)
		}
	}
	ipv4, ipv6, blue := made("cart-4", "cart", "a", "b"), made("cart-6", "cart", "a"), made("blue-1", "blue", "a")
	for _, s := range []*discoveryv1.EndpointSlice{ipv4, ipv6, blue} {
		p.replace(nil, s)
	}
	expect("a", "blue", "cart", "cart")
	expect("b", "cart")
	p.replace(ipv4, made("cart-4", "cart", "b", "c"))
	expect("a", "blue", "cart")
	expect("c", "cart")
	p.replace(ipv6, nil)
	p.replace(blue, made("blue-1", "green", "a"))
	expect("a", "green")
	p.replace(made("blue-1", "green", "a"), nil)
	p.replace(made("cart-4", "cart", "b", "c"), made("cart-4", ""))
	if len(p.byPod) > 0 {
		t.Errorf("pods stay: %v", p.byPod)
	}
}
