package proxy

import (
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/quic-go/quic-go/http3"

	"github.com/limpet-dev/limpet/pkg/model"
)

// filterCase is a request to a route with filters, and what the client must see, over each protocol.
type filterCase struct {
	name, method, target string
	header               string // "Name: value" lines
	body                 string
	status               int
	want                 string // "Name: value" lines of the response; a missing field has no value
	text                 string // the body, or its start
}

// filterCases are the same for HTTP/1.1, HTTP/2 and HTTP/3. filterRoutes has the routes.
var filterCases = []filterCase{
	{"auth: admitted", "POST", "/auth/x?y=1", "Cookie: sid=ann\nX-User: root", "body", 200, "Set-Cookie: seen=1",
		"POST /auth/x?y=1 user=ann body=body"},
	{"auth: refused", "GET", "/auth/x", "X-User: root", "", 401, "Www-Authenticate: Bearer\nSet-Cookie:", "The request has no valid"},
	{"auth: refused, with a body", "POST", "/auth/x", "", strings.Repeat("x", 1<<16), 401, "Www-Authenticate: Bearer", ""},
	{"auth: several Cookie fields", "GET", "/auth", "Cookie: a=b; sid=ann; c=d", "", 200, "", "GET /auth user=ann"},
	{"auth: another spelling", "GET", "//auth%2fx", "", "", 401, "", ""},
	{"auth: upper case", "GET", "/AUTH", "", "", 401, "", ""},
	{"auth: parameters", "GET", "/x/..;/auth", "", "", 400, "", ""},
	{"auth: dot segments", "GET", "/x/%2e%2e/auth", "", "", 401, "", ""},
	{"sign in", "GET", "/signin?a=b&c", "", "", 302,
		"Location: https://sign.example/?rd=https://shop.example%2Fsignin%3Fa%3Db%26c", ""},
	{"satisfy any: credentials", "GET", "/any", "Authorization: Basic YW5uOnNlY3JldA==", "", 200, "", "GET /any user= body="},
	{"satisfy any: neither", "GET", "/any", "", "", 401, "Www-Authenticate: Basic realm=\"Staff\"", ""},
	{"deny list", "GET", "/deny", "X-Forwarded-For: 192.0.2.1", "", 403, "", "This address may not"},
	{"redirect", "GET", "/redirect/a%20b?c", "", "", 301, "Location: https://new.example/redirect/a%20b?c", ""},
	{"preflight", "OPTIONS", "/cors", "Origin: https://a.example\nAccess-Control-Request-Method: PUT", "", 204,
		"Access-Control-Allow-Origin: https://a.example\nContent-Length:\nVary: Origin", ""},
	{"preflight of another origin", "OPTIONS", "/cors", "Origin: https://b.example", "", 200, "Access-Control-Allow-Origin:\nVary: Origin",
		"OPTIONS /cors"},
	{"cross-origin", "GET", "/cors", "Origin: https://a.example", "", 200, "Access-Control-Allow-Origin: https://a.example", "GET /cors"},
	{"limit: first", "GET", "/limit", "", "", 200, "", "GET /limit"},
	{"limit: burst", "GET", "/limit", "", "", 200, "", "GET /limit"},
	{"limit: too fast", "GET", "/limit", "", "", 429, "", "There are too many requests"},
	{"error page", "GET", "/pages?status=404", "", "", 404, "X-Page: 404", "page of GET /pages?status=404"},
	{"error page: HEAD", "HEAD", "/pages?status=404", "", "", 404, "X-Page: 404\nContent-Length:", ""},
	{"error page: not modified", "GET", "/pages?status=410", "", "", 304, "X-Page: 410\nContent-Length:", ""},
	{"error page: no content", "GET", "/pages?status=411", "", "", 204, "X-Page: 411\nContent-Length:", ""},
	{"error page: none for the status", "GET", "/pages?status=405", "", "", 405, "X-Page:", "GET /pages?status=405"},
	{"mirror", "POST", "/mirror?copy", "", "body", 200, "", "POST /mirror?copy user= body=body"},
	{"rewrite", "GET", "/rewrite/a%20b/c?d=e", "", "", 200, "", "GET /app/a%20b/c?d=e"},
	{"rewrite: query in a group", "GET", "/rewrite/a%3fx%23y", "", "", 200, "", "GET /app/a%3Fx%23y user="},
	{"rewrite: line break in a group", "GET", "/rewrite/a%0d%0aX-User:%20root", "", "", 200, "", "GET /app/a%0D user="},
	{"rewrite: dot segments in a group", "GET", "/rewrite/..%2f..%2fadmin", "", "", 400, "", ""},
	{"body limit", "POST", "/small", "", "12345", 413, "", ""},
	{"compression", "GET", "/gzip", "Accept-Encoding: gzip", "", 200, "Content-Encoding: gzip\nVary: Accept-Encoding", "\x1f\x8b"},
	{"compression: HEAD", "HEAD", "/gzip", "Accept-Encoding: gzip", "", 200,
		"Content-Encoding: gzip\nVary: Accept-Encoding\nContent-Length:\nTransfer-Encoding:", ""},
	{"compression: not accepted", "GET", "/gzip", "Accept-Encoding: identity", "", 200, "Content-Encoding:\nVary: Accept-Encoding", "GET /gzip"},
	{"closed", "GET", "/closed", "", "", 503, "", "This route is not available"},
	{"error page: none that is valid", "GET", "/pages?status=304", "", "", 304, "X-Page:\nContent-Length:", ""},
	{"on the same connection", "GET", "/none", "", "", 200, "", "GET /none"},
}

// grpcCases are calls, for which refusals are gRPC statuses in a response without a body.
var grpcCases = []filterCase{
	{"refused", "POST", "/auth/Call", "", "x", 200, "Grpc-Status: 16\nWww-Authenticate: Bearer", ""},
	{"admitted", "POST", "/auth/Call", "Cookie: sid=ann", "x", 200, "Grpc-Status:\nSet-Cookie: seen=1", "POST /auth/Call user=ann body=x"},
	{"deny list", "POST", "/deny/Call", "", "x", 200, "Grpc-Status: 7", ""},
	{"too fast", "POST", "/limit", "", "x", 200, "Grpc-Status: 14", ""},
	{"closed", "POST", "/closed", "", "x", 200, "Grpc-Status: 14", ""},
	{"sign in", "POST", "/signin", "", "x", 200, "Grpc-Status: 2", ""},
	{"no error page", "POST", "/pages?status=404", "", "x", 404, "X-Page:", "POST /pages?status=404"},
	{"rewrite", "POST", "/rewrite/shop.Cart/Get", "", "x", 200, "Grpc-Status:", "POST /app/shop.Cart/Get"},
}

// filterRoutes serves a route for each kind of filter. copies counts the copies of requests.
func (r *rig) filterRoutes(name string, copies *atomic.Int32) {
	r.t.Helper()
	start := func(id model.PoolID, h http.HandlerFunc) {
		r.replace(id, model.Endpoint{ID: id.Service, Pod: id.Service, Address: addressOf(startBackend(r.t, nil, h)), State: model.EndpointReady})
	}
	start(cart, func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		w.Header().Set("Content-Type", "text/plain")
		status := 200
		fmt.Sscan(q.URL.Query().Get("status"), &status)
		w.WriteHeader(status)
		fmt.Fprintf(w, "%s %s user=%s body=%s%s", q.Method, q.RequestURI, q.Header.Get("X-User"), body, strings.Repeat(" ", 2000))
	})
	start(authService, func(w http.ResponseWriter, q *http.Request) {
		user, err := q.Cookie("sid")
		if err != nil || len(q.Header.Values("Cookie")) != 1 {
			w.Header().Set("WWW-Authenticate", "Bearer")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("X-User", user.Value)
		w.Header().Set("Set-Cookie", "seen=1")
	})
	start(pages, func(w http.ResponseWriter, q *http.Request) {
		code := q.Header.Get("X-Code")
		status := map[string]int{"410": 304, "411": 204}[code]
		if code == "304" {
			panic(http.ErrAbortHandler)
		}
		if status == 0 {
			fmt.Sscan(code, &status)
		}
		w.Header().Set("X-Page", code)
		w.WriteHeader(status)
		fmt.Fprint(w, "page of GET ", q.Header.Get("X-Original-Uri"))
	})
	start(shadow, func(_ http.ResponseWriter, q *http.Request) {
		if body, _ := io.ReadAll(q.Body); string(body) == "body" && q.RequestURI == "/mirror?copy" {
			copies.Add(1)
		}
	})
	auth := model.ExternalAuth{URL: "http://oauth2-proxy.auth.svc:4180/", Service: &authService, ResponseHeaders: []string{"X-User"}}
	signIn := auth
	signIn.SignIn = "https://sign.example/?rd=$pass_access_scheme://$http_host$escaped_request_uri"
	limit := rateLimit(name)
	limit.PerMinute, limit.Status = 1, 429
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	routes := []model.Route{routeTo(cart, nil)}
	add := func(path string, f model.Filters, change ...func(*model.Route)) {
		route := routeTo(cart, nil)
		route.Path, route.Filters, route.Source.Name = path, &f, path
		for _, c := range change {
			c(&route)
		}
		routes = append(routes, route)
	}
	add("/any", model.Filters{Access: &model.Access{SatisfiesAny: true, Passwords: passwords("ann:{PLAIN}secret"),
		Addresses: &model.AddressList{Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}}})
	add("/auth", model.Filters{ExternalAuth: &auth})
	add("/closed", model.Filters{}, func(m *model.Route) { m.Closed = "it is closed" })
	add("/cors", model.Filters{CORS: &model.CORS{Origins: []string{"https://a.example"}, Methods: "PUT", MaxAge: 1}})
	add("/deny", model.Filters{Access: &model.Access{Addresses: &model.AddressList{Deny: loopback}}})
	add("/gzip", model.Filters{Compression: &model.Compression{Gzip: true}})
	add("/limit", model.Filters{RateLimit: limit})
	add("/mirror", model.Filters{Mirror: &model.Mirror{URL: "http://shadow.shop.svc$request_uri", Service: &shadow}})
	add("/pages", model.Filters{ErrorPages: &model.ErrorPages{Statuses: []int{304, 404, 410, 411}, Service: pages}})
	add("/redirect", model.Filters{Redirect: &model.Redirect{Status: 301, URL: "https://new.example$request_uri"}})
	add("/rewrite(/|$)(.*)", model.Filters{Rewrite: &model.Rewrite{Pattern: "/rewrite(/|$)(.*)", Target: "/app/$2"}},
		func(m *model.Route) { m.PathType = model.PathPattern })
	add("/signin", model.Filters{ExternalAuth: &signIn})
	add("/small", model.Filters{}, func(m *model.Route) { m.Limits = &model.Limits{MaxBodyBytes: 4} })
	add("/x", model.Filters{})
	r.publish(routes...)
}

// filterClients returns a client for each protocol, with the address of its listener.
func filterClients(t *testing.T) map[string]func() (*rig, string, http.RoundTripper) {
	config := &tls.Config{InsecureSkipVerify: true, ServerName: "shop.example"}
	tcp := func(change func(*http.Transport)) func() (*rig, string, http.RoundTripper) {
		return func() (*rig, string, http.RoundTripper) {
			r, addr := tlsRig(t)
			transport := &http.Transport{TLSClientConfig: config.Clone(), DisableCompression: true}
			change(transport)
			t.Cleanup(transport.CloseIdleConnections)
			return r, addr, transport
		}
	}
	return map[string]func() (*rig, string, http.RoundTripper){
		"HTTP/1.1": tcp(func(*http.Transport) {}),
		"HTTP/2.0": tcp(func(tr *http.Transport) { tr.ForceAttemptHTTP2 = true }),
		"HTTP/3.0": func() (*rig, string, http.RoundTripper) {
			r, addr := http3Rig(t)
			transport := &http3.Transport{TLSClientConfig: config.Clone(), DisableCompression: true}
			t.Cleanup(func() { transport.Close() })
			return r, addr, transport
		},
	}
}

// Filters do the same over each protocol.
func TestFilters_overEachProtocol(t *testing.T) {
	for protocol, start := range filterClients(t) {
		t.Run(protocol, func(t *testing.T) {
			r, addr, client := start()
			var copies atomic.Int32
			r.filterRoutes(t.Name(), &copies)
			for _, c := range filterCases {
				c.try(t, protocol, addr, client)
			}
			for _, c := range grpcCases {
				if c.name, c.header = "gRPC: "+c.name, c.header+"\nContent-Type: application/grpc\nTe: trailers"; protocol != "HTTP/1.1" {
					c.try(t, protocol, addr, client)
				}
			}
			eventually(t, "the copy to arrive", func() bool { return copies.Load() == 1 })
		})
	}
}

func (c *filterCase) try(t *testing.T, protocol, addr string, client http.RoundTripper) {
	t.Helper()
	var content io.Reader
	if c.body != "" {
		content = strings.NewReader(c.body)
	}
	q := newRequest(t, c.method, "https://"+addr+c.target, content)
	q.Host = "shop.example"
	for line := range strings.Lines(c.header) {
		if name, value, found := strings.Cut(line, ": "); found {
			q.Header.Add(name, strings.TrimSpace(value))
		}
	}
	got, err := client.RoundTrip(q)
	if err != nil {
		t.Errorf("%s: %v", c.name, err)
		return
	}
	defer got.Body.Close()
	text, err := io.ReadAll(got.Body)
	if err != nil || got.StatusCode != c.status || got.Proto != protocol || !strings.HasPrefix(string(text), c.text) {
		t.Errorf("%s: got %s %d, %.100q, %v; want %d, %q", c.name, got.Proto, got.StatusCode, text, err, c.status, c.text)
	}
	for line := range strings.Lines(c.want) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		if values := strings.Join(got.Header.Values(name), ", "); values != strings.TrimSpace(value) {
			t.Errorf("%s: the response has %s: %q, want %q", c.name, name, values, strings.TrimSpace(value))
		}
	}
}
