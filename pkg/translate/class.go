package translate

import (
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
)

// legacyClassAnnotation named the class before spec.ingressClassName did, and is still honoured where that is not set.
const legacyClassAnnotation = "kubernetes.io/ingress.class"

// ours picks the Ingresses that are for us to serve, and opens a Report for each.
func (b *builder) ours(all []*networkingv1.Ingress, classes []*networkingv1.IngressClass) []*networkingv1.Ingress {
	names := b.options.Classes
	if len(names) == 0 {
		names = []string{DefaultClass}
	}
	unclassed := b.options.TakeUnclassed && len(classes) == 0
	for _, class := range classes {
		isDefault := class.Annotations[networkingv1.AnnotationIsDefaultIngressClass] == "true"
		unclassed = unclassed || (isDefault && slices.Contains(names, class.Name))
	}
	var out []*networkingv1.Ingress
	for _, ingress := range all {
		class, named := classOf(ingress)
		if (named && slices.Contains(names, class)) || (!named && unclassed) {
			out = append(out, ingress)
			b.reports.open(refOf("Ingress", ingress), ingress.Generation)
		}
	}
	return out
}

// classOf gives the class that an Ingress names, if it names one.
func classOf(ingress *networkingv1.Ingress) (name string, named bool) {
	if ingress.Spec.IngressClassName != nil {
		return *ingress.Spec.IngressClassName, true
	}
	name, named = ingress.Annotations[legacyClassAnnotation]
	return name, named
}
