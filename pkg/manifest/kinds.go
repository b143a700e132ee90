package manifest

import (
	"encoding/json"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// object is implemented by all kinds that are read.
type object interface {
	metav1.Object
}

// pod is the part of a Pod that Limpet uses. Spec and status are not decoded, so that any Kubernetes version is
// accepted.
type pod struct {
	metav1.TypeMeta
	metav1.ObjectMeta `json:"metadata"`

	Spec   json.RawMessage `json:"spec"`
	Status json.RawMessage `json:"status"`
}

// kind describes how one kind of object is read.
type kind struct {
	clusterScoped bool
	// decode converts a document to a typed object. add sets defaults and adds the object to the snapshot.
	decode func(d *document) (object, []error)
	add    func(w *translate.Snapshot, o object)
}

// kinds maps apiVersion and kind to the supported kinds.
var kinds = map[metav1.TypeMeta]kind{
	{APIVersion: "v1", Kind: model.KindService}: typed(func(w *translate.Snapshot, o *corev1.Service) {
		defaultService(o)
		w.Services = append(w.Services, o)
	}),
	{APIVersion: "v1", Kind: "Pod"}: typed(func(w *translate.Snapshot, o *pod) {
		w.Pods = append(w.Pods, &metav1.PartialObjectMetadata{TypeMeta: o.TypeMeta, ObjectMeta: o.ObjectMeta})
	}),
	{APIVersion: "v1", Kind: model.KindSecret}: typed(func(w *translate.Snapshot, o *corev1.Secret) {
		defaultSecret(o)
		w.Secrets = append(w.Secrets, o)
	}),
	{APIVersion: "discovery.k8s.io/v1", Kind: "EndpointSlice"}: typed(
		func(w *translate.Snapshot, o *discoveryv1.EndpointSlice) {
			defaultEndpointSlice(o)
			w.EndpointSlices = append(w.EndpointSlices, o)
		}),
	{APIVersion: "networking.k8s.io/v1", Kind: model.KindIngress}: typed(func(w *translate.Snapshot, o *networkingv1.Ingress) {
		w.Ingresses = append(w.Ingresses, o)
	}),
	{APIVersion: "networking.k8s.io/v1", Kind: "IngressClass"}: clusterScoped(typed(
		func(w *translate.Snapshot, o *networkingv1.IngressClass) {
			w.IngressClasses = append(w.IngressClasses, o)
		})),
	{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.Kind}: validated(typed(
		func(w *translate.Snapshot, o *v1alpha1.AffinityPolicy) {
			w.Policies = append(w.Policies, o)
		})),
}

// typed returns the kind for a Go type.
func typed[T any, P interface {
	*T
	object
}](add func(w *translate.Snapshot, o P),
) kind {
	return kind{
		decode: func(d *document) (object, []error) {
			o := P(new(T))
			return o, decodeStrict(d, o)
		},
		add: func(w *translate.Snapshot, o object) { add(w, o.(P)) },
	}
}

// clusterScoped marks a kind as not namespaced.
func clusterScoped(k kind) kind {
	k.clusterScoped = true
	return k
}

// validated adds validation against the CustomResourceDefinition to a kind.
func validated(k kind) kind {
	decode := k.decode
	k.decode = func(d *document) (object, []error) {
		admitted, errs := admit(d)
		if len(errs) > 0 {
			return nil, errs
		}
		return decode(admitted)
	}
	return k
}
