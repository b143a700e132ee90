package translate

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/pkg/model"
)

// AnnotationDrain on a pod, with the value "true", drains it: it keeps its sessions and gets no new ones.
const AnnotationDrain = annotationPrefix + "drain"

// MaxPodValue is the maximum length in bytes of a label or annotation that names a pod. A longer value is treated as
// missing, so that caches of pods need not keep it.
const MaxPodValue = 256

// Pods returns the metadata of a pod, nil if the pod is unknown. Callers must not modify it.
type Pods func(namespace, name string) *metav1.PartialObjectMetadata

// PodsOf returns a lookup of the pods of a Snapshot.
func PodsOf(w *Snapshot) Pods {
	pods := index(w.Pods)
	return func(namespace, name string) *metav1.PartialObjectMetadata {
		return pods[types.NamespacedName{Namespace: namespace, Name: name}]
	}
}

// addPod adds the drain state and the names of its pod to an endpoint. A pod with another UID is ignored: it was created
// before or after the pod of the endpoint. Pods of manifests may have no UID.
func addPod(e *model.Endpoint, pod *metav1.PartialObjectMetadata, uid types.UID, names []model.Identity) {
	if pod == nil || (pod.UID != "" && uid != "" && pod.UID != uid) {
		return
	}
	if pod.Annotations[AnnotationDrain] == "true" && e.State == model.EndpointReady {
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
