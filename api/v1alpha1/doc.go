// Package v1alpha1 is AffinityPolicy: how the clients of a Service or an Ingress are recognised, and how they are
// brought back to their own pod.
//
// It decides the shape of the object: types, defaults, and which values go together (CEL rules that the API server
// runs, and `limpet dev` as well). It also names the conditions and their reasons. What a policy means for routes is
// decided in pkg/translate, and by whom its status is written in controllers.
//
// Field names follow sessionPersistence of Gateway API v1.7 where it has them: cookie.name, cookie.path,
// cookie.lifetimeType, header.name, absoluteTimeout.
//
// +kubebuilder:object:generate=true
// +groupName=limpet.dev
package v1alpha1
