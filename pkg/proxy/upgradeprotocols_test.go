package proxy

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/observe"
)

// startUpgrading runs a pod that switches to the protocol that a request names, and echoes what comes then. It responds 426 to
// a request that names none.
func startUpgrading(t *testing.T) *pod {
	t.Helper()
	return startPod(t, "pod-a", func(c *podConn) {
		for head := c.head(); head != ""; head = c.head() {
			named := fieldLines(head, "Upgrade")
			if len(named) == 0 {
				c.say("HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n")
				continue
			}
			c.say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n" + named[0] + "\r\n\r\n")
			io.Copy(c.Conn, c.Reader)
			return
		}
	})
}

func allowing(protocols ...string) model.Route {
	route := routeTo(cart, nil)
	route.UpgradeProtocols = protocols
	return route
}

func TestUpgradeProtocols_allowed(t *testing.T) {
	for _, c := range []struct{ name, method, requested, want string }{
		{"listed", "POST", "SPDY/3.1", "SPDY/3.1"},
		{"any case", "GET", "spdy/3.1", "spdy/3.1"},
		{"second", "GET", "tailscale-control-protocol", "tailscale-control-protocol"},
		{"one of several", "GET", "h2c, SPDY/4,tailscale-control-protocol , SPDY/3.1", "tailscale-control-protocol"},
		{"WebSocket", "GET", "websocket", "websocket"},
		{"WebSocket first", "GET", "SPDY/3.1, websocket", "websocket"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			p := startUpgrading(t)
			r.replace(cart, endpointsOf(p)...)
			r.publish(allowing("SPDY/3.1", "tailscale-control-protocol"))
			client := r.dial()
			client.send(request(c.method, "/", "", "Connection: Upgrade", "Upgrade: "+c.requested) + "hello")
			head := strings.Join(client.head(), "\n")
			if !strings.HasPrefix(head, "HTTP/1.1 101 ") || !strings.Contains(head, "\nConnection: Upgrade\nUpgrade: "+c.want) {
				t.Fatalf("got %q", head)
			}
			client.expect("hello")
			client.send("more")
			client.expect("more")
			kind := "upgrade"
			if c.want == "websocket" {
				kind = "websocket"
			}
			r.expectMetric(fmt.Sprintf(`limpet_streams{kind=%q}`, kind), 1)
			expectFields(t, p.requests()[0], "Connection: Upgrade", "Upgrade: "+c.want)
			r.expectMetric("limpet_stripped_upgrades_total", 0)
		})
	}
}

func TestUpgradeProtocols_stripped(t *testing.T) {
	for _, c := range []struct {
		name, request, logged string
	}{
		{name: "not listed", request: request("GET", "/", "", "Connection: Upgrade", "Upgrade: SPDY/4"), logged: "SPDY/4"},
		{name: "h2c", request: request("GET", "/", "", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk"), logged: "h2c"},
		{name: "with a body", request: request("POST", "/", "body", "Connection: Upgrade", "Upgrade: SPDY/3.1"), logged: "SPDY/3.1"},
		{name: "WebSocket by POST", request: request("POST", "/", "", "Connection: Upgrade", "Upgrade: websocket"), logged: "websocket"},
		{name: "not in Connection", request: request("GET", "/", "", "Upgrade: SPDY/3.1"), logged: "SPDY/3.1"},
		{name: "several fields", request: request("GET", "/", "", "Connection: Upgrade", "Upgrade: SPDY/3.1", "Upgrade: a"), logged: "SPDY/3.1"},
		{
			name: "HTTP/1.0", logged: "SPDY/3.1",
			request: strings.Replace(request("GET", "/", "", "Connection: Upgrade", "Upgrade: SPDY/3.1"), "HTTP/1.1", "HTTP/1.0", 1),
		},
		{
			name: "long", request: request("GET", "/", "", "Connection: Upgrade", "Upgrade: "+strings.Repeat("x", 999)),
			logged: strings.Repeat("x", 64),
		},
		{name: "none", request: request("GET", "/", "")},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log logLines
			access := observe.NewAccessLog(&log, observe.AccessLogOptions{JSON: true})
			r := newRig(t, func(o *Options) { o.AccessLog = access })
			p := startPod(t, "pod-a", func(conn *podConn) {
				for conn.request() != nil && conn.answer("hello") {
				}
			})
			r.replace(cart, endpointsOf(p)...)
			r.publish(allowing("SPDY/3.1"))
			client := r.dial()
			client.send(c.request)
			client.read("GET").expectOK(t, "hello")
			expectFields(t, p.requests()[0], "Upgrade:", "HTTP2-Settings:")
			want := 1
			if c.logged == "" {
				want = 0
			}
			r.expectMetric("limpet_stripped_upgrades_total", want)
			client.Close()
			eventually(t, "the connection to be closed", r.server.conns.empty)
			access.Close()
			if got, _ := log.parsed(t)[0]["strippedUpgrade"].(string); got != c.logged {
				t.Errorf("the log has %q", got)
			}
		})
	}
}

// A pod may not switch to another protocol than the one that was requested.
func TestUpgradeProtocols_switchToAnother(t *testing.T) {
	for _, given := range []string{"h2c", "websocket", "SPDY/3.1, h2c", ""} {
		r := newRig(t)
		p := startPod(t, "pod-a", func(c *podConn) {
			if c.head() != "" {
				c.say("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + given + "\r\n\r\n")
				c.untilClosed()
			}
		})
		r.replace(cart, endpointsOf(p)...)
		r.publish(allowing("SPDY/3.1"))
		r.dial().get("/", "Connection: Upgrade", "Upgrade: SPDY/3.1").expectStatus(t, 502)
	}
}
