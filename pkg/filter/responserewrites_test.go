package filter

import (
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// rewritten returns the value of a field after the filter.
func rewritten(t *testing.T, m *model.ResponseRewrites, r *Request, name, value string) string {
	t.Helper()
	var head http1.Response
	head.Add([]byte(name), []byte(value))
	NewResponseRewrites(m).(PodResponseFilter).FilterPodResponse(r, &head)
	return valueOf(t, &head, name)
}

func TestResponseRewrites_redirects(t *testing.T) {
	m := &model.ResponseRewrites{Redirect: &model.Replacement{From: "http://old/", To: "$scheme://$http_host/x/"}}
	for _, c := range [][3]string{
		{"Location", "http://old/a?b", "https://shop.example:8443/x/a?b"},
		{"Location", "http://old/", "https://shop.example:8443/x/"},
		{"Location", "http://older/a", "http://older/a"},
		{"Location", "HTTP://old/a", "HTTP://old/a"},
		{"Location", "/http://old/", "/http://old/"},
		{"Location", "", ""},
		{"Refresh", "5; url=http://old/a", "5; url=https://shop.example:8443/x/a"},
		{"refresh", "5;URL=http://old/", "5;URL=https://shop.example:8443/x/"},
		{"Refresh", "5", "5"},
		{"Content-Location", "http://old/", "http://old/"},
	} {
		r := requestFor(t).overTLS("shop.example")
		r.Authority = []byte("shop.example:8443")
		if got := rewritten(t, m, r, c[0], c[1]); got != c[2] {
			t.Errorf("%s: %s: got %q, want %q", c[0], c[1], got, c[2])
		}
	}
}

func TestResponseRewrites_cookies(t *testing.T) {
	m := &model.ResponseRewrites{
		CookieDomain: &model.Replacement{From: "old.test", To: "$host"}, CookiePath: &model.Replacement{From: "/app", To: "/"},
	}
	for value, want := range map[string]string{
		"a=b; Domain=old.test; Path=/app/x; Secure":  "a=b; Domain=shop.example; Path=//x; Secure",
		"a=b; domain = .OLD.test ;path=/app":         "a=b; domain = .shop.example ;path=/",
		"a=b":                                        "a=b",
		"Domain=old.test":                            "Domain=old.test",
		"a=old.test; Path=/x":                        "a=old.test; Path=/x",
		"a=b; Domain=sub.old.test":                   "a=b; Domain=sub.old.test",
		"a=b; Path=/app; Path=/app2; Domain; ; =; ;": "a=b; Path=/; Path=/2; Domain; ; =; ;",
		"a=b; Path=/APP":                             "a=b; Path=/APP",
		";Path=/app":                                 ";Path=/",
		"a=b; Path=":                                 "a=b; Path=",
		"":                                           "",
		"a=\"b; Path=/app\"":                         "a=\"b; Path=/\"",
	} {
		if got := rewritten(t, m, requestFor(t), "Set-Cookie", value); got != want {
			t.Errorf("%s: got %q, want %q", value, got, want)
		}
	}
}

// An expression replaces the whole value, as in nginx: http://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_redirect
func TestResponseRewrites_expressions(t *testing.T) {
	m := &model.ResponseRewrites{
		Redirect:     &model.Replacement{From: `^(http://[^:]+):\d+(/.+)$`, To: "$1$2", IsExpression: true},
		CookieDomain: &model.Replacement{From: `\.([a-z]+\.org)$`, To: "$1-$host", IsExpression: true, IgnoresCase: true},
		CookiePath:   &model.Replacement{From: `/app(/(\w+))?`, To: "/x$1$3", IsExpression: true},
	}
	for _, c := range [][3]string{
		{"Location", "http://localhost:8000/two/x?y", "http://localhost/two/x?y"},
		{"Location", "HTTP://localhost:8000/two", "HTTP://localhost:8000/two"},
		{"Location", "http://localhost/two", "http://localhost/two"},
		{"Refresh", "3; url=http://h:1/a", "3; url=http://h/a"},
		{"Set-Cookie", "a=b; Domain=X.Example.ORG; Path=/old/app/y/z; Secure", "a=b; Domain=Example.ORG-shop.example; Path=/x/y; Secure"},
		{"Set-Cookie", "a=b; Path=/app; Domain=example.org", "a=b; Path=/x; Domain=example.org"},
		{"Location", "http://h:1/" + strings.Repeat("a", maxMatched), "http://h:1/" + strings.Repeat("a", maxMatched)},
	} {
		if got := rewritten(t, m, requestFor(t), c[0], c[1]); got != c[2] {
			t.Errorf("%s: %s: got %q, want %q", c[0], c[1], got, c[2])
		}
	}
}

func TestResponseRewrites_otherwiseNothing(t *testing.T) {
	m := &model.ResponseRewrites{CookiePath: &model.Replacement{From: "/", To: "/; Secure"}}
	if got := rewritten(t, m, requestFor(t), "Location", "/"); got != "/" {
		t.Errorf("Location became %q", got)
	}
	if got := rewritten(t, m, requestFor(t), "Set-Cookie", "a=b; Path=/"); got != "a=b; Path=/; Secure" {
		t.Errorf("got %q", got)
	}
}

// A cookie with many attributes must not take long or grow without bound.
func TestResponseRewrites_manyAttributes(t *testing.T) {
	m := &model.ResponseRewrites{CookiePath: &model.Replacement{From: "/", To: "/" + strings.Repeat("x", 50)}}
	value := "a=b" + strings.Repeat(";Path=/", 9000)
	r := requestFor(t)
	rewritten(t, m, r, "Set-Cookie", value)
	if len(r.Buf) > maxRewritten+len(value) {
		t.Errorf("the buffer has %d bytes", len(r.Buf))
	}
}
