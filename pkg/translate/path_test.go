package translate_test

import (
	"testing"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// FuzzRoutePath checks that a normalized request path can be equal to the path of each route.
func FuzzRoutePath(f *testing.F) {
	for _, path := range []string{
		"/", "/a/b/", "/%7euser", "/café", "/two words", "/a%2fb", "/a/./b", "/%2e%2e/", "/%", "/a//b", "/a;b", "/a;..",
		"/%2f%2e", "/a%5c..", `/a\b`, "/%00", "/a%0ab", "/...", "/.a",
	} {
		f.Add(path)
	}
	f.Fuzz(func(t *testing.T, path string) {
		for _, kind := range []networkingv1.PathType{"Exact", "Prefix", "ImplementationSpecific"} {
			got, ok := routePath(path, kind)
			if !ok {
				continue
			}
			request := http1.Request{Method: []byte("GET")}
			if err := request.SetTarget([]byte(got)); err != nil || request.HasQuery {
				t.Errorf("%s %q makes a route for %q, which no request can have: %v", kind, path, got, err)
			}
			normal, changed, err := http1.NormalizePath(nil, []byte(got))
			if err != nil || changed || string(normal) != got {
				t.Errorf("%s %q makes a route for %q, which the proxy normalises to %q, %v", kind, path, got, normal, err)
			}
			if again, ok := routePath(got, kind); !ok || again != got {
				t.Errorf("%s %q makes a route for %q, and that one for %q", kind, path, got, again)
			}
		}
	})
}

// routePath returns the path of the only route of an Ingress. It returns false if there is no route.
func routePath(path string, kind networkingv1.PathType) (string, bool) {
	ingress := &networkingv1.Ingress{}
	ingress.Spec.Rules = []networkingv1.IngressRule{{}}
	ingress.Spec.Rules[0].HTTP = &networkingv1.HTTPIngressRuleValue{
		Paths: []networkingv1.HTTPIngressPath{{Path: path, PathType: &kind}},
	}
	w := &translate.Snapshot{Ingresses: []*networkingv1.Ingress{ingress}}
	routes := translate.Build(w, nil, translate.Options{TakeUnclassed: true}).Model.Routes
	if len(routes) != 1 {
		return "", false
	}
	return routes[0].Path, true
}
