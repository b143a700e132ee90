package translate

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/pkg/model"
)

// AnnotationDrain on a pod, with the value "true", drains it: it keeps its sessions and gets no new ones.
const AnnotationDrain = annotationPrefix + "drain"

// MaxPodValue is the length in bytes of the longest annotation by which a pod can be named. A longer one counts as not
// there, so that whoever keeps pods in memory need not keep it.
const MaxPodValue = 256

// Pods gives what is known of a pod, nil for nothing. What it gives is only read.
type Pods func(namespace, name string) *metav1.PartialObjectMetadata

// PodsOf gives the pods that a Snapshot holds.
func PodsOf(w *Snapshot) Pods {
	pods := index(w.Pods)
	return func(namespace, name string) *metav1.PartialObjectMetadata {
		return pods[types.NamespacedName{Namespace: namespace, Name: name}]
	}
}

// addPod adds to an endpoint what its pod says. A pod of another UID is not the one: it has the name of one that is
// gone, or has come since. Manifests need not give their pods a UID.
func addPod(e *model.Endpoint, pod *metav1.PartialObjectMetadata, uid types.UID, names []model.Identity) {
	if pod == nil || (pod.UID != "" && uid != "" && pod.UID != uid) {
		return
	}
	if pod.Annotations[AnnotationDrain] == "true" {
		e.State = model.EndpointDraining
	}
	for _, name := range names {
		value := name.Of(pod.Labels, pod.Annotations)
		if value == "" || len(value) > MaxPodValue {
			continue
		}
		if e.Names == nil {
			e.Names = map[model.Identity]string{}
		}
		e.Names[name] = value
	}
}
