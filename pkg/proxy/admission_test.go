package proxy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/observe"
)

// expectRejected checks that a connection over the limit is rejected with 503.
func (c *caller) expectRejected() {
	c.t.Helper()
	a := c.post("/", "a body")
	a.expectStatus(c.t, 503)
	if !a.close || a.header.Get("Retry-After") != "5" || a.err != nil {
		c.t.Errorf("it is turned away with %q, %v", a.header, a.err)
	}
	c.expectClosed()
}

func TestMaxConnections_overLimit(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Connections.Total = 3 })
	r.serve(nil, startEcho(t, "pod-a"))
	var open []*caller
	for range 3 {
		c := r.dial()
		c.get("/").expectOK(t, "")
		open = append(open, c)
	}
	r.dial().expectRejected()
	r.expectMetric(`limpet_connections_refused_total{reason="total_limit"}`, 1)
	for _, c := range open {
		c.get("/").expectOK(t, "") // they do not notice
	}
	open[0].Close()
	eventually(t, "the connection to be closed", func() bool { return r.server.admission.open.Load() == 2 })
	r.dial().get("/").expectOK(t, "")
}

// Behind the PROXY protocol, the limit applies to the client address in the PROXY header.
func TestMaxConnectionsPerClient_isolation(t *testing.T) {
	r := newRig(t, behind, func(o *Options) { o.Connections.PerClient = 2 },
		func(o *Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")} })
	r.serve(nil, startEcho(t, "pod-a"))
	call := func(from string) *caller {
		c := r.dial()
		family := 4
		if netip.MustParseAddr(from).Is6() {
			family = 6
		}
		to := map[int]string{4: "198.51.100.7", 6: "2001:db8:f::1"}[family]
		c.send(fmt.Sprintf("PROXY TCP%d %s %s 4711 443\r\n", family, from, to))
		return c
	}
	first := call("192.0.2.1")
	first.get("/").expectOK(t, "")
	call("192.0.2.1").get("/").expectOK(t, "")
	call("2001:db8::1").get("/").expectOK(t, "")
	call("2001:db8::2").get("/").expectOK(t, "")

	call("192.0.2.1").expectRejected()
	call("2001:db8::3").expectRejected()
	r.expectMetric(`limpet_connections_refused_total{reason="client_limit"}`, 2)
	call("192.0.2.2").get("/").expectOK(t, "")
	call("2001:db8:0:1::1").get("/").expectOK(t, "")
	for range 4 {
		call("203.0.113.1").get("/").expectOK(t, "") // it speaks for many
	}
	first.get("/").expectOK(t, "")

	first.Close()
	one := netip.MustParseAddr("192.0.2.1")
	counts := r.server.admission.countsFor(one)
	eventually(t, "the connection to be closed", func() bool {
		counts.mu.Lock()
		defer counts.mu.Unlock()
		return counts.open[one] == 1
	})
	call("192.0.2.1").get("/").expectOK(t, "")
}

// Clients that are gone are not remembered.
func TestAdmission_clientsAreForgotten(t *testing.T) {
	a := admission{limits: ConnectionLimits{PerClient: 1}, metrics: observe.NewMetrics()}
	for i := range 1000 {
		c := &client{Connection: exchange.Connection{Peer: netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})}}
		if !a.acquireClient(c) {
			t.Fatal("a new client is refused")
		}
		a.releaseClient(c.admissionKey)
	}
	for i := range a.clients {
		if n := len(a.clients[i].open); n > 0 {
			t.Errorf("%d clients are remembered", n)
		}
	}
}

func TestMaxRequests_http1(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Connections.Requests = 3 })
	r.serve(cookieAffinity(), startEcho(t, "pod-a"), startEcho(t, "pod-b"))
	cookie, home := "", ""
	for range 3 {
		client := r.dial()
		for i := 1; i <= 3; i++ {
			a := client.post("/", "body", "Cookie: "+cookie)
			a.expectOK(t, "body")
			if a.close != (i == 3) {
				t.Errorf("after request %d the connection is closed: %v", i, a.close)
			}
			if home == "" {
				cookie, home = strings.TrimPrefix(a.cookie(t), "Cookie: "), a.header.Get("X-Pod")
			} else if pod := a.header.Get("X-Pod"); pod != home {
				t.Errorf("the session of %s is served by %s", home, pod)
			}
		}
		client.expectClosed()
	}
}

// Over HTTP/2, requests that are in transit when GOAWAY is sent are served too.
func TestMaxRequests_http2(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Connections.Requests = 3 })
	r.serve(nil, startEcho(t, "pod-a"))
	p := dialHTTP2(t, r.addr)
	for id := uint32(1); id <= 9; id += 2 {
		p.must(p.open(id, true, plain...))
	}
	answered, goodbyes := 0, []uint32{}
	for frame, err := p.ReadFrame(); err == nil; frame, err = p.ReadFrame() {
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			answered++
		case *http2.GoAwayFrame:
			goodbyes = append(goodbyes, f.LastStreamID)
		case *http2.PingFrame:
			p.must(p.WritePing(true, f.Data))
		}
	}
	if want := []uint32{1<<31 - 1, 9}; answered != 5 || !slices.Equal(goodbyes, want) {
		t.Errorf("%d of 5 requests were served; the GOAWAY frames name streams %d, want %d", answered, goodbyes, want)
	}
}
