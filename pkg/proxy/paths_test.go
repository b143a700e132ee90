package proxy

import (
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// servePaths serves a.example by a pod that returns what it received, with these filters.
func servePaths(t *testing.T, path string, kind model.PathType, filters *model.Filters) (*rig, *pod) {
	t.Helper()
	r, p := newRig(t), startEcho(t, "pod")
	r.replace(cart, endpointsOf(p)...)
	route := routeTo(cart, nil)
	route.Path, route.PathType, route.Filters = path, kind, filters
	r.publish(route)
	return r, p
}

func TestRewrite_pod(t *testing.T) {
	r, p := servePaths(t, "/api(/|$)(.*)", model.PathPattern, &model.Filters{
		Rewrite: &model.Rewrite{Pattern: "/api(/|$)(.*)", Target: "/v2/$2"},
		Forward: &model.ForwardHeaders{Host: "cart.shop.svc", Prefix: "/api"},
	})
	for _, c := range []struct {
		target, want string
		status       int
	}{
		{"/api/users?x=1", "pod /v2/users?x=1", 200},
		{"/API//users/%20%0d%3f", "pod /v2/users/%20%0D%3F", 200},
		{"/api", "pod /v2/", 200},
		{"/apish", "404", 404},
		{"/api/%252e%252e/x", "pod /v2/%252e%252e/x", 200},
		{"/api/..;/x", "400", 400},
	} {
		client := r.dial()
		client.send("GET " + c.target + " HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-Prefix: /evil\r\n\r\n")
		status := client.read("GET").status
		heads := p.requests()
		if got := arrived(t, status, p); got != c.want || status != c.status {
			t.Errorf("%s: got %s and %d", c.target, got, status)
		}
		if len(heads) > 0 {
			expectFields(t, heads[0], "Host: cart.shop.svc", "X-Forwarded-Prefix: /api", "X-Forwarded-Host: a.example")
		}
	}
}

func TestRedirects_client(t *testing.T) {
	for _, c := range []struct {
		filters      model.Filters
		target, want string
		status       int
	}{
		{model.Filters{HTTPSRedirect: &model.HTTPSRedirect{Status: 308}}, "/a/?b", "https://a.example/a/?b", 308},
		{model.Filters{Redirect: &model.Redirect{Status: 302, Path: "/app"}}, "/", "http://a.example/app", 302},
		{model.Filters{Redirect: &model.Redirect{Status: 301, URL: "https://b.example$request_uri"}}, "//x", "https://b.example//x", 301},
		{model.Filters{Rewrite: &model.Rewrite{Pattern: "/(.*)", Target: "https://b.example/$1"}}, "/%0d%0ax", "https://b.example/%0D", 302},
	} {
		r, p := servePaths(t, "/", model.PathPrefix, &c.filters)
		client := r.dial()
		client.send("GET " + c.target + " HTTP/1.1\r\nHost: a.example\r\n\r\n")
		got := client.read("GET")
		got.expectStatus(t, c.status)
		if to := got.header.Get("Location"); to != c.want || len(p.requests()) > 0 {
			t.Errorf("%s: got %q", c.target, to)
		}
	}
}
