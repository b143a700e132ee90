package filter

import (
	"testing"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// requestTo parses a request for a target into a Request, with the path as matching sees it.
func requestTo(t testing.TB, target string) *Request {
	t.Helper()
	head, limits := new(http1.Request), http1.DefaultLimits()
	text := "GET " + target + " HTTP/1.1\r\nHost: shop.example:8080\r\n\r\n"
	if _, err := http1.ParseRequest(head, []byte(text), &limits); err != nil {
		t.Fatal(err)
	}
	path, _, err := http1.NormalizePath(nil, head.Path)
	if err != nil {
		t.Fatal(err)
	}
	return &Request{
		Head: head, Host: []byte("shop.example"), Path: path, Origin: Origin{Authority: head.Host},
		Forward: Target{Path: path, Query: head.Query, HasQuery: head.HasQuery},
	}
}

// locationOf returns the status and the location of a response, or "" for nil.
func locationOf(r *Response) (status int, to string) {
	if r == nil {
		return 0, ""
	}
	for i := range r.Fields {
		if string(r.Fields[i].Name) == "Location" {
			to = string(r.Fields[i].Value)
		}
	}
	return r.Status, to
}

func TestHTTPSRedirect(t *testing.T) {
	keeps := &model.Filters{HTTPSRedirect: &model.HTTPSRedirect{Status: 308}}
	drops := &model.Filters{HTTPSRedirect: &model.HTTPSRedirect{Status: 301, DropsTrailingSlash: true}}
	for _, c := range []struct {
		filters      *model.Filters
		target, want string
		status       int
	}{
		{keeps, "/", "https://shop.example/", 308},
		{keeps, "/a/?b=%0d%0a", "https://shop.example/a/?b=%0d%0a", 308},
		{keeps, "//evil.example/%2e", "https://shop.example//evil.example/%2e", 308},
		{keeps, "http://shop.example:8080/x", "https://shop.example/x", 308},
		{drops, "/a/", "https://shop.example/a", 301},
		{drops, "/", "https://shop.example", 301},
		{drops, "/a/?b", "https://shop.example/a/?b", 301},
	} {
		f := NewHTTPSRedirect(c.filters, false).(RequestFilter)
		if status, to := locationOf(f.FilterRequest(requestTo(t, c.target))); status != c.status || to != c.want {
			t.Errorf("%s: got %d %s", c.target, status, to)
		}
		for _, end := range []TLSEnd{TLSAtLimpet, TLSAtBalancer, TLSAtProxy} {
			r := requestTo(t, c.target)
			r.TLSEnd = end
			if f.FilterRequest(r) != nil {
				t.Errorf("%s is redirected over TLS", c.target)
			}
		}
	}
	if NewHTTPSRedirect(keeps, true) != nil || NewHTTPSRedirect(nil, false) != nil {
		t.Error("an ACME challenge is redirected")
	}
}

func TestRedirect(t *testing.T) {
	for _, c := range []struct {
		model        model.Redirect
		target, want string
	}{
		{model.Redirect{URL: "https://b.example/x?y"}, "/a?b", "https://b.example/x?y"},
		{model.Redirect{URL: "https://b.example$request_uri"}, "/a?b", "https://b.example/a?b"},
		{model.Redirect{URL: "$scheme://b.example/x"}, "/a?b", "http://b.example/x"},
		{model.Redirect{URL: "https://$host$request_uri"}, "//a", "https://shop.example//a"},
		{model.Redirect{URL: "https://$http_host/"}, "/a", "https://shop.example:8080/"},
		{model.Redirect{Host: "www.shop.example"}, "/a/?b", "http://www.shop.example/a/?b"},
		{model.Redirect{Host: "www.shop.example", DropsTrailingSlash: true}, "/a/", "http://www.shop.example/a"},
		{model.Redirect{Path: "/app?x=1"}, "/", "http://shop.example:8080/app?x=1"},
		{model.Redirect{Path: "/app", IsRelative: true}, "/", "/app"},
	} {
		c.model.Status = 302
		f := NewRedirect(&model.Filters{Redirect: &c.model}).(RequestFilter)
		if status, to := locationOf(f.FilterRequest(requestTo(t, c.target))); status != 302 || to != c.want {
			t.Errorf("%+v: got %d %s", c.model, status, to)
		}
	}
}

// Only the host and the target of the client are inserted as they are.
func TestRedirect_escapesValues(t *testing.T) {
	const url = "https://$host/${uri}?a=$arg_a&h=$http_x&to=$request_uri"
	r := requestTo(t, "/p%20q?a=1|2&b")
	r.Head.Fields = append(r.Head.Fields, http1.Field{Name: []byte("X"), Value: []byte("a b\"c#d")})
	f := NewRedirect(&model.Filters{Redirect: &model.Redirect{Status: 302, URL: url}}).(RequestFilter)
	const want = "https://shop.example//p%20q?a=1%7C2&h=a%20b%22c%23d&to=/p%20q?a=1|2&b"
	if status, to := locationOf(f.FilterRequest(r)); status != 302 || to != want {
		t.Errorf("got %d %s, want %s", status, to, want)
	}
}

func TestSlashRedirect(t *testing.T) {
	for relative, want := range map[bool]string{false: "http://shop.example/a%20b/?x", true: "/a%20b/?x"} {
		f := NewSlashRedirect(&model.Filters{SlashRedirect: &model.SlashRedirect{Path: "/a%20b", IsRelative: relative}}).(RequestFilter)
		if status, to := locationOf(f.FilterRequest(requestTo(t, "/a%20b?x"))); status != 301 || to != want {
			t.Errorf("got %d %s", status, to)
		}
		if f.FilterRequest(requestTo(t, "/a%20b/")) != nil {
			t.Error("a path with the slash is redirected")
		}
	}
}

func TestForwardHeaders(t *testing.T) {
	r := requestTo(t, "/")
	m := &model.Filters{Forward: &model.ForwardHeaders{Host: "cart.svc", Prefix: "/cart"}}
	NewForwardHeaders(m).(RequestFilter).FilterRequest(r)
	if string(r.ForwardHost) != "cart.svc" || string(r.ForwardPrefix) != "/cart" {
		t.Errorf("got %q and %q", r.ForwardHost, r.ForwardPrefix)
	}
}

func TestPathFilters_allocateNothing(t *testing.T) {
	m := &model.Filters{
		HTTPSRedirect: &model.HTTPSRedirect{Status: 308}, SlashRedirect: &model.SlashRedirect{Path: "/x"},
		Forward: &model.ForwardHeaders{Host: "b.example"},
	}
	var c Chain
	c.Add(NewHTTPSRedirect(m, false))
	c.Add(NewSlashRedirect(m))
	c.Add(NewForwardHeaders(m))
	r := requestTo(t, "/a")
	r.TLSEnd = TLSAtLimpet
	if n := testing.AllocsPerRun(100, func() { c.FilterRequest(r) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
