package proxy

import (
	"crypto/tls"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/pires/go-proxyproto"
)

// behind makes loopback a load balancer of the PROXY protocol.
func behind(o *Options) { o.ProxyProtocol = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }

// proxyBlock is a header of version 2.
func proxyBlock(t *testing.T, source, destination string, tlvs ...proxyproto.TLV) string {
	t.Helper()
	h := proxyproto.HeaderProxyFromAddrs(2, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(source)),
		net.TCPAddrFromAddrPort(netip.MustParseAddrPort(destination)))
	if err := h.SetTLVs(tlvs); err != nil {
		t.Fatal(err)
	}
	block, err := h.Format()
	if err != nil {
		t.Fatal(err)
	}
	return string(block)
}

const blockStart = "\r\n\r\n\x00\r\nQUIT\n"

func TestPROXYProtocol_clientAddress(t *testing.T) {
	for _, c := range []struct{ name, header, client, port string }{
		{"version 1", "PROXY TCP4 192.0.2.1 198.51.100.7 4711 443\r\n", "192.0.2.1", "443"},
		{"version 1, IPv6", "PROXY TCP6 2001:db8::1 2001:db8::2 4711 8443\r\n", "2001:db8::1", "8443"},
		{"version 1, mapped", "PROXY TCP6 ::ffff:192.0.2.9 ::ffff:198.51.100.7 4711 443\r\n", "192.0.2.9", "443"},
		{"version 1, unknown", "PROXY UNKNOWN\r\n", "127.0.0.1", ""},
		{"version 1, unknown with addresses", "PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", "127.0.0.1", ""},
		{"version 2", proxyBlock(t, "192.0.2.1:4711", "198.51.100.7:443"), "192.0.2.1", "443"},
		{"version 2, IPv6", proxyBlock(t, "[2001:db8::1]:4711", "[2001:db8::2]:8443"), "2001:db8::1", "8443"},
		{"version 2 with more", proxyBlock(t, "192.0.2.1:1", "198.51.100.7:443", proxyproto.TLV{Type: 0xee,
			Value: make([]byte, 3000)}), "192.0.2.1", "443"},
		{"version 2, local", blockStart + "\x20\x00\x00\x00", "127.0.0.1", ""},
		{"version 2, local with addresses", blockStart + "\x20\x11\x00\x0c" + "\xc0\x00\x02\x01\xc6\x33\x64\x07\x00\x01\x01\xbb", "127.0.0.1", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, behind)
			p := startEcho(t, "pod-a")
			r.serve(nil, p)
			client := r.dial()
			client.send(c.header + request("GET", "/", "")) // in one piece
			client.read("GET").expectOK(t, "")
			client.get("/").expectOK(t, "")
			for _, head := range p.requests() {
				if got := fieldLines(head, "X-Real-IP"); len(got) != 1 || got[0] != "X-Real-IP: "+c.client {
					t.Errorf("the pod receives %q", got)
				}
				if port := fieldLines(head, "X-Forwarded-Port"); c.port != "" && port[0] != "X-Forwarded-Port: "+c.port {
					t.Errorf("the pod receives %q", port)
				}
			}
		})
	}
}

func TestPROXYProtocol_missingHeader(t *testing.T) {
	for name, sent := range map[string]string{
		"a request":                  request("GET", "/", ""),
		"two headers":                "PROXY TCP4 192.0.2.1 198.51.100.7 1 2\r\nPROXY TCP4 192.0.2.2 198.51.100.7 1 2\r\n",
		"another signature":          "PROXIED TCP4 192.0.2.1 198.51.100.7 1 2\r\n",
		"no CR":                      "PROXY TCP4 192.0.2.1 198.51.100.7 1 2\n" + request("GET", "/", ""),
		"a line that does not end":   "PROXY TCP4 " + strings.Repeat("1", 200),
		"no address":                 "PROXY TCP4\r\n" + request("GET", "/", ""),
		"a name for an address":      "PROXY TCP4 localhost 198.51.100.7 1 2\r\n" + request("GET", "/", ""),
		"an address of another kind": "PROXY TCP4 2001:db8::1 198.51.100.7 1 2\r\n" + request("GET", "/", ""),
		"a port that is too large":   "PROXY TCP4 192.0.2.1 198.51.100.7 1 70000\r\n" + request("GET", "/", ""),
		"a zone":                     "PROXY TCP6 fe80::1%eth0 2001:db8::1 1 2\r\n" + request("GET", "/", ""),
		"version 3":                  blockStart + "\x31\x11\x00\x0c" + strings.Repeat("\x01", 12),
		"an unknown command":         blockStart + "\x22\x11\x00\x0c" + strings.Repeat("\x01", 12),
		"an unknown family":          blockStart + "\x21\x41\x00\x0c" + strings.Repeat("\x01", 12),
		"unspecified":                blockStart + "\x21\x00\x00\x00" + request("GET", "/", ""),
		"a length that is too short": blockStart + "\x21\x11\x00\x0b" + strings.Repeat("\x01", 12),
		"a length that is too long":  blockStart + "\x21\x11\xff\xff" + strings.Repeat("\x01", 1000),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, behind)
			p := startEcho(t, "pod-a")
			r.serve(nil, p)
			client := r.dial()
			client.send(sent)
			if rest := client.rest(); rest != "" && !strings.HasPrefix(rest, "HTTP/1.1 400 ") {
				t.Errorf("it got %q", rest)
			}
			if got := p.requests(); len(got) > 0 {
				t.Errorf("the pod was sent %q", got)
			}
			if name != "two headers" { // the second one is no request
				r.expectMetric(`limpet_connections_refused_total{reason="proxy_protocol"}`, 1)
			}
		})
	}
}

func TestPROXYProtocol_untrustedPeer(t *testing.T) {
	r := newRig(t)
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	for _, header := range []string{"PROXY TCP4 192.0.2.1 198.51.100.7 1 2\r\n", proxyBlock(t, "192.0.2.1:1", "198.51.100.7:2")} {
		client := r.dial()
		client.send(header + request("GET", "/", ""))
		client.read("GET").expectStatus(t, 400)
	}
	if got := p.requests(); len(got) > 0 {
		t.Errorf("the pod was sent %q", got)
	}
}

// One slow load balancer does not keep the others waiting, and not for ever.
func TestPROXYProtocol_timeout(t *testing.T) {
	r := newRig(t, behind, only(head))
	r.serve(nil, startEcho(t, "pod-a"))
	silent, slow := r.dial(), r.dial()
	slow.send("PROXY TCP4 192.0.")
	other := r.dial()
	other.send("PROXY UNKNOWN\r\n")
	other.get("/").expectOK(t, "")
	silent.expectClosed()
	slow.expectClosed()
	r.expectMetric(`limpet_connections_refused_total{reason="proxy_protocol"}`, 2)
}

func TestTLS_healthCheck(t *testing.T) {
	r := newRig(t, behind)
	closed, gone := r.dial(), r.dial()
	closed.Close()
	resetTCP(gone.Conn)
	eventually(t, "the connections to be closed", r.server.conns.empty)
	r.expectMetric(`limpet_connections_refused_total{reason="proxy_protocol"}`, 0)
}

func TestPROXYProtocol_tlsAndHTTP2(t *testing.T) {
	r, secure := tlsRig(t, behind)
	p := startEcho(t, "pod-a")
	r.serve(affinityBy(addressMethod()), p)
	for _, header := range []string{"PROXY TCP4 192.0.2.1 198.51.100.7 4711 443\r\n", proxyBlock(t, "192.0.2.1:1", "198.51.100.7:443")} {
		for _, protocol := range []string{"h2", "http/1.1"} {
			conn, err := net.Dial("tcp", secure)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Write([]byte(header)); err != nil {
				t.Fatal(err)
			}
			over := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{protocol}})
			if protocol == "h2" {
				client := http2Over(t, over)
				client.must(client.open(1, true, plain...))
				if got := client.outcome(1); got != "200" {
					t.Errorf("over HTTP/2: %s", got)
				}
				continue
			}
			callOver(t, over).get("/").expectOK(t, "")
		}
	}
	inClear := dialHTTP2Behind(t, r.addr, "PROXY TCP4 192.0.2.1 198.51.100.7 4711 443\r\n")
	inClear.must(inClear.open(1, true, plain...))
	if got := inClear.outcome(1); got != "200" {
		t.Errorf("over cleartext HTTP/2: %s", got)
	}
	for _, head := range p.requests() {
		if got := fieldLines(head, "X-Real-IP"); len(got) != 1 || got[0] != "X-Real-IP: 192.0.2.1" {
			t.Errorf("the pod receives %q", got)
		}
	}
	if n := len(p.requests()); n != 5 {
		t.Errorf("%d requests", n)
	}
}

func dialHTTP2Behind(t *testing.T, addr, header string) *peer {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte(header)); err != nil {
		t.Fatal(err)
	}
	return http2Over(t, conn)
}
