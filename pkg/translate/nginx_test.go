package translate

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/limpet-dev/limpet/pkg/model"
)

// ingressWith returns an Ingress that routes shop.example.com. Keys without a prefix are annotations of ingress-nginx.
func ingressWith(class string, annotations ...string) *networkingv1.Ingress {
	set := map[string]string{}
	for i := 0; i < len(annotations); i += 2 {
		key := annotations[i]
		if !strings.Contains(key, "/") {
			key = nginxPrefix + key
		}
		set[key] = annotations[i+1]
	}
	kind := networkingv1.PathTypePrefix
	return &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "cart", Annotations: set},
		Spec: networkingv1.IngressSpec{
			IngressClassName: &class,
			Rules: []networkingv1.IngressRule{{Host: "shop.example.com", IngressRuleValue: networkingv1.IngressRuleValue{
				HTTP: &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{{Path: "/", PathType: &kind}}},
			}}},
		},
	}
}

// routeWith builds that Ingress alone, and returns its route and the reasons of its problems with annotations.
func routeWith(o Options, annotations ...string) (route model.Route, reasons []string) {
	class := DefaultClass
	if len(o.Classes) > 0 {
		class = o.Classes[0]
	}
	r := Build(&Snapshot{Ingresses: []*networkingv1.Ingress{ingressWith(class, annotations...)}}, nil, o)
	for _, p := range r.Reports[0].Problems {
		if strings.HasPrefix(p.Field, "metadata.annotations") {
			reasons = append(reasons, p.Reason)
		}
	}
	return r.Model.Routes[0], reasons
}

// Annotations without an effect, and values that ingress-nginx would refuse, are named.
func TestNginx_namedProblems(t *testing.T) {
	for _, c := range []struct {
		want        string
		annotations []string
	}{
		{ReasonNoEffect, []string{"cors-allow-origin", "https://a.example.com"}},
		{ReasonNoEffect, []string{"enable-cors", "false", "cors-max-age", "5"}},
		{ReasonNoEffect, []string{"limit-burst-multiplier", "3"}},
		{ReasonNoEffect, []string{"limit-whitelist", "10.0.0.0/8"}},
		{ReasonNoEffect, []string{"limit-rate-after", "3"}},
		{ReasonNoEffect, []string{"proxy-redirect-from", "http://old/"}},
		{ReasonNoEffect, []string{"permanent-redirect", ""}},
		{ReasonInvalidAnnotation, []string{"upstream-hash-by", "$request_uri; return 200"}},
		{ReasonInvalidAnnotation, []string{"upstream-hash-by", "$request_uri{"}},
		{ReasonInvalidAnnotation, []string{"rewrite-target", "http://other.example.com/%zz"}},
		{ReasonInvalidAnnotation, []string{"server-alias", strings.Repeat("a.example.com,", 3000)}},
		{ReasonInvalidAnnotation, []string{"permanent-redirect", "https://$hostname/"}},
		{ReasonInvalidAnnotation, []string{"permanent-redirect", "https://$arg_to/"}},
		{ReasonInvalidAnnotation, []string{"permanent-redirect", "https://a.example.com$uri"}},
		{ReasonInvalidAnnotation, []string{"proxy-cookie-path", "~^/(?=a) /b"}},
		{ReasonInvalidAnnotation, []string{"proxy-cookie-path", "~^/(a) /b$proxy_host"}},
		{ReasonInvalidAnnotation, []string{"proxy-cookie-path", "/a /b$1"}},
		{"", []string{"upstream-hash-by", "$request_uri-${http_x}|a"}},
		{"", []string{"permanent-redirect", "https://$host$request_uri"}},
		{"", []string{"permanent-redirect", "https://a.example.com/?from=$arg_from"}},
		{"", []string{"proxy-cookie-path", "~*^/(a) /b$1"}},
		{"", []string{"rewrite-target", "/%zz"}},
		{"", []string{"enable-opentelemetry", "false"}},
		{ReasonUnsupportedAnnotation, []string{"enable-opentelemetry", "true"}},
		{"", []string{"use-port-in-redirects", "false"}},
		{"", []string{"use-regex", ""}},
		{ReasonInvalidAnnotation, []string{"auth-tls-secret", "shop/ca", "auth-tls-pass-certificate-to-upstream", "yes"}},
		{"", []string{"enable-cors", "true", "cors-max-age", "5"}},
	} {
		_, reasons := routeWith(Options{}, c.annotations...)
		reasons = slices.DeleteFunc(reasons, func(r string) bool { return r == ReasonSecretNotFound })
		if got := strings.Join(reasons, " "); got != c.want {
			t.Errorf("%.80q: got %q, want %q", c.annotations, got, c.want)
		}
	}
}

func TestVerdicts_byValue(t *testing.T) {
	const closed, ignored, silent = "closed", "ignored", "silent"
	for _, c := range []struct {
		want        string
		annotations []string
	}{
		{silent, []string{"auth-url", "http://auth.example.com"}},
		{closed, []string{"auth-url", "auth.example.com"}},
		{closed, []string{"auth-url", "http://auth.example.com", "auth-snippet", "proxy_set_header X 1;"}},
		{silent, []string{"auth-url", ""}},
		{silent, []string{"auth-url", " \n"}},
		{closed, []string{"auth-type", "basic"}},
		{closed, []string{"auth-type", "kerberos"}},
		{silent, []string{"auth-type", ""}},
		{closed, []string{"auth-secret", "users"}},
		{closed, []string{"auth-type", "", "auth-secret", "users"}},
		{closed, []string{"auth-realm", "staff"}},
		{closed, []string{"auth-signin", "https://login.example.com"}},
		{closed, []string{"auth-response-headers", "X-User"}},
		{ignored, []string{"auth-tls-secret", "shop/ca"}},
		{closed, []string{"auth-tls-secret", "ca"}},
		{closed, []string{"auth-tls-secret", "blog/ca"}},
		{closed, []string{"auth-tls-secret", "shop/ca", "auth-tls-match-cn", "staff"}},
		{closed, []string{"auth-tls-secret", "shop/ca", "auth-tls-match-cn", "CN=(?=x)"}},
		{ignored, []string{"auth-tls-secret", "shop/ca", "auth-tls-verify-client", "OFF"}},
		{closed, []string{"auth-tls-secret", "shop/ca", "auth-tls-verify-client", "off", "auth-tls-match-cn", "CN=x"}},
		{silent, []string{"auth-tls-secret", "shop/ca", "auth-tls-verify-client", " off\n"}},
		{silent, []string{"auth-tls-verify-client", "off"}},
		{closed, []string{"auth-tls-verify-client", "on"}},
		{closed, []string{"auth-tls-match-cn", "CN=staff"}},
		{closed, []string{"auth-tls-verify-depth", "1"}},
		{silent, []string{"auth-tls-verify-depth", "1", "auth-tls-verify-client", "off"}},
		{silent, []string{"whitelist-source-range", "10.0.0.0/8"}},
		{silent, []string{"whitelist-source-range", "0.0.0.0/0"}},
		{silent, []string{"whitelist-source-range", "::/0"}},
		{closed, []string{"whitelist-source-range", "0.0.0.0/0,::/0,office"}},
		{closed, []string{"whitelist-source-range", "0.0.0.0/0;::/0"}},
		{closed, []string{"whitelist-source-range", "::ffff:0.0.0.0/0"}},
		{closed, []string{"whitelist-source-range", ""}},
		{silent, []string{"whitelist-source-range", "0.0.0.0/0,::/0"}},
		{silent, []string{"whitelist-source-range", " ::/0 , 10.0.0.1, 0.0.0.0/0 "}},
		{ignored, []string{"whitelist-source-range", "0.0.0.0/0,::/0", "allowlist-source-range", "10.0.0.0/8"}},
		{silent, []string{"allowlist-source-range", "10.0.0.0/8"}},
		{silent, []string{"denylist-source-range", "192.0.2.0/24"}},
		{closed, []string{"denylist-source-range", ""}},
		{silent, []string{"satisfy", "any"}},
		{ignored, []string{"satisfy", "both"}},
		{silent, []string{"satisfy", "all"}},
		{silent, []string{"satisfy", " ALL "}},
		{silent, []string{"satisfy", ""}},
		{closed, []string{"enable-global-auth", "true"}},
		{closed, []string{"enable-global-auth", "no"}},
		{silent, []string{"enable-global-auth", "false"}},
		{closed, []string{"enable-modsecurity", "true"}},
		{silent, []string{"enable-modsecurity", "false"}},
		{closed, []string{"modsecurity-snippet", "SecRuleEngine On"}},
		{closed, []string{"proxy-ssl-verify", "on"}},
		{silent, []string{"proxy-ssl-verify", "off"}},
		{closed, []string{"configuration-snippet", "deny all;"}},
		{closed, []string{"server-snippet", "location /admin { return 403; }"}},
		{closed, []string{"stream-snippet", "deny all;"}},
		{closed, []string{"auth-snippet", "proxy_set_header X-Key secret;"}},
		{ignored, []string{"configuration-snippet", "add_header X-Frame-Options DENY;"}},
		{silent, []string{"configuration-snippet", " \n# deny all;\n"}},
		{ignored, []string{"configuration-snippet", "proxy_set_header X-Forwarded-Proto https;"}},
		{ignored, []string{"configuration-snippet", `proxy_set_header Connection "";`}},
		{closed, []string{"configuration-snippet", `proxy_set_header X-Remote-User "";`}},
		{closed, []string{"configuration-snippet", `grpc_set_header "X-Forwarded-User" $ssl_client_s_dn;`}},
		{closed, []string{"configuration-snippet", `"proxy_set_header"` + "\n'X-User' '';"}},
		{ignored, []string{"global-rate-limit", "5"}},
		{silent, []string{"ssl-redirect", "true"}},
		{silent, []string{"force-ssl-redirect", "true"}},
		{silent, []string{"proxy-body-size", "8m"}},
		{silent, []string{"backend-protocol", "HTTP"}},

		// Unknown ones.
		{closed, []string{"auth_url", "http://auth.example.com"}},
		{closed, []string{"Auth-URL", "http://auth.example.com"}},
		{closed, []string{"authurl", "http://auth.example.com"}},
		{closed, []string{"white-list-source-range", "10.0.0.0/8"}},
		{closed, []string{"blacklist-source-range", "10.0.0.0/8"}},
		{closed, []string{"whitelist", "10.0.0.0/8"}},
		{closed, []string{"jwt-key", "keys"}},
		{ignored, []string{"proxy-body-sizes", "8m"}},
		{ignored, []string{"limit-whitelists", "10.0.0.0/8"}},
		{ignored, []string{"something-else", "1"}},
		{closed, []string{"limpet.dev/client-CA", "partners"}},
		{closed, []string{"limpet.dev/client_ca", "partners"}},
		{closed, []string{"limpet.dev/client-certificates", "Required"}},
		{closed, []string{"limpet.dev/backend-cas", "pods"}},
		{silent, []string{"limpet.dev/auth-url", "http://auth.example.com"}},
		{closed, []string{"limpet.dev/auth-ur1", "http://auth.example.com"}},
		{closed, []string{"limpet.dev/allow-list", "10.0.0.0/8"}},
		{closed, []string{"limpet.dev/mtls", "true"}},
		{closed, []string{"client-ca", "partners"}},
		{closed, []string{"source-range", "10.0.0.0/8"}},
		{closed, []string{"block-cidrs", "10.0.0.0/8"}},
		{closed, []string{"ngnix.ingress.kubernetes.io/auth-url", "http://auth.example.com"}},
		{closed, []string{"Nginx.ingress.kubernetes.io/Auth-URL", "http://auth.example.com"}},
		{closed, []string{"limpit.dev/client-ca", "partners"}},
		{ignored, []string{"ngnix.ingress.kubernetes.io/affinity", "cookie"}},
		{ignored, []string{"limpet.dev/afinity", "cookie"}},
		{ignored, []string{"limpet.dev/foo", "1"}},
		{ignored, []string{"haproxy.org/allow-list", "10.0.0.0/8"}},
		{silent, []string{"haproxy.org/timeout-server", "5s"}},
		{silent, []string{"example.com/auth-url", "1"}},
	} {
		route, reasons := routeWith(Options{}, c.annotations...)
		got := silent
		if len(reasons) > 0 {
			got = ignored
		}
		if route.Closed != "" {
			got = closed
		}
		if got != c.want || (got == closed) != strings.Contains(fmt.Sprint(reasons), ReasonProtectionNotEnforced) {
			t.Errorf("%q: %s, want %s; problems %v", c.annotations, got, c.want, reasons)
		}
	}
}

// values are values of annotations that restrict access.
var values = []string{"on", "true", "any", "basic", "10.0.0.0/8", "deny all;"}

func TestVerdicts_everyProtectiveKeyCloses(t *testing.T) {
	protective := 0
	for _, a := range NginxAnnotations() {
		if !a.Protective || a.Handling != Refused {
			continue
		}
		protective++
		for _, o := range []Options{{}, {Classes: []string{"nginx"}}} {
			for _, value := range values {
				if route, reasons := routeWith(o, a.Name, value); route.Closed == "" || fmt.Sprint(reasons) != "["+ReasonProtectionNotEnforced+"]" {
					t.Errorf("%s: %s: closed %q, problems %v", a.Name, value, route.Closed, reasons)
				}
			}
		}
		for _, name := range []string{a.Name, " " + nginxPrefix + a.Name + " "} {
			if route, reasons := routeWith(Options{}, a.Name, "on", AnnotationUnenforced, name); route.Closed != "" || fmt.Sprint(reasons) != "["+ReasonUnsupportedAnnotation+"]" {
				t.Errorf("%s waived as %q: closed %q, problems %v", a.Name, name, route.Closed, reasons)
			}
		}
		if route, reasons := routeWith(Options{ServeUnprotected: true}, a.Name, "on"); route.Closed != "" || len(reasons) != 1 {
			t.Errorf("%s with ServeUnprotected: closed %q, problems %v", a.Name, route.Closed, reasons)
		}
	}
	if protective < 5 {
		t.Errorf("%d annotations are protective", protective)
	}
}

func TestVerdicts_tooManyUnknown(t *testing.T) {
	var many []string
	for i := range maxSpellings + 1 {
		many = append(many, fmt.Sprintf("x%d", i), "1")
	}
	if route, _ := routeWith(Options{}, many[2:]...); route.Closed != "" {
		t.Errorf("%d unknown annotations: closed, %s", maxSpellings, route.Closed)
	}
	if route, _ := routeWith(Options{}, many...); route.Closed == "" {
		t.Errorf("%d unknown annotations: open", maxSpellings+1)
	}
}

func TestVerdicts_namesAreUnique(t *testing.T) {
	if len(nginxByName) != len(nginxVerdicts) {
		t.Errorf("%d verdicts have %d names", len(nginxVerdicts), len(nginxByName))
	}
	for _, v := range nginxVerdicts {
		if (v.effect == nil) != (v.when == "") {
			t.Errorf("%s: when is %q", v.name, v.when)
		}
	}
}
