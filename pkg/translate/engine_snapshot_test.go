package translate

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/limpet-dev/limpet/api/v1alpha1"
)

func TestEngine_snapshotHasAllObjects(t *testing.T) {
	meta := metav1.ObjectMeta{Namespace: "shop", Name: "cart"}
	gone := metav1.NewTime(time.Unix(1, 0))
	w := &Snapshot{
		Ingresses:      []*networkingv1.Ingress{{ObjectMeta: meta}},
		IngressClasses: []*networkingv1.IngressClass{{ObjectMeta: metav1.ObjectMeta{Name: "limpet"}}},
		Services:       []*corev1.Service{{ObjectMeta: meta}}, Secrets: []*corev1.Secret{{ObjectMeta: meta}},
		ConfigMaps: []*corev1.ConfigMap{{ObjectMeta: meta}}, Policies: []*v1alpha1.AffinityPolicy{{ObjectMeta: meta}},
		Namespaces: []*metav1.PartialObjectMetadata{{ObjectMeta: metav1.ObjectMeta{Name: "shop", DeletionTimestamp: &gone}}},
	}
	e := NewEngine(Options{})
	e.Apply(ChangesOf(w), EndpointObjects{}, time.Unix(2, 0))
	got := e.Snapshot()
	counts := []int{len(got.Ingresses), len(got.IngressClasses), len(got.Services), len(got.Secrets), len(got.ConfigMaps),
		len(got.Policies), len(got.Namespaces)}
	for i, n := range counts {
		if n != 1 {
			t.Errorf("list %d has %d objects: %v", i, n, counts)
		}
	}
	if got.Namespaces[0].DeletionTimestamp == nil || got.Policies[0].Name != "cart" {
		t.Errorf("got %+v", got)
	}
}
