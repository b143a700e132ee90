package translate

import (
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
)

// legacyClassAnnotation names the class of an Ingress without spec.ingressClassName.
const legacyClassAnnotation = "kubernetes.io/ingress.class"

// classFilter returns a function that reports whether Limpet serves an Ingress.
func classFilter(classes []*networkingv1.IngressClass, o *Options) func(*networkingv1.Ingress) bool {
	names, unclassed := classNames(o), takesUnclassed(classes, o)
	return func(ingress *networkingv1.Ingress) bool {
		class, named := classOf(ingress)
		return (named && slices.Contains(names, class)) || (!named && unclassed)
	}
}

func classNames(o *Options) []string {
	if len(o.Classes) == 0 {
		return []string{DefaultClass}
	}
	return o.Classes
}

// takesUnclassed reports whether Limpet serves Ingresses without a class.
func takesUnclassed(classes []*networkingv1.IngressClass, o *Options) bool {
	unclassed := o.TakeUnclassed && len(classes) == 0
	for _, class := range classes {
		isDefault := class.Annotations[networkingv1.AnnotationIsDefaultIngressClass] == "true"
		unclassed = unclassed || (isDefault && slices.Contains(classNames(o), class.Name))
	}
	return unclassed
}

// classOf returns the class that an Ingress names. named is false if it names no class.
func classOf(ingress *networkingv1.Ingress) (name string, named bool) {
	if ingress.Spec.IngressClassName != nil {
		return *ingress.Spec.IngressClassName, true
	}
	name, named = ingress.Annotations[legacyClassAnnotation]
	return name, named
}
