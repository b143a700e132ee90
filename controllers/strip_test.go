package controllers

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

func TestStripMetadata(t *testing.T) {
	in := ingress("shop", "cart")
	in.ManagedFields = []metav1.ManagedFieldsEntry{{Manager: "kubectl"}}
	in.Annotations = map[string]string{corev1.LastAppliedConfigAnnotation: "{}", translate.AnnotationAffinity: "cookie"}
	got, err := stripMetadata(in)
	stripped, _ := got.(*networkingv1.Ingress)
	if err != nil || stripped.ManagedFields != nil ||
		!reflect.DeepEqual(stripped.Annotations, map[string]string{translate.AnnotationAffinity: "cookie"}) {
		t.Errorf("error %v, %+v", err, stripped.ObjectMeta)
	}
	if got, err := stripMetadata("a tombstone"); got != "a tombstone" || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

// A stripped slice must result in the same endpoints.
func TestStripSlice_keepsEndpoints(t *testing.T) {
	full := func() *discoveryv1.EndpointSlice {
		s := slice("shop", "cart")
		for i := range 4 {
			s.Endpoints = append(s.Endpoints, discoveryv1.Endpoint{
				Addresses: []string{fmt.Sprintf("10.250.0.%d", i+1)}, Zone: ptr.To(fmt.Sprintf("zone-%d", i%2)),
				Hostname: ptr.To("cart"), NodeName: ptr.To("node"),
				Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(i != 1), Serving: ptr.To(true), Terminating: ptr.To(i == 1)},
				Hints:      &discoveryv1.EndpointHints{ForZones: []discoveryv1.ForZone{{Name: "zone-0"}}},
				TargetRef: &corev1.ObjectReference{
					Kind: "Pod", Namespace: "shop", Name: fmt.Sprintf("cart-%d", i), UID: "u", ResourceVersion: "7",
				},
			})
		}
		s.OwnerReferences = []metav1.OwnerReference{{Name: "cart"}}
		return s
	}
	pool := model.Pool{ID: model.PoolID{Namespace: "shop", Service: "cart", Port: 80}}
	pods := func(string, string) *metav1.PartialObjectMetadata { return nil }
	want := translate.Endpoints(pool, []*discoveryv1.EndpointSlice{full()}, pods)
	stripped := full()
	if _, err := stripSlice(stripped); err != nil || stripped.OwnerReferences != nil || stripped.Endpoints[0].NodeName != nil {
		t.Errorf("error %v, %+v", err, stripped)
	}
	got := translate.Endpoints(pool, []*discoveryv1.EndpointSlice{stripped}, pods)
	if len(want) == 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if names := podsOf(stripped); len(names) != 4 {
		t.Errorf("the slice references the pods %v", names)
	}
}

func TestStripConfigMap(t *testing.T) {
	long := strings.Repeat("x", 2*translate.MaxConfigMapValue)
	c := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "c", Labels: map[string]string{"app": "c"}},
		Data:       map[string]string{"X-Frame-Options": "DENY", "app.properties": long, "X-Long": long},
		BinaryData: map[string][]byte{"logo": []byte(long)},
	}
	strip := stripConfigMaps(types.NamespacedName{Namespace: "nginx", Name: "kept"})
	if _, err := strip(c); err != nil {
		t.Fatal(err)
	}
	want := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "c"},
		Data: map[string]string{
			"X-Frame-Options": "DENY", "app.properties": "", "X-Long": long[:translate.MaxConfigMapValue+1],
		},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got %+v", c)
	}
	kept := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "nginx", Name: "kept"}, Data: map[string]string{"whitelist-source-range": long},
	}
	if _, err := strip(kept); err != nil || kept.Data["whitelist-source-range"] != long {
		t.Errorf("the ConfigMap of ingress-nginx has %d bytes, error %v", len(kept.Data["whitelist-source-range"]), err)
	}
	if got, err := strip("a tombstone"); got != "a tombstone" || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}
