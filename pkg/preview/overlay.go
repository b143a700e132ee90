package preview

import (
	"maps"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/pkg/translate"
)

// Overlay returns the objects of w as they are after the objects of manifests are applied. An object keeps its age, because age
// decides conflicts, and new objects are created now. It modifies the objects of manifests, and shares those of w.
func Overlay(w, manifests *translate.Snapshot, now time.Time) *translate.Snapshot {
	out := *w
	out.Ingresses = overlay(w.Ingresses, manifests.Ingresses, now)
	out.IngressClasses = overlay(w.IngressClasses, manifests.IngressClasses, now)
	out.Services = overlay(w.Services, manifests.Services, now)
	out.EndpointSlices = overlay(w.EndpointSlices, manifests.EndpointSlices, now)
	out.Secrets = overlay(w.Secrets, manifests.Secrets, now)
	out.ConfigMaps = overlay(w.ConfigMaps, manifests.ConfigMaps, now)
	out.Policies = overlay(w.Policies, manifests.Policies, now)
	out.Reports = slices.Concat(w.Reports, manifests.Reports)
	return &out
}

func overlay[T metav1.Object](objects, applied []T, now time.Time) []T {
	if len(applied) == 0 {
		return objects
	}
	byName := make(map[types.NamespacedName]T, len(objects)+len(applied))
	for _, o := range objects {
		byName[types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}] = o
	}
	for _, o := range applied {
		key := types.NamespacedName{Namespace: o.GetNamespace(), Name: o.GetName()}
		o.SetCreationTimestamp(metav1.NewTime(now.Truncate(time.Second)))
		if existing, exists := byName[key]; exists {
			o.SetCreationTimestamp(existing.GetCreationTimestamp())
			o.SetUID(existing.GetUID())
			o.SetDeletionTimestamp(existing.GetDeletionTimestamp())
		}
		byName[key] = o
	}
	return slices.Collect(maps.Values(byName))
}
