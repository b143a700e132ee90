package proxy

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/limpet-dev/limpet/pkg/model"
)

// decideByCookie admits requests with a cookie.
func decideByCookie(w http.ResponseWriter, q *http.Request) {
	if q.Method != http.MethodGet || q.Header.Get("X-Original-Method") != http.MethodGet || q.Header.Get("Upgrade") != "" {
		w.WriteHeader(http.StatusInternalServerError)
	} else if q.Header.Get("Cookie") == "" {
		w.WriteHeader(http.StatusUnauthorized)
	}
}

// upgradeFilters are filters of a route, and the status of a handshake without and with the cookie.
func upgradeFilters() map[string]struct {
	filters         model.Filters
	without, withIt int
} {
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	limit := rateLimit("upgrade")
	limit.Connections = 1
	type c = struct {
		filters         model.Filters
		without, withIt int
	}
	auth := &model.ExternalAuth{URL: "http://oauth2-proxy.auth.svc:4180/", Service: &authService}
	return map[string]c{
		"external authentication": {model.Filters{ExternalAuth: auth}, 401, 101},
		"denied":                  {model.Filters{Access: &model.Access{Addresses: &model.AddressList{Deny: loopback}}}, 403, 403},
		"allowed":                 {model.Filters{Access: &model.Access{Addresses: &model.AddressList{Allow: loopback}}}, 101, 101},
		"passwords":               {model.Filters{Access: &model.Access{Passwords: passwords("")}}, 401, 401},
		"any": {model.Filters{ExternalAuth: auth, Access: &model.Access{SatisfiesAny: true,
			Addresses: &model.AddressList{Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}}}, 401, 101},
		"redirect":    {model.Filters{Redirect: &model.Redirect{Status: 302, URL: "http://a.example/"}}, 302, 302},
		"mirror":      {model.Filters{Mirror: &model.Mirror{URL: "http://oauth2-proxy.auth.svc:4180/", Service: &authService}}, 101, 101},
		"compression": {model.Filters{Compression: &model.Compression{Gzip: true}}, 101, 101},
		"rate":        {model.Filters{ResponseRate: &model.ResponseRate{BytesPerSecond: 1 << 20}}, 101, 101},
		"error pages": {model.Filters{ErrorPages: &model.ErrorPages{Statuses: []int{401, 500}, Service: authService}}, 101, 101},
		"headers": {model.Filters{Headers: &model.HeaderChanges{Request: []model.HeaderField{{Name: "X-A", Value: "1"}},
			Response: []model.HeaderField{{Name: "X-B", Value: "1"}}}}, 101, 101},
		"connections": {model.Filters{RateLimit: limit}, 101, 101},
	}
}

// Filters decide about handshakes of WebSockets as about other requests, over HTTP/1.1 and HTTP/2.
func TestFilters_webSocket(t *testing.T) {
	for name, c := range upgradeFilters() {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			p := startWebSocket(t, "pod-a", "")
			r.replace(cart, p.endpoint(model.EndpointReady))
			service := startBackend(t, nil, decideByCookie)
			r.replace(authService, model.Endpoint{ID: "s", Address: addressOf(service), State: model.EndpointReady})
			route := routeTo(cart, nil)
			route.Filters = &c.filters
			r.publish(route)
			for cookie, want := range map[string]int{"": c.without, "Cookie: sid=ann\r\n": c.withIt} {
				client := r.dial()
				client.send(strings.Replace(handshake, "Upgrade: websocket\r\n", "Upgrade: websocket\r\n"+cookie, 1))
				got := client.read("GET")
				if got.status != want {
					t.Errorf("HTTP/1.1 with %q: status %d, want %d", cookie, got.status, want)
				}
				client.Close()
				if name == "connections" {
					eventually(t, "the tunnel to end", func() bool { return p.connections() == 0 })
				}
				fields := connect
				if cookie != "" {
					fields = append(fields[:len(fields):len(fields)], "cookie", "sid=ann")
				}
				status := map[int]string{101: "200", 401: "401", 403: "403", 302: "302"}[want]
				if got := webSocketOverHTTP2(t, r.addr, fields); got != status {
					t.Errorf("HTTP/2 with %q: status %s, want %s", cookie, got, status)
				}
				if name == "connections" {
					eventually(t, "the tunnel to end", func() bool { return p.connections() == 0 })
				}
			}
			if len(p.requests()) > 0 != (c.withIt == 101) {
				t.Errorf("the pod got %q", p.requests())
			}
		})
	}
}

// webSocketOverHTTP2 requests a WebSocket, closes the connection, and returns the status.
func webSocketOverHTTP2(t *testing.T, addr string, fields []string) string {
	t.Helper()
	client := dialHTTP2(t, addr)
	defer client.conn.Close()
	client.await("settings", func(f http2.Frame) bool { return f.Header().Type == http2.FrameSettings })
	client.must(client.open(1, false, fields...))
	return client.outcome(1)
}

// A client that waits for a 100 (Continue) gets the refusal instead of it, and its body is not awaited.
func TestFilters_expectContinue(t *testing.T) {
	r, app, _ := authRig(t, says("401 Unauthorized", ""), nil)
	c := r.dial()
	c.send("POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n")
	if head := c.head(); len(head) == 0 || !strings.HasPrefix(head[0], "HTTP/1.1 401") {
		t.Errorf("got %q", head)
	}
	if n := len(app.requests()); n != 0 {
		t.Errorf("the pod got %d requests", n)
	}
}
