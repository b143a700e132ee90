package translate

import (
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/limpet-dev/limpet/pkg/model"
)

// legacyClassAnnotation names the class of an Ingress without spec.ingressClassName.
const legacyClassAnnotation = "kubernetes.io/ingress.class"

// A class of ingress-nginx has this name or this controller. The name counts for a class that was created again with Limpet's
// controller, because its Ingresses were written for ingress-nginx.
const (
	nginxClass      = "nginx"
	nginxController = "k8s.io/ingress-nginx"
)

// classes decides by its class whether Limpet serves an Ingress.
type classes struct {
	served []string
	// unclassed serves Ingresses without a class too.
	unclassed bool
	// nginx are the classes of ingress-nginx among those served, sorted. "" is for Ingresses without a class.
	nginx []string
}

func readClasses(objects []*networkingv1.IngressClass, o *Options) classes {
	c := classes{served: servedClasses(o), unclassed: o.TakeUnclassed && len(objects) == 0}
	isNginx := map[string]bool{nginxClass: true}
	for _, class := range objects {
		isNginx[class.Name] = class.Name == nginxClass || class.Spec.Controller == nginxController
		if class.Annotations[networkingv1.AnnotationIsDefaultIngressClass] == "true" && slices.Contains(c.served, class.Name) {
			c.unclassed = true
			isNginx[""] = isNginx[""] || isNginx[class.Name]
		}
	}
	if o.WithoutClasses {
		for _, name := range c.served {
			isNginx[name] = name != DefaultClass
		}
	}
	for name, is := range isNginx {
		if is && (name == "" || slices.Contains(c.served, name)) {
			c.nginx = append(c.nginx, name)
		}
	}
	slices.Sort(c.nginx)
	return c
}

// of reports whether Limpet serves an Ingress, and whether its class is one of ingress-nginx.
func (c *classes) of(ingress *networkingv1.Ingress) (isServed, isNginx bool) {
	class, named := classOf(ingress)
	if !named {
		class = ""
	}
	isServed = named && slices.Contains(c.served, class) || !named && c.unclassed
	return isServed, isServed && slices.Contains(c.nginx, class)
}

func (c *classes) equal(other *classes) bool {
	return slices.Equal(c.served, other.served) && c.unclassed == other.unclassed && slices.Equal(c.nginx, other.nginx)
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

// classOf returns the class that an Ingress names. named is false if it names no class.
func classOf(ingress *networkingv1.Ingress) (name string, named bool) {
	if ingress.Spec.IngressClassName != nil {
		return *ingress.Spec.IngressClassName, true
	}
	name, named = ingress.Annotations[legacyClassAnnotation]
	return name, named
}
