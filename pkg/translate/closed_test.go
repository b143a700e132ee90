package translate

import (
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestPatternPrefixes(t *testing.T) {
	for pattern, want := range map[string]string{
		"/admin(/|$)(.*)":    "/admin",
		"/admin/(.*)":        "/admin",
		"/admin/.*":          "/admin",
		"/admin/?(.*)":       "/admin /",
		"/admin.*":           "/admin /",
		"/a/adm[io]n":        "/a/adm /a",
		"/a/b$":              "/a/b",
		"/ab?/c":             "/a /",
		"^/admin":            "/ /",
		"/(a|b)/c":           "/",
		"/a|/b":              "/",
		"/a/(b|c)|/d":        "/",
		"/v1.0/users/[0-9]+": "/v1.0/users",
		`/a/b\.php`:          "/a/b /a",
	} {
		if got := strings.Join(patternPrefixes(pattern, strings.IndexAny(pattern, patternBytes)), " "); got != want {
			t.Errorf("%s: got %q, want %q", pattern, got, want)
		}
	}
}

// ingress-nginx treats these as patterns. As paths they are invalid, so no other route has the host.
func TestClosed_onlyPatternOfHost(t *testing.T) {
	for _, path := range []string{"^/admin", "/admin//(.*)"} {
		r := Build(&Snapshot{Ingresses: []*networkingv1.Ingress{closedIngress(path)}}, nil, Options{TakeUnclassed: true})
		if len(r.Model.Routes) == 0 {
			t.Errorf("%s: no closed route", path)
		}
		for _, route := range r.Model.Routes {
			if route.Closed == "" {
				t.Errorf("%s: the route %+v is open", path, route)
			}
		}
	}
}

// closedIngress returns an Ingress with protection that is not enforced.
func closedIngress(path string) *networkingv1.Ingress {
	kind := networkingv1.PathTypeImplementationSpecific
	ingress := &networkingv1.Ingress{ObjectMeta: metav1.ObjectMeta{
		Namespace: "shop", Name: "admin",
		Annotations: map[string]string{nginxPrefix + "enable-modsecurity": "true"},
	}}
	ingress.Spec.Rules = []networkingv1.IngressRule{{Host: "admin.example.com"}}
	ingress.Spec.Rules[0].HTTP = &networkingv1.HTTPIngressRuleValue{
		Paths: []networkingv1.HTTPIngressPath{{Path: path, PathType: &kind}},
	}
	return ingress
}
