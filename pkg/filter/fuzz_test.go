package filter

import (
	"bytes"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// FuzzRewrite checks that no path of a client ends the request line, adds a query or leaves the path of the target.
func FuzzRewrite(f *testing.F) {
	f.Add("/app/a%20b?c", "/x/$2")
	f.Add("/app/%2e%2e/..%2f%0d%0a%3f%23", "/$2?q=$2")
	f.Add("/app//%5c;x/%252e/é", "https://a.example/$2")
	f.Fuzz(func(t *testing.T, target, to string) {
		const expression = "/app(/|$)(.*)"
		head := &http1.Request{Method: []byte("GET")}
		if head.SetTarget([]byte(target)) != nil || strings.Count(to, "$2") != strings.Count(to, "$") || !isPlainTarget(to) {
			return
		}
		path, _, err := http1.NormalizePath(nil, head.Path)
		if err != nil {
			return
		}
		rewrite := NewRewrite(&model.Filters{Rewrite: &model.Rewrite{Pattern: expression, Target: to}}).(RequestFilter)
		r := &Request{Head: head, Path: path, Forward: Target{Path: path, Query: head.Query, HasQuery: head.HasQuery}}
		resp := rewrite.FilterRequest(r)
		if resp != nil && resp.Status == 302 {
			checkLine(t, resp.Fields[0].Value)
			return
		}
		if resp != nil {
			return
		}
		checkLine(t, r.Forward.Path)
		checkLine(t, r.Forward.Query)
		if bytes.IndexByte(r.Forward.Path, '?') >= 0 {
			t.Errorf("%q: the path is %q", target, r.Forward.Path)
		}
		if again, changed, err := http1.NormalizePath(nil, r.Forward.Path); err != nil || changed {
			t.Errorf("%q: the path %q means %q, %v", target, r.Forward.Path, again, err)
		}
	})
}

// isPlainTarget reports whether translation would accept a target.
func isPlainTarget(to string) bool {
	return to != "" && strings.Trim(to, "abcxyz019/?=&:.-$") == "" && !strings.Contains(to, "..") && !strings.Contains(to, "/.")
}

func checkLine(t *testing.T, text []byte) {
	t.Helper()
	if bytes.ContainsAny(text, " \r\n\x00#\t") {
		t.Errorf("a target has %q", text)
	}
}

// FuzzResponseRewrites checks that fields of pods are rewritten without a panic, and stay one line.
func FuzzResponseRewrites(f *testing.F) {
	f.Add("a=b; Domain=.app.example; Path=/x; Secure", "http://app.example/login", "app.example")
	f.Add("a; domain = kelvin ;path", "5; URL=/", "K")
	f.Fuzz(func(t *testing.T, cookie, location, from string) {
		if !http1.IsFieldValue([]byte(cookie)) || !http1.IsFieldValue([]byte(location)) || !http1.IsFieldValue([]byte(from)) {
			return
		}
		replace := &model.Replacement{From: from, To: "$scheme://$host/"}
		rewrites := NewResponseRewrites(&model.ResponseRewrites{Redirect: replace, CookieDomain: replace, CookiePath: replace})
		r := &Request{Head: new(http1.Request), Host: []byte("shop.example")}
		head := new(http1.Response)
		for name, value := range map[string]string{"Set-Cookie": cookie, "Location": location, "Refresh": location} {
			head.Add([]byte(name), []byte(value))
		}
		rewrites.(PodResponseFilter).FilterPodResponse(r, head)
		for _, field := range head.Fields {
			if !http1.IsFieldValue(field.Value) {
				t.Errorf("%q, %q: %s is %q", cookie, location, field.Name, field.Value)
			}
		}
	})
}
