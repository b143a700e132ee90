package translate

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// KindNamespace is the kind of a namespace in a Change.
const KindNamespace = "Namespace"

// namespaces is a set of names of namespaces.
type namespaces map[string]struct{}

// terminatingNamespaces returns the namespaces that are being deleted.
func terminatingNamespaces(all []*metav1.PartialObjectMetadata) namespaces {
	out := namespaces{}
	for _, n := range all {
		out.put(n.Name, n)
	}
	return out
}

func (n namespaces) has(name string) bool {
	_, has := n[name]
	return has
}

// put takes over the new state of a namespace, nil if it does not exist.
func (n namespaces) put(name string, object *metav1.PartialObjectMetadata) {
	if object != nil && object.DeletionTimestamp != nil {
		n[name] = struct{}{}
		return
	}
	delete(n, name)
}

// changeNamespace describes the Ingresses of a namespace again if it begins or stops being deleted.
func (e *Engine) changeNamespace(name string, object *metav1.PartialObjectMetadata) {
	before := e.terminating.has(name)
	e.terminating.put(name, object)
	if e.terminating.has(name) == before {
		return
	}
	for key, n := range e.nodes {
		if key.Namespace == name {
			e.setObject(n, n.object)
		}
	}
}
