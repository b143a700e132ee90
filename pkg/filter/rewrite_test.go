package filter

import (
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

func rewriting(pattern, target string) RequestFilter {
	return NewRewrite(&model.Filters{Rewrite: &model.Rewrite{Pattern: pattern, Target: target}}).(RequestFilter)
}

func forwarded(r *Request) string {
	if r.Forward.HasQuery {
		return string(r.Forward.Path) + "?" + string(r.Forward.Query)
	}
	return string(r.Forward.Path)
}

func TestRewrite(t *testing.T) {
	for _, c := range []struct{ pattern, target, request, want string }{
		{"/api(/|$)(.*)", "/$2", "/api/v1/x?q=1", "/v1/x?q=1"},
		{"/api(/|$)(.*)", "/$2", "/API", "/"},
		{"/api(/|$)(.*)", "/$2", "/api//a///b", "/a/b"},
		{"/api", "/", "/api/v1", "/"},
		{"/x(/.*)?", "$1", "/x", "/"},
		{"/x(/.*)?", "$1", "/x/y", "/y"},
		{"/x/(.*)", "$1", "/x/y", "/y"},
		{"/x/(.*)", "/y?p=$1", "/x/a%26b=c?d=e", "/y?p=a%26b%3Dc&d=e"},
		{"/x/(.*)", "/y?", "/x/a?d=e", "/y"},
		{"/x/(.*)", "/y?a=b?", "/x/a?d=e", "/y?a=b"},
		{"/x/(.*)", "/y/$1", "/x/a%0dX:%20y", "/y/a%0DX:%20y"},
		{"/x/(.*)", "/y/$1", "/x/a%3Fb%23c", "/y/a%3Fb%23c"},
		{"/x/(.*)", "/y/$1", "/x/%2561", "/y/%2561"},
		{"/x/(.*)", "/y/$1", "/x/%C3%A9", "/y/%C3%A9"},
		{"/x/(.*)", "/y/$1", "/x/a%2Fb", "/y/a/b"},
		{"/(.*)/(.*)", "/$2/$1/$3", "/a/b", "/b/a/"},
		{"/x/(.*)", "/%zz/%61/$1?p=%61", "/x/a%20b", "/%25zz/%2561/a%20b?p=%61"},
	} {
		r := requestTo(t, c.request)
		if got := rewriting(c.pattern, c.target).FilterRequest(r); got != nil || forwarded(r) != c.want {
			t.Errorf("%s to %s of %s: got %v %s, want %s", c.pattern, c.target, c.request, got, forwarded(r), c.want)
		}
		if string(r.Path) == "" || strings.ContainsAny(forwarded(r), " \r\n") {
			t.Errorf("%s has invalid bytes", forwarded(r))
		}
	}
}

// A capture must not lead out of the path that the author of the route chose (CVE-2026-67309 of another proxy).
func TestRewrite_dotSegments(t *testing.T) {
	for _, request := range []string{"/a../secret", "/a..", "/a./x", "/a..;x/secret", "/a..%2Fsecret", "/a%2e%2e/x"} {
		head := requestTo(t, "/")
		head.Path = []byte(request)
		if strings.Contains(request, "%2e") {
			head.Path = []byte("/a../x")
		}
		if got := statusOf(rewriting("/a(.*)", "/b/$1").FilterRequest(head)); got != 400 {
			t.Errorf("%s: got %d %s", request, got, forwarded(head))
		}
	}
}

func TestRewrite_redirect(t *testing.T) {
	f := rewriting("/x/(.*)", "https://b.example/$1?a=1")
	status, to := locationOf(f.FilterRequest(requestTo(t, "/x/a%0d%3Fb?c")))
	if status != 302 || to != "https://b.example/a%0D%3Fb?a=1&c" {
		t.Errorf("got %d %s", status, to)
	}
}

func BenchmarkRewrite(b *testing.B) {
	f, r := rewriting("/api(/|$)(.*)", "/$2"), requestTo(b, "/api/v1/carts/42")
	b.ReportAllocs()
	for b.Loop() {
		r.Buf = r.Buf[:0]
		f.FilterRequest(r)
	}
}
