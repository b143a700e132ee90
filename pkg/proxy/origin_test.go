package proxy

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/pires/go-proxyproto"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/observe"
)

// tlsInfo is the TLV about TLS with these bits.
func tlsInfo(bits byte) proxyproto.TLV {
	return proxyproto.TLV{Type: proxyproto.PP2_TYPE_SSL, Value: []byte{bits, 0, 0, 0, 1}}
}

// Cookie, Strict-Transport-Security, forwarding fields and access log agree on the scheme.
func TestOrigin_schemeEverywhere(t *testing.T) {
	block := func(tlvs ...proxyproto.TLV) string {
		return proxyBlock(t, "192.0.2.1:1", "198.51.100.7:443", tlvs...)
	}
	for _, c := range []struct {
		name   string
		proxy  string // PROXY protocol header
		fields []string
		want   string
	}{
		{"cleartext", "", nil, "http"},
		{"cleartext of a proxy", "", []string{"X-Forwarded-Proto: http"}, "http"},
		{"TLS of a proxy", "", []string{"X-Forwarded-Proto: https"}, "https"},
		{"TLS of two proxies", "", []string{"X-Forwarded-Proto: HTTPS,http"}, "https"},
		{"WebSocket over TLS", "", []string{"X-Forwarded-Proto: wss"}, "https"},
		{"no TLV", block(), nil, "http"},
		{"TLS of a balancer", block(tlsInfo(1)), nil, "https"},
		{"TLS with a certificate", block(proxyproto.TLV{Type: 0xee}, tlsInfo(7)), nil, "https"},
		{"cleartext of a balancer", block(tlsInfo(0)), nil, "http"},
		{"short TLV", block(proxyproto.TLV{Type: proxyproto.PP2_TYPE_SSL, Value: []byte{1}}), nil, "http"},
		{"a client behind a balancer", block(), []string{"X-Forwarded-Proto: https"}, "http"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var log logLines
			access := observe.NewAccessLog(&log, observe.AccessLogOptions{JSON: true})
			r := newRig(t, trusting(), func(o *Options) {
				if o.AccessLog = access; c.proxy != "" {
					behind(o)
				}
			})
			p := startEcho(t, "pod-a")
			r.replace(cart, endpointsOf(p)...)
			route := routeTo(cart, cookieAffinity())
			route.TransportSecurity = "max-age=9"
			r.publish(route)
			client := r.dial()
			client.send(c.proxy)
			a := client.get("/", c.fields...)
			eventually(t, "the entry in the log", func() bool { return len(p.requests()) == 1 })
			client.Close()
			eventually(t, "the connection to be closed", r.server.conns.empty)
			access.Close()
			secure := c.want == "https"
			if set := a.header.Get("Set-Cookie"); strings.Contains(set, "; Secure") != secure {
				t.Errorf("Set-Cookie: %s", set)
			}
			if got := a.header.Get("Strict-Transport-Security"); got == "max-age=9" != secure {
				t.Errorf("Strict-Transport-Security: %q", got)
			}
			if got := fmt.Sprint(log.parsed(t)[0]["scheme"]); got != c.want {
				t.Errorf("the log has scheme %s", got)
			}
			head := p.requests()[0]
			expectFields(t, head, "X-Forwarded-Proto: "+c.want)
			if forwarded := fieldLines(head, "Forwarded"); !strings.Contains(forwarded[0], "proto="+c.want) {
				t.Errorf("got %q", forwarded)
			}
		})
	}
}

// The cookie that ends a session must have the attributes of the one that began it, or browsers keep it.
func TestOrigin_expiredCookie(t *testing.T) {
	r := newRig(t, trusting())
	pod := startAnswering(t, "pod-a", okHead+"Limpet-Release-Session: 1\r\nContent-Length: 0\r\n\r\n")
	r.serve(cookieAffinity(), pod)
	set := r.dial().get("/", "X-Forwarded-Proto: https").header.Get("Set-Cookie")
	if !strings.Contains(set, "; Secure") {
		t.Errorf("got %q", set)
	}
}

// A TLV does not replace the client certificate that a host requires.
func TestOrigin_certificateOfBalancer(t *testing.T) {
	r := newRig(t, behind)
	p := startEcho(t, "pod-a")
	r.replace(cart, endpointsOf(p)...)
	route := routeTo(cart, nil)
	route.Clients = &model.ClientCertificates{Required: true, Fingerprint: "a"}
	r.publish(route)
	client := r.dial()
	client.send(proxyBlock(t, "192.0.2.1:1", "198.51.100.7:443", tlsInfo(7)))
	client.get("/").expectStatus(t, http.StatusForbidden)
}
