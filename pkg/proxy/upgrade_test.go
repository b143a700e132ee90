package proxy

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/model"
)

const (
	handshake = "GET /chat HTTP/1.1\r\nHost: shop.example\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"
)

// startSocket runs a pod that accepts the handshake with what is glued to it, and echoes what comes then.
func startSocket(t *testing.T, glued string) *pod {
	t.Helper()
	return startPod(t, "pod-a", func(c *podConn) {
		if c.head() != "" && c.say(switching+glued) {
			io.Copy(c.Conn, c.Reader)
		}
	})
}

// upgrade makes the handshake, with what is glued to it, and reads the head of its response.
func (r *rig) upgrade(glued string) *caller {
	r.t.Helper()
	client := r.dial()
	client.send(handshake + glued)
	if head := strings.Join(client.head(), "\n"); !strings.HasPrefix(head, "HTTP/1.1 101") ||
		!strings.Contains(head, "Upgrade: websocket") || !strings.Contains(head, "Connection: Upgrade") ||
		!strings.Contains(head, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") {
		r.t.Fatalf("the handshake got %q", head)
	}
	return client
}

// Bytes that arrive in one piece with a handshake belong to the stream (G2 of research/stock-go-findings.md).
func TestUpgrade_bytesAroundHandshake(t *testing.T) {
	long := strings.Repeat("x", 20<<10)
	for _, c := range []struct{ fromClient, fromPod string }{
		{"", ""}, {"hello", ""}, {"", "welcome"}, {"hello", "welcome"}, {long, long},
	} {
		t.Run(fmt.Sprint(len(c.fromClient), " and ", len(c.fromPod)), func(t *testing.T) {
			r := newRig(t)
			r.serve(nil, startSocket(t, c.fromPod))
			client := r.upgrade(c.fromClient)
			client.expect(c.fromPod + c.fromClient)
			client.send("more")
			client.expect("more")
		})
	}
}

func TestTunnel_largeBothWays(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startSocket(t, ""))
	client := r.upgrade("")
	go io.WriteString(client.Conn, mebibyte)
	client.expect(mebibyte)
}

func TestWebSocket_newHandshakeToPod(t *testing.T) {
	r := newRig(t)
	p := startSocket(t, "")
	r.serve(nil, p)
	r.upgrade("")
	head := p.requests()[0]
	if got := fieldLines(head, "Connection"); len(got) != 1 || got[0] != "Connection: Upgrade" {
		t.Errorf("Connection is %q", got)
	}
	for _, name := range []string{"Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Version"} {
		if got := fieldLines(head, name); len(got) != 1 {
			t.Errorf("%s is %q", name, got)
		}
	}
}

func TestWebSocket_sticky(t *testing.T) {
	r := newRig(t)
	p := startSocket(t, "")
	r.serve(cookieAffinity(), p)
	client := r.dial()
	client.send(handshake)
	if head := strings.Join(client.head(), "\n"); !strings.Contains(head, "Set-Cookie: limpet-cart=") {
		t.Errorf("no token in %q", head)
	}
	set := r.pools.Pool(cart).Set()
	eventually(t, "the stream to be counted", func() bool { return set.ActiveRequests(0) == 1 })
	client.Close()
	eventually(t, "the stream to be over", func() bool { return set.ActiveRequests(0) == 0 })
	eventually(t, "the pod to notice", func() bool { return p.connections() == 0 })
	r.expectMetric(`limpet_streams{kind="websocket"}`, 0)
}

// A 101 without an Upgrade in the request would open a tunnel past every rule.
func TestUpgrade_notRequested(t *testing.T) {
	const to = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: %s\r\n\r\n"
	h2c := request("GET", "/", "", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")
	byPost := request("POST", "/", "body", "Connection: Upgrade", "Upgrade: websocket")
	for _, c := range []struct{ name, request, answer string }{
		{"no upgrade requested", request("GET", "/", ""), fmt.Sprintf(to, "websocket")},
		{"h2c requested", h2c, fmt.Sprintf(to, "h2c")},
		{"websocket requested by POST", byPost, fmt.Sprintf(to, "websocket")},
		{"websocket requested in HTTP/1.0", strings.Replace(handshake, "HTTP/1.1", "HTTP/1.0", 1), fmt.Sprintf(to, "websocket")},
		{"another protocol given", handshake, fmt.Sprintf(to, "h2c")},
		{"no protocol given", handshake, "HTTP/1.1 101 Switching Protocols\r\n\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			p := startPod(t, "pod-a", func(conn *podConn) {
				if conn.head() != "" {
					conn.say(c.answer)
					conn.untilClosed()
				}
			})
			r.serve(cookieAffinity(), p)
			client := r.dial()
			client.send(c.request)
			a := client.read("GET")
			a.expectStatus(t, 502)
			if a.cookie(t) != "" {
				t.Error("a token is issued")
			}
			for _, head := range p.requests() {
				if asked := fieldLines(head, "Upgrade"); len(asked) > 0 && c.request != handshake {
					t.Errorf("the pod got a request for %q", asked)
				}
			}
		})
	}
}

func TestWebSocket_refusedHandshakeKeepAlive(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startEcho(t, "pod-a"))
	client := r.dial()
	client.send(handshake)
	client.read("GET").expectOK(t, "")
	client.post("/", "body").expectOK(t, "body")
}

func TestStream_survivesChanges(t *testing.T) {
	r := newRig(t)
	p, other := startSocket(t, ""), startEcho(t, "pod-b")
	r.serve(cookieAffinity(), p)
	client := r.upgrade("")
	for name, change := range map[string]func(){
		"draining":         func() { r.replace(cart, p.endpoint(model.EndpointDraining)) },
		"another pod":      func() { r.replace(cart, endpointsOf(other)...) },
		"no pod":           func() { r.replace(cart) },
		"another table":    func() { r.publish(routeTo(blog, nil)) },
		"an empty table":   func() { r.publish() },
		"the pool dropped": func() { r.pools.Retain(nil) },
	} {
		change()
		client.send(name)
		client.expect(name)
	}
}

func TestTunnel_eitherSideEndsFirst(t *testing.T) {
	closeWrite := func(c net.Conn) { c.(interface{ CloseWrite() error }).CloseWrite() }
	r := newRig(t)
	p := startPod(t, "pod-a", func(c *podConn) {
		if c.head() == "" || !c.say(switching) {
			return
		}
		if c.nth == 1 { // the client ends first
			all, _ := io.ReadAll(c.Reader)
			c.say("got " + string(all))
			return
		}
		c.say("bye")
		closeWrite(c.Conn)
		all, _ := io.ReadAll(c.Reader)
		c.pod.note(string(all))
	})
	r.serve(nil, p)

	client := r.upgrade("some")
	closeWrite(client.Conn)
	if got := client.rest(); got != "got some" {
		t.Errorf("after its own end the client got %q", got)
	}

	client = r.upgrade("")
	if got := client.rest(); got != "bye" {
		t.Errorf("the client got %q", got)
	}
	client.send("after all")
	client.Close()
	eventually(t, "the pod to get the rest", func() bool {
		all := p.requests()
		return all[len(all)-1] == "after all"
	})
	eventually(t, "the stream to be over", r.server.conns.empty)
}

// Neither side is waited for after the other one has died.
func TestTunnel_deadPeer(t *testing.T) {
	r := newRig(t, quick(func(o *exchange.Timeouts) { o.Response = 200 * time.Millisecond }))
	done := make(chan struct{})
	defer close(done)
	r.serve(nil, startPod(t, "pod-a", func(c *podConn) {
		if c.head() != "" && c.say(switching) {
			<-done // regardless of the other side
		}
	}))
	for name, end := range map[string]func(*caller){
		"reset":    func(c *caller) { c.Conn.(*net.TCPConn).SetLinger(0); c.Close() },
		"closed":   func(c *caller) { c.Close() },
		"half end": func(c *caller) { c.Conn.(*net.TCPConn).CloseWrite() },
	} {
		end(r.upgrade(""))
		eventually(t, name+": the stream to end", r.server.conns.empty)
	}
}
