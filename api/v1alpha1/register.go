package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion is the API group and version of this package: limpet.dev/v1alpha1.
var GroupVersion = schema.GroupVersion{Group: "limpet.dev", Version: "v1alpha1"}

// Kind is the kind of AffinityPolicy objects.
const Kind = "AffinityPolicy"

var schemeBuilder = runtime.NewSchemeBuilder(addKnownTypes)

// AddToScheme registers the types of this package with a scheme.
var AddToScheme = schemeBuilder.AddToScheme

func addKnownTypes(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion, &AffinityPolicy{}, &AffinityPolicyList{})
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}
