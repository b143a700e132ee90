package proxy

import (
	"net"
	"testing"

	"golang.org/x/net/http2"
)

func TestClientReset_freesPod(t *testing.T) {
	r, secure := tlsRig(t)
	p := startSilent(t)
	r.serve(nil, p)
	overTLS, _ := dialTLS(t, secure, "shop.example")
	get, half := request("GET", "/", ""), "POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 10\r\n\r\nhalf"
	for name, c := range map[string]struct {
		client *caller
		send   string
	}{"cleartext": {r.dial(), get}, "over TLS": {overTLS, get}, "with half a body": {r.dial(), half}} {
		t.Run(name, func(t *testing.T) {
			c.client.send(c.send)
			eventually(t, "the request to arrive", func() bool { return p.connections() > 0 })
			resetTCP(c.client.Conn)
			eventually(t, "the pod to be released", func() bool { return p.connections() == 0 })
		})
	}
	r.expectMetric(`limpet_requests_total{code="4xx",pool="shop/cart:80"}`, 3)
	for _, code := range []string{"500", "502", "503", "504", "5xx"} {
		r.expectMetric(`limpet_requests_total{code="`+code+`",pool="shop/cart:80"}`, 0)
	}
}

// The end of what a client sends is no sign that it has gone.
func TestClientHalfClose_receivesResponse(t *testing.T) {
	r := newRig(t)
	release := make(chan struct{})
	p := startPod(t, "pod-a", func(c *podConn) {
		c.request()
		<-release
		c.answer("late")
	})
	r.serve(nil, p)
	client := r.dial()
	client.send(request("GET", "/", ""))
	client.Conn.(*net.TCPConn).CloseWrite()
	eventually(t, "the request to arrive", func() bool { return len(p.requests()) == 1 })
	looked := r.server.Clock() + 2*resetCheckInterval
	eventually(t, "the sweeper to look", func() bool { return r.server.Clock() > looked })
	close(release)
	client.read("GET").expectOK(t, "late")
}

func TestHTTP2_resetFreesPod(t *testing.T) {
	r := newRig(t)
	p := startSilent(t)
	r.serve(nil, p)
	client := dialHTTP2(t, r.addr)
	client.must(client.open(1, true, plain...), client.open(3, true, plain...))
	eventually(t, "the requests to arrive", func() bool { return p.connections() == 2 })
	client.must(client.WriteRSTStream(1, http2.ErrCodeCancel))
	eventually(t, "one request to be released", func() bool { return p.connections() == 1 })
	client.conn.Close()
	eventually(t, "the other one to be released", func() bool { return p.connections() == 0 })
	r.expectMetric(`limpet_requests_total{code="4xx",pool="shop/cart:80"}`, 2)
}

// resetTCP closes a connection with a RST instead of a FIN. It works below TLS too.
func resetTCP(conn net.Conn) {
	if over, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = over.NetConn()
	}
	conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
}
