package translate

import (
	"fmt"
	"testing"
)

func TestVerdicts_ofValues(t *testing.T) {
	for _, c := range []struct {
		name, value, want string
	}{
		{"session-cookie-name", "route", "[{session-cookie-name exact  []}]"},
		{"affinity-mode", "persistent", "[{affinity-mode exact  []}]"},
		{"affinity-mode", "balanced", "[{affinity-mode differs sessions do not move when pods are added []}]"},
		{"session-cookie-hash", "md5", "[{session-cookie-hash replaced the cookie is an encrypted token []}]"},
		{"enable-modsecurity", "true", "[{enable-modsecurity closed  []}]"},
		{"enable-modsecurity", "false", "[{enable-modsecurity exact  []}]"},
		{"something-else", "1", "[{something-else no effect  []}]"},
		{"secure-verify-ca-secret", "ca", "[{secure-verify-ca-secret closed  [limpet.dev/backend-ca]}]"},
		{
			"configuration-snippet", "deny all; more_set_headers 'A: b'; proxy_set_header Host x; if ($x) {}",
			"[{configuration-snippet closed  [" + nginxPrefix + "custom-headers " + nginxPrefix + "denylist-source-range " +
				nginxPrefix + "upstream-vhost]}]",
		},
		{"configuration-snippet", "", "[{configuration-snippet exact  []}]"},
	} {
		if got := fmt.Sprint(Verdicts(ingressWith("nginx", c.name, c.value, "example.com/x", "1"))); got != c.want {
			t.Errorf("%s: %s: %s\nwant %s", c.name, c.value, got, c.want)
		}
	}
}

// An annotation that is honoured exactly is never named.
func TestVerdicts_exactByValue(t *testing.T) {
	for _, c := range []struct {
		want        string
		annotations []string // the first is judged
	}{
		{VerdictExact, []string{"permanent-redirect", "https://new.example.com/$request_uri"}},
		{VerdictDiffers, []string{"permanent-redirect", "https://new.example.com/$uri"}},
		{VerdictDiffers, []string{"temporal-redirect", "https://$hostname/"}},
		{VerdictExact, []string{"server-alias", "a.example.com, *.b.example.com"}},
		{VerdictDiffers, []string{"server-alias", `~^www\d+\.example\.com$`}},
		{VerdictExact, []string{"proxy-redirect-from", "http://old/"}},
		{VerdictExact, []string{"proxy-redirect-to", "$scheme://$http_host/$1"}},
		{VerdictDiffers, []string{"proxy-redirect-to", "$proxy_host"}},
		{VerdictExact, []string{"proxy-redirect-from", `~*^http://([^:]+):\d+/`}},
		{VerdictDiffers, []string{"proxy-redirect-from", `~^http://\h+/`}},
		{VerdictExact, []string{"proxy-cookie-path", "/a /b"}},
		{VerdictExact, []string{"proxy-cookie-path", "~/a(.*) /b$1"}},
		{VerdictDiffers, []string{"proxy-cookie-domain", "~(?=x) y"}},
		{VerdictExact, []string{"auth-tls-match-cn", "CN=[a-z]+"}},
		{VerdictDiffers, []string{"auth-tls-match-cn", "CN=[[:^ascii:]é]+"}},
		{VerdictExact, []string{"auth-tls-error-page", "https://example.com/denied"}},
		{VerdictDiffers, []string{"auth-tls-error-page", "/denied"}},
		{VerdictExact, []string{"auth-realm", "Staff"}},
		{VerdictDiffers, []string{"auth-realm", `Staff "A"`}},
		{VerdictExact, []string{"auth-cache-key", "$remote_addr$http_authorization"}},
		{VerdictDiffers, []string{"auth-cache-key", "$http_authorization"}},
		{VerdictExact, []string{"proxy-ssl-verify", "on", "proxy-ssl-secret", "shop/ca", "proxy-ssl-name", "a"}},
		{VerdictDiffers, []string{"proxy-ssl-verify", "on", "proxy-ssl-secret", "shop/ca"}},
		{VerdictExact, []string{"proxy-ssl-protocols", "TLSv1.3 TLSv1.2"}},
		{VerdictExact, []string{"proxy-ssl-protocols", "TLSv1.3"}},
		{VerdictDiffers, []string{"proxy-ssl-protocols", "TLSv1.2"}},
		{VerdictDiffers, []string{"proxy-ssl-protocols", "TLSv1 TLSv1.1 TLSv1.2 TLSv1.3"}},
		{VerdictExact, []string{"upstream-vhost", "$service_name.$namespace.svc"}},
		{VerdictDiffers, []string{"upstream-vhost", "$proxy_host"}},
		{VerdictExact, []string{"x-forwarded-prefix", "/app", "rewrite-target", "/$1"}},
		{VerdictDiffers, []string{"x-forwarded-prefix", "/app"}},
		{VerdictExact, []string{"cors-allow-origin", "*"}},
		{VerdictDiffers, []string{"cors-allow-origin", "https://a.example.com"}},
		{VerdictExact, []string{"proxy-next-upstream-tries", "10"}},
		{VerdictDiffers, []string{"proxy-next-upstream-tries", "0"}},
		{VerdictExact, []string{"use-regex", "true"}},
		{VerdictExact, []string{"enable-opentracing", "false"}},
		{VerdictIgnored, []string{"enable-opentracing", "true"}},
		{VerdictExact, []string{"rewrite-target", "/fixed"}},
		{VerdictDiffers, []string{"rewrite-target", "/$1"}},
	} {
		name := c.annotations[0]
		for _, v := range Verdicts(ingressWith("nginx", c.annotations...)) {
			if v.Annotation == name && v.Verdict != c.want {
				t.Errorf("%v: got %s, want %s", c.annotations, v.Verdict, c.want)
			}
		}
	}
	in := ingressWith("nginx", "use-regex", "true", "rewrite-target", "/fixed")
	in.Spec.Rules[0].HTTP.Paths[0].Path = `/\p{Greek}`
	for _, v := range Verdicts(in) {
		if v.Verdict != VerdictDiffers {
			t.Errorf("%s with a path that PCRE may read differently: %s", v.Annotation, v.Verdict)
		}
	}
}

func TestVerdicts_waived(t *testing.T) {
	in := ingressWith("nginx", "enable-modsecurity", "true", AnnotationUnenforced, "auth-url, enable-modsecurity")
	if got := Verdicts(in); len(got) != 1 || got[0].Verdict != VerdictIgnored {
		t.Errorf("%+v", got)
	}
}

// Every equivalent of a directive is an annotation that exists.
func TestSnippetEquivalents_exist(t *testing.T) {
	for directive, name := range directiveAnnotations {
		if nginxByName[name] == nil {
			t.Errorf("%s: there is no annotation %s", directive, name)
		}
	}
}
