// Package v1alpha1 contains the AffinityPolicy API. An AffinityPolicy defines how Limpet recognizes the clients of
// a Service or an Ingress, and how it returns each client to its own pod.
//
// The package defines the types, their defaults and the CEL rules between fields. The API server evaluates these
// rules, and so does `limpet dev`. It also defines the condition types and reasons. It does not interpret a policy:
// pkg/translate compiles it into routes, and controllers writes its status.
//
// Field names follow sessionPersistence of Gateway API v1.7 where it has them: cookie.name, cookie.path,
// cookie.lifetimeType, header.name, absoluteTimeout.
//
// +kubebuilder:object:generate=true
// +groupName=limpet.dev
package v1alpha1
