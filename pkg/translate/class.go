package translate

import (
	"slices"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/limpet-dev/limpet/pkg/model"
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

// foreign gives the Ingresses that are for others to serve, and the Services that only those name: what becomes of a
// policy there is for others to tell.
func foreign(all, ours []*networkingv1.Ingress) map[model.Ref]bool {
	out := map[model.Ref]bool{}
	for _, ingress := range all {
		out[refOf("Ingress", ingress)] = true
		eachService(ingress, func(service model.Ref) { out[service] = true })
	}
	for _, ingress := range ours {
		delete(out, refOf("Ingress", ingress))
		eachService(ingress, func(service model.Ref) { delete(out, service) })
	}
	return out
}

func eachService(ingress *networkingv1.Ingress, f func(model.Ref)) {
	name := func(backend *networkingv1.IngressBackend) {
		if backend != nil && backend.Service != nil {
			f(model.Ref{Kind: "Service", Namespace: ingress.Namespace, Name: backend.Service.Name})
		}
	}
	name(ingress.Spec.DefaultBackend)
	for _, rule := range ingress.Spec.Rules {
		if rule.HTTP == nil {
			continue
		}
		for i := range rule.HTTP.Paths {
			name(&rule.HTTP.Paths[i].Backend)
		}
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
