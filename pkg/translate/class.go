package translate

import (
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
)

// legacyClassAnnotation named the class before spec.ingressClassName did, and is still honoured where that is not set.
const legacyClassAnnotation = "kubernetes.io/ingress.class"

// classFilter returns a function that reports whether an Ingress is ours to serve.
func classFilter(classes []*networkingv1.IngressClass, o *Options) func(*networkingv1.Ingress) bool {
	names := o.Classes
	if len(names) == 0 {
		names = []string{DefaultClass}
	}
	unclassed := o.TakeUnclassed && len(classes) == 0
	for _, class := range classes {
		isDefault := class.Annotations[networkingv1.AnnotationIsDefaultIngressClass] == "true"
		unclassed = unclassed || (isDefault && slices.Contains(names, class.Name))
	}
	return func(ingress *networkingv1.Ingress) bool {
		class, named := classOf(ingress)
		return (named && slices.Contains(names, class)) || (!named && unclassed)
	}
}

// classOf gives the class that an Ingress names, if it names one.
func classOf(ingress *networkingv1.Ingress) (name string, named bool) {
	if ingress.Spec.IngressClassName != nil {
		return *ingress.Spec.IngressClassName, true
	}
	name, named = ingress.Annotations[legacyClassAnnotation]
	return name, named
}
