package translate

import (
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/limpet-dev/limpet/pkg/model"
)

// legacyClassAnnotation names the class of an Ingress without spec.ingressClassName.
const legacyClassAnnotation = "kubernetes.io/ingress.class"

// classFilter returns a function that reports whether Limpet serves an Ingress.
func classFilter(classes []*networkingv1.IngressClass, o *Options) func(*networkingv1.Ingress) bool {
	names, unclassed := servedClasses(o), takesUnclassed(classes, o)
	return func(ingress *networkingv1.Ingress) bool {
		class, named := classOf(ingress)
		return (named && slices.Contains(names, class)) || (!named && unclassed)
	}
}

// servedClasses returns the names of the classes that Limpet serves.
func servedClasses(o *Options) []string {
	if len(o.Classes) == 0 {
		return []string{DefaultClass}
	}
	return o.Classes
}

// unservedReport reports that Limpet does not serve an Ingress because of its class.
func unservedReport(ingress *networkingv1.Ingress, o *Options) Report {
	const field = "spec.ingressClassName"
	serves := strings.Join(servedClasses(o), ", ")
	class, named := classOf(ingress)
	p := problemOf(ReasonOtherClass, field, "the Ingress names no class, and no class that Limpet serves (%s) is the default of "+
		"the cluster: it gets no routes", serves)
	if named {
		p = problemOf(ReasonOtherClass, field, "the class is %s, and Limpet serves %s: the Ingress gets no routes. "+
			"--ingress-class %s would serve it", quote(class), serves, class)
	}
	return Report{Ref: refOf(model.KindIngress, ingress), Generation: ingress.Generation, Problems: []Problem{p}}
}

// takesUnclassed reports whether Limpet serves Ingresses without a class.
func takesUnclassed(classes []*networkingv1.IngressClass, o *Options) bool {
	unclassed := o.TakeUnclassed && len(classes) == 0
	for _, class := range classes {
		isDefault := class.Annotations[networkingv1.AnnotationIsDefaultIngressClass] == "true"
		unclassed = unclassed || (isDefault && slices.Contains(servedClasses(o), class.Name))
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
