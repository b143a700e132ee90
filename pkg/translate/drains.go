package translate

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/limpet-dev/limpet/pkg/model"
)

// HasUnknownDrain reports whether the value of AnnotationDrain in these annotations of a pod is neither "true" nor "false".
// Such an annotation has no effect.
func HasUnknownDrain(annotations map[string]string) bool {
	value, set := annotations[AnnotationDrain]
	return set && value != "true" && value != "false"
}

// checkDrains reports pods with an unknown value of AnnotationDrain.
func (b *builder) checkDrains(w *Snapshot) {
	for _, pod := range w.Pods {
		b.checkDrain(pod)
	}
}

func (b *builder) checkDrain(pod *metav1.PartialObjectMetadata) {
	if !HasUnknownDrain(pod.Annotations) {
		return
	}
	ref := refOf(model.KindPod, pod)
	if b.reports[ref] == nil {
		b.reports.open(ref, 0)
	}
	b.reports.add(ref, ReasonInvalidAnnotation, annotationField(AnnotationDrain),
		`annotation %s has the value %s; it must be "true" to drain the pod, which gets new sessions until then`,
		AnnotationDrain, quote(pod.Annotations[AnnotationDrain]))
}
