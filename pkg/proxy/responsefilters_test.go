package proxy

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// serveFiltered makes a handler the pod of cart, which every path leads to with these filters.
func (r *rig) serveFiltered(f *model.Filters, transport model.Transport, a *model.Affinity, handler http.HandlerFunc) {
	r.t.Helper()
	pod := startBackend(r.t, nil, handler)
	r.serveBy(transport, a, addressOf(pod))
	route := routeTo(cart, a)
	route.Backends[0].Transport, route.Filters = transport, f
	r.publish(route)
}

func TestHeaders_overTheWire(t *testing.T) {
	f := &model.Filters{Headers: &model.HeaderChanges{
		Request: []model.HeaderField{{Name: "X-Tenant", Value: "shop"}, {Name: "X-Debug"}, {Name: "Authorization", Value: "Basic eA=="}},
		Response: []model.HeaderField{
			{Name: "X-Frame-Options", Value: "DENY"}, {Name: "X-Powered-By"}, {Name: "Server", Value: "shop"},
		},
	}}
	for name, transport := range map[string]model.Transport{"HTTP/1.1": {}, "HTTP/2": overHTTP2} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.serveFiltered(f, transport, nil, func(w http.ResponseWriter, q *http.Request) {
				w.Header().Set("X-Powered-By", "app")
				w.Header().Set("x-frame-options", "ALLOW")
				w.Header().Set("Server", "app")
				for _, name := range []string{"X-Tenant", "X-Debug", "Authorization", "X-Kept"} {
					io.WriteString(w, name+"="+strings.Join(q.Header.Values(name), "+")+" ")
				}
			})
			got := r.dial().get("/", "x-tenant: other", "X-Tenant: third", "X-DEBUG: 1", "Authorization: Bearer y", "X-Kept: 1")
			got.expectOK(t, "X-Tenant=shop X-Debug= Authorization=Basic eA== X-Kept=1 ")
			if h := got.header; strings.Join(h.Values("X-Frame-Options"), ",") != "DENY" || h.Get("X-Powered-By") != "" ||
				strings.Join(h.Values("Server"), ",") != "shop" {
				t.Errorf("fields %v", h)
			}
		})
	}
}

func rateLimit(name string) *model.RateLimit {
	return &model.RateLimit{Source: model.Ref{Name: name}, Burst: 1, Status: 503, ConnectionStatus: 503, IPv6PrefixLength: 128}
}

func TestRateLimit_overTheWire(t *testing.T) {
	r := newRig(t)
	limit := rateLimit("wire")
	limit.PerMinute, limit.Status = 2, 429
	f := &model.Filters{RateLimit: limit}
	r.serveFiltered(f, model.Transport{}, nil, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "ok") })
	client := r.dial()
	for range 3 {
		client.get("/").expectOK(t, "ok")
	}
	client.get("/").expectStatus(t, 429)
	route := routeTo(cart, nil)
	again := *f
	route.Filters = &again
	r.publish(route) // another table
	client.get("/").expectStatus(t, 429)
}

func TestRateLimit_connectionsEnd(t *testing.T) {
	r := newRig(t)
	limit := rateLimit("connections")
	limit.Connections = 1
	started, end := make(chan bool), make(chan bool)
	r.serveFiltered(&model.Filters{RateLimit: limit}, model.Transport{}, nil, func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/slow" {
			started <- true
			<-end
		}
		io.WriteString(w, "ok")
	})
	slow := r.dial()
	slow.send(request("GET", "/slow", ""))
	<-started
	r.dial().get("/").expectStatus(t, 503)
	end <- true
	slow.read("GET").expectOK(t, "ok")
	eventually(t, "another request to pass", func() bool { return r.dial().get("/").status == 200 })
}

func TestRateLimit_tunnelsCount(t *testing.T) {
	r := newRig(t)
	r.replace(cart, endpointsOf(startSocket(t, ""))...)
	limit := rateLimit("tunnels")
	limit.Connections = 1
	route := routeTo(cart, nil)
	route.Filters = &model.Filters{RateLimit: limit}
	r.publish(route)
	tunnel := r.upgrade("")
	r.dial().get("/").expectStatus(t, 503)
	tunnel.Close()
	eventually(t, "another request to pass", func() bool {
		client := r.dial()
		client.send(handshake)
		passed := strings.HasPrefix(client.head()[0], "HTTP/1.1 101")
		client.Close()
		return passed
	})
}

func TestCORS_overTheWire(t *testing.T) {
	r := newRig(t)
	f := &model.Filters{CORS: &model.CORS{Origins: []string{"https://shop.example"}, Methods: "GET", AllowCredentials: true, MaxAge: 9}}
	r.serveFiltered(f, model.Transport{}, nil, func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "app")
		w.Header().Set("Access-Control-Allow-Methods", "app")
		io.WriteString(w, "app "+q.Method)
	})
	client := r.dial()
	client.send(request("OPTIONS", "/", "", "Origin: https://shop.example"))
	got := client.read("OPTIONS")
	got.expectStatus(t, http.StatusNoContent)
	if h := got.header; h.Get("Access-Control-Allow-Origin") != "https://shop.example" || h.Get("Access-Control-Max-Age") != "9" ||
		h.Get("Content-Type") != "text/plain charset=UTF-8" || h.Get("Content-Length") != "" { // RFC 9110 section 8.6
		t.Errorf("preflight response %v", h)
	}
	got = client.get("/", "Origin: https://shop.example")
	got.expectOK(t, "app GET")
	if h := got.header; strings.Join(h.Values("Access-Control-Allow-Origin"), ",") != "https://shop.example" ||
		strings.Join(h.Values("Access-Control-Allow-Methods"), ",") != "GET" || h.Get("Access-Control-Allow-Credentials") != "true" {
		t.Errorf("response %v", h)
	}
	client.send(request("OPTIONS", "/", "", "Origin: https://evil.test"))
	got = client.read("OPTIONS")
	got.expectOK(t, "app OPTIONS")
	if got.header.Get("Access-Control-Allow-Origin") != "app" {
		t.Errorf("response to another origin %v", got.header)
	}
}

func TestResponseRewrites_keepOwnCookies(t *testing.T) {
	r := newRig(t)
	f := &model.Filters{Rewrites: &model.ResponseRewrites{
		Redirect:     &model.Replacement{From: "http://app/", To: "$scheme://$http_host/"},
		CookiePath:   &model.Replacement{From: "/", To: "/shop/"},
		CookieDomain: &model.Replacement{From: "app", To: "$host"},
	}}
	r.serveFiltered(f, model.Transport{}, cookieAffinity(), func(w http.ResponseWriter, q *http.Request) {
		w.Header().Set("Location", "http://app/next")
		w.Header().Add("Set-Cookie", "sid=1; Path=/; Domain=app")
		if q.URL.Path == "/end" {
			w.Header().Set("Limpet-Release-Session", "true")
		}
	})
	client := r.dial()
	first := client.get("/")
	own := setCookies(first, "limpet-cart")
	if app := setCookies(first, "sid"); app != "sid=1; Path=/shop/; Domain=shop.example" || !strings.Contains(own, "Path=/;") {
		t.Fatalf("cookies %q and %q", app, own)
	}
	if location := first.header.Get("Location"); location != "http://shop.example/next" {
		t.Errorf("Location is %q", location)
	}
	token, _, _ := strings.Cut(own, ";")
	end := client.get("/end", "Cookie: "+token)
	if own := setCookies(end, "limpet-cart"); !strings.Contains(own, "Path=/;") && !strings.HasSuffix(own, "Path=/") {
		t.Errorf("the deletion of the token is %q", own)
	}
}

// setCookies returns the Set-Cookie fields for a name.
func setCookies(got *response, name string) string {
	var found []string
	for _, value := range got.header.Values("Set-Cookie") {
		if strings.HasPrefix(value, name+"=") {
			found = append(found, value)
		}
	}
	return strings.Join(found, "|")
}

func TestResponseRate_paces(t *testing.T) {
	r := newRig(t)
	f := &model.Filters{ResponseRate: &model.ResponseRate{BytesPerSecond: 10 << 10, After: 5 << 10}}
	body := bytes.Repeat([]byte("x"), 20<<10)
	r.serveFiltered(f, model.Transport{}, nil, func(w http.ResponseWriter, _ *http.Request) { w.Write(body) })
	client := r.dial()
	began := time.Now()
	client.get("/").expectOK(t, string(body))
	// 5 KiB are free, 10 KiB may be sent without a pause, and the other 5 KiB take half a second.
	if took := time.Since(began); took < 400*time.Millisecond {
		t.Errorf("the response took %s", took)
	}
}
