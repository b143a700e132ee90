package manifest

import (
	"encoding/json"
	"fmt"
	"strings"

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
	// decode converts a document to a typed object. It also returns the unknown fields, and the errors that make the object invalid.
	decode func(d *document) (o object, unknown, invalid []error)
	// add adds the object to the snapshot.
	add func(w *translate.Snapshot, o object)
}

const kindIngressClass = "IngressClass"

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
	{APIVersion: "v1", Kind: model.KindConfigMap}: typed(func(w *translate.Snapshot, o *corev1.ConfigMap) {
		w.ConfigMaps = append(w.ConfigMaps, o)
	}),
	{APIVersion: "discovery.k8s.io/v1", Kind: "EndpointSlice"}: typed(
		func(w *translate.Snapshot, o *discoveryv1.EndpointSlice) {
			defaultEndpointSlice(o)
			w.EndpointSlices = append(w.EndpointSlices, o)
		}),
	{APIVersion: "networking.k8s.io/v1", Kind: model.KindIngress}: typed(func(w *translate.Snapshot, o *networkingv1.Ingress) {
		w.Ingresses = append(w.Ingresses, o)
	}),
	{APIVersion: "networking.k8s.io/v1", Kind: kindIngressClass}: clusterScoped(typed(
		func(w *translate.Snapshot, o *networkingv1.IngressClass) {
			w.IngressClasses = append(w.IngressClasses, o)
		})),
	{APIVersion: v1alpha1.GroupVersion.String(), Kind: v1alpha1.Kind}: validated(typed(
		func(w *translate.Snapshot, o *v1alpha1.AffinityPolicy) {
			w.Policies = append(w.Policies, o)
		})),
}

// isOurs reports whether an object of an unknown apiVersion and kind is an old, new or misspelled version of one that is read.
func isOurs(meta metav1.TypeMeta) bool {
	group := groupOf(meta)
	if group == v1alpha1.GroupVersion.Group {
		return true
	}
	for known := range kinds {
		isFormer := group == "extensions" && known.Kind == model.KindIngress
		if strings.EqualFold(known.Kind, meta.Kind) && (group == groupOf(known) || isFormer) {
			return true
		}
	}
	return false
}

// groupOf returns the API group, which is empty for the core group.
func groupOf(meta metav1.TypeMeta) string {
	group, _, found := strings.Cut(meta.APIVersion, "/")
	if !found {
		return ""
	}
	return group
}

// supportedVersion describes the apiVersion and kind to use instead.
func supportedVersion(kind string) string {
	for known := range kinds {
		if strings.EqualFold(known.Kind, kind) {
			return "it must be " + known.APIVersion + " " + known.Kind
		}
	}
	return "it must be " + v1alpha1.GroupVersion.String() + " " + v1alpha1.Kind
}

func notSupported(meta metav1.TypeMeta) string {
	return fmt.Sprintf("kind %s %s is not supported", meta.APIVersion, meta.Kind)
}

// isList reports whether an object is a v1 List, or the list of a kind that is read, such as an IngressList.
func isList(meta metav1.TypeMeta) bool {
	if meta.APIVersion == "v1" && meta.Kind == "List" {
		return true
	}
	item := itemMeta(meta)
	_, known := kinds[item]
	return item.Kind != "" && (known || isOurs(item))
}

// itemMeta returns the apiVersion and kind of the items of a list whose items do not say. It is zero for a v1 List.
func itemMeta(list metav1.TypeMeta) metav1.TypeMeta {
	kind, found := strings.CutSuffix(list.Kind, "List")
	if !found || kind == "" {
		return metav1.TypeMeta{}
	}
	return metav1.TypeMeta{APIVersion: list.APIVersion, Kind: kind}
}

// typed returns the kind for a Go type.
func typed[T any, P interface {
	*T
	object
}](add func(w *translate.Snapshot, o P),
) kind {
	return kind{
		decode: func(d *document) (object, []error, []error) {
			o := P(new(T))
			unknown, invalid := decodeStrict(d, o)
			return o, unknown, invalid
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
	k.decode = func(d *document) (object, []error, []error) {
		admitted, errs := admit(d)
		if len(errs) > 0 {
			return nil, nil, errs
		}
		return decode(admitted)
	}
	return k
}
