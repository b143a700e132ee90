package proxy

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// pages is the Service with the error pages.
var pages = model.PoolID{Namespace: "shop", Service: "pages", Port: 80}

// pagesRig serves cart with error pages for 404 and 503, by pods that respond with the status in their path.
func pagesRig(t *testing.T, transport model.Transport, page http.HandlerFunc, change func(*model.Route)) *rig {
	t.Helper()
	r := newRig(t)
	app := startBackend(t, nil, func(w http.ResponseWriter, q *http.Request) {
		var status int
		fmt.Sscanf(q.URL.Path, "/%d", &status)
		w.Header().Set("X-App", "secret")
		w.WriteHeader(status)
		io.WriteString(w, "app")
	})
	r.replace(cart, model.Endpoint{ID: "a", Pod: "app-1", Address: addressOf(app), State: model.EndpointReady})
	r.replace(pages, model.Endpoint{ID: "p", Address: addressOf(startBackend(t, nil, page)), State: model.EndpointReady})
	route := routeTo(cart, cookieAffinity())
	route.Source = model.Ref{Kind: model.KindIngress, Namespace: "shop", Name: "cart-ingress"}
	route.Backends[0].Transport = transport
	route.Filters = &model.Filters{ErrorPages: &model.ErrorPages{Statuses: []int{404, 503}, Service: pages}}
	route.Fallback = &model.Backend{Pool: pages, Weight: 1}
	if change != nil {
		change(&route)
	}
	r.publish(route)
	return r
}

// echoPage responds with the status in X-Code, and returns the request in X-Seen.
func echoPage(w http.ResponseWriter, q *http.Request) {
	var status int
	fmt.Sscan(q.Header.Get("X-Code"), &status)
	w.Header().Set("Content-Type", "text/html")
	w.Header().Set("X-Seen", fmt.Sprint(q.Method, q.URL, q.Header["X-Format"], q.Header["X-Namespace"], q.Header["X-Ingress-Name"],
		q.Header["X-Service-Name"], q.Header["X-Service-Port"], q.Header["X-Original-Uri"], len(q.Header["X-Request-Id"])))
	w.WriteHeader(status)
	io.WriteString(w, "page")
}

func TestErrorPages_replace(t *testing.T) {
	for name, transport := range map[string]model.Transport{"HTTP/1.1": {}, "HTTP/2": overHTTP2} {
		t.Run(name, func(t *testing.T) {
			r := pagesRig(t, transport, echoPage, nil)
			c := r.dial()
			got := c.post("/404?x=1", "body", "Accept: text/html", "X-Code: 200")
			if got.status != 404 || got.body != "page" || got.header.Get("X-App") != "" || got.header.Get("Content-Type") != "text/html" {
				t.Errorf("got %+v", got)
			}
			const want = "GET/?x=1 [text/html] [shop] [cart-ingress] [cart] [80] [/404?x=1] 1"
			if seen := got.header.Get("X-Seen"); seen != want {
				t.Errorf("the Service saw %s, want %s", seen, want)
			}
			if !strings.HasPrefix(got.header.Get("Set-Cookie"), "limpet-cart=") {
				t.Errorf("no token in %v", got.header)
			}
			if got := c.get("/500"); got.status != 500 || got.body != "app" {
				t.Errorf("a status that is not listed: got %+v", got)
			}
			if got := c.get("/200"); got.status != 200 || got.body != "app" {
				t.Errorf("on the same connection: got %+v", got)
			}
			c.send(request("HEAD", "/404", ""))
			if got := c.read("HEAD"); got.status != 404 || !strings.HasPrefix(got.header.Get("X-Seen"), "HEAD/") {
				t.Errorf("HEAD: got %+v", got)
			}
		})
	}
}

func TestErrorPages_keepConnection(t *testing.T) {
	r := pagesRig(t, model.Transport{}, echoPage, nil)
	app := startPod(t, "app", func(c *podConn) {
		for c.head() != "" {
			c.say("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\napp")
		}
	})
	r.replace(cart, app.endpoint(model.EndpointReady))
	c := r.dial()
	for range 3 {
		c.get("/x").expectStatus(t, 404)
	}
	if n := app.accepted(); n != 1 {
		t.Errorf("3 requests used %d connections", n)
	}
}

// TestErrorPages_broken checks that the status of the pod is sent if there is no page.
func TestErrorPages_broken(t *testing.T) {
	for name, page := range map[string]http.HandlerFunc{
		"reset":    func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"too long": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, strings.Repeat("x", 1<<20)) },
	} {
		r := pagesRig(t, model.Transport{}, page, nil)
		got := r.dial().get("/404")
		if got.status != 404 || got.body != "Not Found.\n" || !strings.HasPrefix(got.header.Get("Set-Cookie"), "limpet-cart=") {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	r := pagesRig(t, model.Transport{}, echoPage, nil)
	r.replace(pages)
	if got := r.dial().get("/404"); got.status != 404 || got.body != "Not Found.\n" {
		t.Errorf("without endpoints: got %+v", got)
	}
}

func TestErrorPages_statusOfPage(t *testing.T) {
	redirect := func(w http.ResponseWriter, q *http.Request) { http.Redirect(w, q, "/sorry", http.StatusFound) }
	r := pagesRig(t, model.Transport{}, redirect, nil)
	if got := r.dial().get("/404"); got.status != 302 || got.header.Get("Location") == "" {
		t.Errorf("got %+v", got)
	}
}

func TestErrorPages_keepsPods(t *testing.T) {
	r := pagesRig(t, model.Transport{}, echoPage, func(m *model.Route) { m.Filters.ErrorPages.KeepsPods = true })
	if got := r.dial().get("/404"); got.status != 404 || got.body != "app" {
		t.Errorf("got %+v", got)
	}
	r.replace(cart, deadPod(t, "dead").endpoint(model.EndpointReady))
	if got := r.dial().get("/404"); got.status != 503 || got.body != "page" {
		t.Errorf("no pod accepts connections: got %+v", got)
	}
}

func TestFallback_noEndpoints(t *testing.T) {
	r := pagesRig(t, model.Transport{}, func(w http.ResponseWriter, q *http.Request) {
		body, _ := io.ReadAll(q.Body)
		fmt.Fprint(w, q.Method, q.URL, string(body), q.Header["X-Code"], q.Header["X-Service-Name"], q.Header["X-Ingress-Name"])
	}, nil)
	r.replace(cart)
	got := r.dial().post("/x?y", "body", "X-Code: 1")
	got.expectOK(t, "POST/x?ybody[503] [cart] [cart-ingress]")
	if len(got.header["Set-Cookie"]) != 0 {
		t.Errorf("got a token of no session: %v", got.header)
	}
	r.replace(pages)
	r.dial().get("/").expectStatus(t, 503)
}

func TestFallback_noBackend(t *testing.T) {
	r := pagesRig(t, model.Transport{}, echoPage, func(m *model.Route) { m.Backends = nil })
	if got := r.dial().get("/"); got.status != 503 || got.body != "page" {
		t.Errorf("got %+v", got)
	}
}

// TestErrorPages_refusals replaces the responses of filters, as nginx does. The pod gets none of the requests.
func TestErrorPages_refusals(t *testing.T) {
	deny := model.AddressList{Deny: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	for name, c := range map[string]struct {
		change func(*model.Route)
		status int
		field  string // of the response
	}{
		"address":     {func(m *model.Route) { m.Filters.Access = &model.Access{Addresses: &deny} }, 403, ""},
		"credentials": {func(m *model.Route) { m.Filters.Access = &model.Access{Passwords: passwords("")} }, 401, "WWW-Authenticate"},
		"body":        {func(m *model.Route) { m.Limits = &model.Limits{MaxBodyBytes: 1} }, 413, ""},
		"redirect":    {func(m *model.Route) { m.Filters.Redirect = &model.Redirect{Status: 308, URL: "http://a.example/"} }, 308, "Location"},
	} {
		r := pagesRig(t, model.Transport{}, echoPage, func(m *model.Route) {
			m.Filters.ErrorPages.Statuses = []int{308, 401, 403, 413, 503}
			c.change(m)
		})
		got := r.dial().post("/200", "body")
		if got.status != c.status || got.body != "page" || c.field != "" && got.header.Get(c.field) == "" {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	r := pagesRig(t, model.Transport{}, echoPage, func(m *model.Route) { m.Closed = "it is closed" })
	if got := r.dial().get("/200"); got.status != 503 || got.body == "page" {
		t.Errorf("a closed route: got %+v", got)
	}
}
