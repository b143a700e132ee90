package controllers

import (
	"maps"
	"runtime"
	"strconv"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

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

// list replaces the content of a store, as a Reflector does with a list that arrived by a watch.
func list[O client.Object, T reduced[T]](t *testing.T, s *mirrorStore[O, T], objects ...O) {
	t.Helper()
	var all []any
	for _, object := range objects {
		o, err := s.Transformer()(object)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
	if err := s.Replace(all, "1"); err != nil {
		t.Fatal(err)
	}
}

type podStore = mirrorStore[*metav1.PartialObjectMetadata, cachedPod]

// newPodStore returns the store of a mirror of all pods.
func newPodStore() *podStore {
	var shared sharedValues
	return &podStore{mirror: newMirror[cachedPod](1), reduce: shared.reduce}
}

func podOf(s *podStore, name string) *cachedPod {
	return s.mirror.get(types.NamespacedName{Namespace: "shop", Name: name})
}

func TestPodCache_keepsWhatIsRead(t *testing.T) {
	s := newPodStore()
	list(t, s, listedPod("a", "1", "app", "shop"))
	got := podOf(s, "a").object()
	if got == nil || got.UID != "1" || got.Labels["app"] != "shop" || got.Annotations["short"] != "x" || got.Kind != "Pod" {
		t.Fatalf("got %+v", got)
	}
	if len(got.Annotations) != 1 || got.ManagedFields != nil {
		t.Errorf("kept: %+v", got.ObjectMeta)
	}
	if podOf(s, "b").object() != nil {
		t.Error("found a pod that does not exist")
	}
}

func TestPodCache_equalPodsShareValues(t *testing.T) {
	s := newPodStore()
	list(t, s, listedPod("a", "1", "app", "shop"), listedPod("b", "2", "app", "shop"), listedPod("c", "3", "app", "other"))
	if err := s.Add(listedPod("d", "4", "app", "shop")); err != nil {
		t.Fatal(err)
	}
	if a := podOf(s, "a").values; a != podOf(s, "b").values || a != podOf(s, "d").values || a == podOf(s, "c").values {
		t.Error("pods with equal labels do not share them, or others do")
	}
}

// Values of which no pod is left must not stay in memory.
func TestSharedValues_areForgotten(t *testing.T) {
	var shared sharedValues
	kept := shared.reduce(listedPod("a", "1", "app", "kept"))
	for i := range 100 {
		shared.reduce(listedPod("b", "2", "app", strconv.Itoa(i)))
	}
	eventually(t, "the values are forgotten", func() bool {
		runtime.GC()
		shared.mu.Lock()
		defer shared.mu.Unlock()
		return len(shared.known) == 1
	})
	if shared.reduce(listedPod("c", "3", "app", "kept")).values != kept.values {
		t.Error("values in use were forgotten")
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
		fields := encodeValues(pair[0], pair[1])
		if other, ok := seen[string(fields)]; ok {
			t.Errorf("cases %d and %d are both %q", other, i, fields)
		}
		seen[string(fields)] = i
		if got := decodeValues(fields); !maps.Equal(got.labels, pair[0]) || !maps.Equal(got.annotations, pair[1]) {
			t.Errorf("case %d is %v after decoding", i, got)
		}
	}
}
