package filter

import (
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
)

func TestCORS_origins(t *testing.T) {
	f := NewCORS(&model.CORS{
		Origins: []string{"https://shop.example.com", "https://*.example.org:8443"}, Methods: "GET", MaxAge: 5,
	}).(*CORS)
	for origin, allowed := range map[string]bool{
		"https://shop.example.com": true, "HTTPS://Shop.Example.com": true, "https://a.example.org:8443": true,
		"https://shop.example.com:443": false, "https://shop.example.com.evil.test": false, "http://shop.example.com": false,
		"xhttps://shop.example.com": false, "https://a.b.example.org:8443": false, "https://.example.org:8443": false,
		"https://example.org:8443": false, "https://a.example.org": false, "https://evil.test/a.example.org:8443": false,
		"https://evil.test?.example.org:8443": false, "https://a@b.example.org:8443": false, "null": false, "*": false,
		"https://\u212aa.example.org:8443": false,
	} {
		r := requestFor(t, "Origin: "+origin)
		var head http1.Response
		head.Add([]byte("Access-Control-Allow-Origin"), []byte("app"))
		f.FilterResponse(r, &head)
		want := map[bool]string{true: origin, false: "app"}[allowed]
		if got := valueOf(t, &head, "Access-Control-Allow-Origin"); got != want {
			t.Errorf("%s: got %q, want %q", origin, got, want)
		}
		if got := valueOf(t, &head, "Vary"); got != "Origin" {
			t.Errorf("%s: Vary is %q", origin, got)
		}
		r.Head.Method = []byte("OPTIONS")
		if got := f.FilterRequest(r) != nil; got != allowed {
			t.Errorf("%s: preflight response %v", origin, got)
		}
	}
	two := requestFor(t, "Origin: https://shop.example.com", "Origin: https://evil.test")
	if f.allowed(two) != nil || f.allowed(requestFor(t)) != nil {
		t.Error("no or two origins are allowed")
	}
}

func TestCORS_anyOrigin(t *testing.T) {
	f := NewCORS(&model.CORS{
		AnyOrigin: true, Methods: "GET, POST", Headers: "X-A", ExposeHeaders: "X-B", AllowCredentials: true, MaxAge: 5,
	}).(*CORS)
	var head http1.Response
	f.FilterResponse(requestFor(t), &head)
	var got []string
	for _, field := range head.Fields {
		got = append(got, string(field.Name)+": "+string(field.Value))
	}
	want := "Access-Control-Allow-Origin: *|Access-Control-Allow-Credentials: true|Access-Control-Allow-Methods: GET, POST|" +
		"Access-Control-Allow-Headers: X-A|Access-Control-Expose-Headers: X-B|Access-Control-Max-Age: 5"
	if strings.Join(got, "|") != want {
		t.Errorf("got %q", got)
	}
	if f.FilterRequest(requestFor(t)) != nil {
		t.Error("a GET gets a preflight response")
	}
}

func TestCORS_allocations(t *testing.T) {
	f := NewCORS(&model.CORS{Origins: []string{"https://shop.example.com"}, Methods: "GET"}).(*CORS)
	r := requestFor(t, "Origin: https://shop.example.com")
	var head http1.Response
	head.Fields = make([]http1.Field, 0, 16)
	if n := testing.AllocsPerRun(100, func() {
		head.Fields = head.Fields[:0]
		f.FilterRequest(r)
		f.FilterResponse(r, &head)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
