package proxy

import (
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// spellings are ways to write a path that some server might take for /admin, or for one below it: what the pod receives,
// after the name of the route that leads there, or the status of a refusal.
var spellings = []struct{ target, want string }{
	{"/admin", "admin /admin"},
	{"/admin/", "admin /admin/"},
	{"/admin/x", "admin /admin/x"},
	{"/admin?x", "admin /admin?x"},
	{"/admin//x", "admin /admin//x"},
	{"/%61dmin", "admin /admin"},
	{"/%61%64%6d%69%6E", "admin /admin"},
	{"/./admin", "admin /admin"},
	{"/x/../admin", "admin /admin"},
	{"/x/%2e%2e/admin", "admin /admin"},
	{"/x/.%2E/%61dmin", "admin /admin"},
	{"/%2e/admin", "admin /admin"},
	{"/admin/.", "admin /admin/"},
	{"/admin/./x", "admin /admin/x"},
	{"/admin/x/../y", "admin /admin/y"},
	{"/admin/%2e/x", "admin /admin/x"},
	{"/admin/;x", "admin /admin/;x"},
	{"/admin/%2f", "admin /admin/%2F"},
	{"http://a.example/admin", "admin /admin"},
	{"HTTP://A.EXAMPLE/%61dmin", "admin /admin"},
	{"http://a.example/x/../admin", "admin /admin"},

	{"//admin", "root //admin"},
	{"/x//../admin", "root /x/admin"},
	{"/.//admin", "root //admin"},
	{"/x/..//admin", "root //admin"},
	{"http://a.example//admin", "root //admin"},
	{"/Admin", "root /Admin"},
	{"/%41dmin", "root /Admin"},
	{"/admin;x", "root /admin;x"},
	{"/;x/admin", "root /;x/admin"},
	{"/admin%3bx", "root /admin%3Bx"},
	{"/admin%2f", "root /admin%2F"},
	{"/%2fadmin", "root /%2Fadmin"},
	{"/admin%5cx", "root /admin%5Cx"},
	{"/%5cadmin", "root /%5Cadmin"},
	{"/%2561dmin", "root /%2561dmin"},
	{"/x/%252e%252e/admin", "root /x/%252e%252e/admin"},
	{"/admin%20", "root /admin%20"},
	{"/admin%09", "root /admin%09"},
	{"/admin%3f", "root /admin%3F"},
	{"/admin%23", "root /admin%23"},
	{"/admin.", "root /admin."},
	{"/admin/..", "root /"},
	{"/admin/../x", "root /x"},
	{"/admin/x/../../y", "root /y"},
	{"/admin/%2e%2e/x", "root /x"},
	{"/%ef%bc%8fadmin", "root /%EF%BC%8Fadmin"},
	{"/%c0%afadmin", "root /%C0%AFadmin"},
	{"/?/../admin", "root /?/../admin"},

	{"/../admin", "400"},
	{"/%2e%2e/admin", "400"},
	{"/x/../../admin", "400"},
	{"/x/..;/admin", "400"},
	{"/x/..;y/admin", "400"},
	{"/.;/admin", "400"},
	{"/x/%2e%2e;/admin", "400"},
	{"/x/..%2fadmin", "400"},
	{"/x/..%5cadmin", "400"},
	{"/x%2f../admin", "400"},
	{"/x%2f%2e%2e%2fadmin", "400"},
	{"/x\\..\\admin", "400"},
	{"\\admin", "400"},
	{"/admin%00", "400"},
	{"/admin%", "400"},
	{"/%u0061dmin", "400"},
	{"/admin#", "400"},
	{"/adm\tin", "400"},
	{"admin", "400"},
	{"http://b.example/admin", "400"},
}

// For every spelling, the route is chosen by exactly the path that the pod receives. No pod behind another route gets a
// request for a path that looks like /admin, unless the bytes differ.
func TestPathSpelling_pod(t *testing.T) {
	r, root, admin := rigOfTwoRoutes(t)
	for _, c := range spellings {
		client := r.dial()
		client.send("GET " + c.target + " HTTP/1.1\r\nHost: a.example\r\n\r\n")
		got := arrived(t, client.read("GET").status, root, admin)
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.target, got, c.want)
		}
		expectMatched(t, got)
	}
}

// Over HTTP/2, the same path has the same result. HTTP/2 has no absolute-form.
func TestPathSpelling_http2Client(t *testing.T) {
	r, root, admin := rigOfTwoRoutes(t)
	for _, c := range spellings {
		if !strings.HasPrefix(c.target, "/") {
			continue
		}
		status := rawHTTP2(t, r.addr, ":method", "GET", ":scheme", "http", ":authority", "a.example", ":path", c.target)
		if c.want == "400" && (status == "400" || status == "reset") {
			continue
		}
		if got := arrived(t, 200, root, admin); status != "200" || got != c.want {
			t.Errorf("%s: got %s and %s, want %s", c.target, status, got, c.want)
		}
	}
}

// Pods that speak HTTP/2 are sent the same.
func TestPathSpelling_http2Pod(t *testing.T) {
	got := make(chan string, 1)
	backend := startBackend(t, nil, func(_ http.ResponseWriter, q *http.Request) { got <- q.RequestURI })
	r := newRig(t)
	r.serveBy(model.Transport{HTTP2: true}, nil, addressOf(backend))
	for _, c := range spellings {
		_, want, accepted := strings.Cut(c.want, " ")
		if !accepted {
			continue
		}
		client := r.dial()
		client.send("GET " + c.target + " HTTP/1.1\r\nHost: a.example\r\n\r\n")
		client.read("GET").expectStatus(t, 200)
		if target := <-got; target != want {
			t.Errorf("%s: got %s, want %s", c.target, target, want)
		}
	}
}

func rigOfTwoRoutes(t *testing.T) (r *rig, root, admin *pod) {
	r = newRig(t)
	root, admin = startEcho(t, "root"), startEcho(t, "admin")
	r.replace(cart, endpointsOf(root)...)
	r.replace(blog, endpointsOf(admin)...)
	narrow := routeTo(blog, nil)
	narrow.Path = "/admin"
	r.publish(routeTo(cart, nil), narrow)
	return r, root, admin
}

// arrived returns the pod and target of each request received since its last call, and the status unless it is 200.
func arrived(t *testing.T, status int, pods ...*pod) string {
	t.Helper()
	var got []string
	for _, p := range pods {
		for _, head := range p.takeRequests() {
			got = append(got, p.name+" "+strings.Fields(head)[1])
		}
	}
	if status != 200 {
		got = append(got, strconv.Itoa(status))
	}
	return strings.Join(got, ", ")
}

func expectMatched(t *testing.T, got string) {
	t.Helper()
	name, target, ok := strings.Cut(got, " ")
	if !ok {
		return
	}
	path, _, _ := strings.Cut(target, "?")
	if below := path == "/admin" || strings.HasPrefix(path, "/admin/"); below != (name == "admin") {
		t.Errorf("%s was sent %s", name, path)
	}
}

// protectedSpellings are targets that some server takes for /admin or a path below it.
var protectedSpellings = []string{
	"/admin", "/admin/", "//admin", "/%2fadmin", "/%2Fadmin/x", "/admin%2f..", "/ADMIN", "/%41dmin", "/admin;x", "/;x/admin",
	"/admin%2f", "/%5cadmin", "/%2561dmin", "/x/%252e%252e/admin", "/admin%20", "/admin.", "/admin%3f", "/%c0%afadmin",
	"/%ef%bc%8fadmin", "/x/..//admin", "http://a.example//admin", "/admin%09", "/x%2f../admin", "/admin%23",
}

// A closed path cannot be reached by the open route of the same pods, in any spelling.
func TestPathSpelling_protected(t *testing.T) {
	for _, open := range []model.PathType{model.PathPrefix, model.PathPattern} {
		r := newRig(t)
		p := startEcho(t, "pod")
		r.replace(cart, endpointsOf(p)...)
		root, closed := routeTo(cart, nil), routeTo(cart, nil)
		root.PathType, closed.PathType = open, open
		closed.Path, closed.Closed, closed.Source.Name = "/admin", "annotation auth-url is not enforced", "closed"
		r.publish(root, closed)
		for _, target := range protectedSpellings {
			client := r.dial()
			client.send("GET " + target + " HTTP/1.1\r\nHost: a.example\r\n\r\n")
			if status := client.read("GET").status; status != 400 && status != 503 {
				t.Errorf("%s: got %d", target, status)
			}
		}
		if sent := p.requests(); len(sent) > 0 {
			t.Errorf("the pod received %q", sent)
		}
		for _, target := range []string{"/", "/x", "//x", "/Assets/App.js?x=/admin", "/x/admin", "/adm%69"} {
			client := r.dial()
			client.send("GET " + target + " HTTP/1.1\r\nHost: a.example\r\n\r\n")
			client.read("GET").expectStatus(t, 200)
		}
	}
}
