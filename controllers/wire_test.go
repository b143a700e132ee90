package controllers

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/randfill"

	"github.com/limpet-dev/limpet/pkg/translate"
)

// randomObjects fills objects so that the values that Limpet compares are frequent.
func randomObjects(seed uint64) *randfill.Filler {
	r := rand.New(rand.NewPCG(seed, 1))
	one := func(of ...string) string { return of[r.IntN(len(of))] }
	return randfill.NewWithSeed(int64(seed)).NilChance(0.3).NumElements(0, 4).Funcs( //nolint:gosec // any seed
		func(m *metav1.ObjectMeta, c randfill.Continue) {
			c.FillNoCustom(m)
			m.CreationTimestamp, m.DeletionTimestamp = metav1.Time{}, nil
			m.Labels, m.Annotations = map[string]string{}, map[string]string{}
			for range r.IntN(4) {
				m.Labels[one("app", "a", discoveryv1.LabelServiceName, "")] = one("cart", "", "é")
				m.Annotations[one("short", "b", metav1.InitialEventsAnnotationKey)] = one("true", "x",
					strings.Repeat("x", translate.MaxPodValue), strings.Repeat("x", translate.MaxPodValue+1))
			}
		},
		func(f *metav1.FieldsV1, _ randfill.Continue) { f.SetRawString("{}") },
		func(p *corev1.Protocol, _ randfill.Continue) { *p = corev1.Protocol(one("TCP", "UDP", "")) },
		func(o *corev1.ObjectReference, c randfill.Continue) {
			c.FillNoCustom(o)
			o.Kind = one("Pod", "Pod", "Node", "")
		},
	)
}

func podReducer() *reducer[*metav1.PartialObjectMetadata, cachedPod] {
	values := &sharedValues{}
	return &reducer[*metav1.PartialObjectMetadata, cachedPod]{"PartialObjectMetadata", values.read, values.reduce}
}

func sliceReducer() *reducer[*discoveryv1.EndpointSlice, cachedSlice] {
	return &reducer[*discoveryv1.EndpointSlice, cachedSlice]{"EndpointSlice", readSlice, reduceSlice}
}

// Objects of any content must be reduced to the same as by the generated types.
func TestRead_equalsGeneratedTypes(t *testing.T) {
	pods, slices, filler := podReducer(), sliceReducer(), randomObjects(rand.Uint64())
	for range 2000 {
		var pod metav1.PartialObjectMetadata
		filler.Fill(&pod)
		expectEqualReading(t, pods, wrapped(pods.kind, marshal(t, &pod)), &metav1.PartialObjectMetadata{})
		var slice discoveryv1.EndpointSlice
		filler.Fill(&slice)
		expectEqualReading(t, slices, wrapped(slices.kind, marshal(t, &slice)), &discoveryv1.EndpointSlice{})
	}
}

// generated is implemented by the generated types.
type generated interface {
	metav1.Object
	runtime.Object
	Unmarshal(data []byte) error
}

// expectEqualReading compares the reader with the generated type. A message that the generated type rejects must only not panic:
// the reader may skip the field that is invalid.
func expectEqualReading[O generated, T reduced[T]](t *testing.T, by *reducer[O, T], data []byte, into O) {
	t.Helper()
	_, message, found, err := unwrap(data)
	if err != nil || !found {
		t.Fatalf("found %v, error %v", found, err)
	}
	generatedErr := into.Unmarshal(message)
	buffer := append([]byte(nil), message...)
	got, err := by.read(buffer)
	if generatedErr != nil {
		return
	}
	if err != nil {
		t.Fatalf("%v for %x", err, message)
	}
	clear(buffer) // the texts must be copies
	resourceVersion, end := into.GetResourceVersion(), into.GetAnnotations()[metav1.InitialEventsAnnotationKey] == "true"
	want := by.reduce(into)
	if !reflect.DeepEqual(got.reduced, want) {
		t.Fatalf("got  %+v\nwant %+v", *got.reduced, *want)
	}
	if got.Name != into.GetName() || got.Namespace != into.GetNamespace() || got.ResourceVersion != resourceVersion ||
		(got.Annotations[metav1.InitialEventsAnnotationKey] == "true") != end {
		t.Fatalf("metadata %+v, want resource version %q and the end of a list %v", got.ObjectMeta, resourceVersion, end)
	}
}

func FuzzReadSlice(f *testing.F) {
	for seed := range uint64(8) {
		var s discoveryv1.EndpointSlice
		randomObjects(seed).Fill(&s)
		raw, _ := s.Marshal()
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		expectEqualReading(t, sliceReducer(), wrapped("EndpointSlice", raw), &discoveryv1.EndpointSlice{})
	})
}

func FuzzReadPod(f *testing.F) {
	for seed := range uint64(8) {
		var p metav1.PartialObjectMetadata
		randomObjects(seed).Fill(&p)
		raw, _ := p.Marshal()
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		expectEqualReading(t, podReducer(), wrapped("PartialObjectMetadata", raw), &metav1.PartialObjectMetadata{})
	})
}

func marshal(t *testing.T, object interface{ Marshal() ([]byte, error) }) []byte {
	t.Helper()
	raw, err := object.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// wrapped returns a message as an object of a kind.
func wrapped(kind string, raw []byte) []byte { return wrappedAs("v1", kind, raw) }

func wrappedAs(version, kind string, raw []byte) []byte {
	data, _ := (&runtime.Unknown{TypeMeta: runtime.TypeMeta{APIVersion: version, Kind: kind}, Raw: raw}).Marshal()
	return append([]byte("k8s\x00"), data...)
}

// A watch may send JSON, statuses and objects of other kinds.
func TestReducingSerializer_otherFormats(t *testing.T) {
	s := &reducingSerializer[*discoveryv1.EndpointSlice, cachedSlice]{watchCodecs, *sliceReducer()}
	decode := func(mediaType string, data []byte) runtime.Object {
		t.Helper()
		info, found := runtime.SerializerInfoForMediaType(s.SupportedMediaTypes(), mediaType)
		if !found {
			t.Fatalf("%s is not supported", mediaType)
		}
		object, err := runtime.Decode(s.DecoderToVersion(info.Serializer, schema.GroupVersion{}), data)
		if err != nil {
			t.Fatal(err)
		}
		return object
	}
	json := decode(runtime.ContentTypeJSON, []byte(`{"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
		"metadata": {"name": "a", "resourceVersion": "7"}, "endpoints": [{"addresses": ["10.250.0.1"]}]}`))
	r, ok := json.(*received[cachedSlice])
	if !ok || r.ResourceVersion != "7" || r.reduced.key.Name != "a" || r.reduced.endpoints[0].address != "10.250.0.1" {
		t.Errorf("JSON: %+v", json)
	}
	status := decode(runtime.ContentTypeProtobuf, wrapped("Status", marshal(t, &metav1.Status{Code: 410})))
	if got, ok := status.(*metav1.Status); !ok || got.Code != 410 {
		t.Errorf("a status: %+v", status)
	}
	list := decode(runtime.ContentTypeProtobuf, wrappedAs("discovery.k8s.io/v1", "EndpointSliceList", marshal(t,
		&discoveryv1.EndpointSliceList{Items: []discoveryv1.EndpointSlice{*slice("shop", "cart")}})))
	if got, ok := list.(*discoveryv1.EndpointSliceList); !ok || len(got.Items) != 1 {
		t.Errorf("a list: %+v", list)
	}
}

// Reading a pod whose labels are known must leave no garbage except what the Reflector needs.
func TestRead_allocations(t *testing.T) {
	pods := podReducer()
	pod := metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
		Namespace: "shop", Name: "cart-0", UID: "4c5a8f5e-0001", ResourceVersion: "12345", Labels: map[string]string{"app": "cart"},
		ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubelet"}},
	}}
	_, message, _, _ := unwrap(wrapped(pods.kind, marshal(t, &pod)))
	kept, _ := pods.read(message)
	const most = 4 // the pod, its texts, the object for the Reflector, and its resource version
	if got := testing.AllocsPerRun(100, func() { _, _ = pods.read(message) }); got > most {
		t.Errorf("%v allocations, want at most %d", got, most)
	}
	if kept.reduced.values.labels["app"] != "cart" {
		t.Errorf("labels %v", kept.reduced.values.labels)
	}
}

// BenchmarkReadSlice compares reading a slice of ten endpoints with the generated type.
func BenchmarkReadSlice(b *testing.B) {
	s := slice("shop", "cart")
	for i := range 10 {
		s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{
			Addresses: []string{"10.250.0.1"}, Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(true)}, Zone: ptr.To("zone-a"),
			TargetRef: &corev1.ObjectReference{Kind: "Pod", Name: fmt.Sprint("cart-", i), UID: types.UID(binary.BigEndian.AppendUint64(nil, 1))},
		})
	}
	raw, _ := s.Marshal()
	b.Run("wire", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = readSlice(raw)
		}
	})
	b.Run("generated", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var s discoveryv1.EndpointSlice
			_ = s.Unmarshal(raw)
			reduceSlice(&s)
		}
	})
}
