package translate

import (
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// ChangesOf returns a Change for each object of a Snapshot, with a copy of the object. EndpointSlices have none, and pods only
// if their own Report is not empty.
func ChangesOf(w *Snapshot) []Change {
	var out []Change
	add := func(kind string, object metav1.Object) {
		out = append(out, Change{Ref: refOf(kind, object), Object: object})
	}
	for _, o := range w.IngressClasses {
		add(KindIngressClass, o.DeepCopy())
	}
	for _, o := range w.Namespaces {
		add(KindNamespace, o.DeepCopy())
	}
	for _, o := range w.Services {
		add(model.KindService, o.DeepCopy())
	}
	for _, o := range w.Secrets {
		add(model.KindSecret, o.DeepCopy())
	}
	for _, o := range w.ConfigMaps {
		add(model.KindConfigMap, o.DeepCopy())
	}
	for _, o := range w.Policies {
		add(v1alpha1.Kind, o.DeepCopy())
	}
	for _, o := range w.Ingresses {
		add(model.KindIngress, o.DeepCopy())
	}
	for _, o := range w.Pods {
		if HasUnknownDrain(o.Annotations) {
			add(model.KindPod, o.DeepCopy())
		}
	}
	return out
}

// EndpointChanges returns a Change of the endpoints of each Service whose endpoints may change the Reports.
func (e *Engine) EndpointChanges() []Change {
	var out []Change
	for ref := range e.merged.referenced {
		if ref.Kind == KindEndpoints {
			out = append(out, Change{Ref: ref})
		}
	}
	return out
}

// Snapshot returns the objects as last seen, without EndpointSlices and pods. The caller must not modify them.
func (e *Engine) Snapshot() *Snapshot {
	w := &Snapshot{
		Services: slices.Collect(maps.Values(e.services)), Secrets: slices.Collect(maps.Values(e.secrets)),
		ConfigMaps:     slices.Collect(maps.Values(e.configMaps)),
		IngressClasses: slices.Collect(maps.Values(e.classObjects)), Now: e.now,
	}
	for _, n := range e.nodes {
		w.Ingresses = append(w.Ingresses, n.object)
	}
	for _, p := range e.policies.byName {
		w.Policies = append(w.Policies, p.AffinityPolicy)
	}
	for name := range e.terminating {
		w.Namespaces = append(w.Namespaces, &metav1.PartialObjectMetadata{
			ObjectMeta: metav1.ObjectMeta{Name: name, DeletionTimestamp: &metav1.Time{Time: e.now}}})
	}
	return w
}
