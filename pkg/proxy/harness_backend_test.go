package proxy

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/test/certificates"
)

// backendName is what podCertificate is made for.
const backendName = "cart.shop.svc"

// podCertificate returns a certificate of its own authority, and that authority.
func podCertificate(tb testing.TB) (pair tls.Certificate, authorityPEM string) {
	tb.Helper()
	made := certificates.SelfSigned(tb, x509.Certificate{
		Subject: pkix.Name{CommonName: backendName}, DNSNames: []string{backendName},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	})
	cert, _ := certificates.PEM(tb, made)
	return *made, string(cert)
}

// startBackend runs a pod based on net/http that speaks HTTP/1.1 and HTTP/2, in cleartext or over TLS.
func startBackend(
	tb testing.TB, pair *tls.Certificate, handler http.HandlerFunc, change ...func(*tls.Config),
) *httptest.Server {
	tb.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetHTTP1(true)
	server.Config.Protocols.SetHTTP2(true)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	if pair == nil {
		server.Start()
	} else {
		server.TLS = &tls.Config{Certificates: []tls.Certificate{*pair}, NextProtos: []string{"h2", "http/1.1"}}
		for _, c := range change {
			c(server.TLS)
		}
		server.StartTLS()
	}
	tb.Cleanup(server.Close)
	return server
}

// serveBy makes addresses the endpoints of cart, and every path lead there by this transport.
func (r *rig) serveBy(t model.Transport, a *model.Affinity, addresses ...string) {
	r.t.Helper()
	var endpoints []model.Endpoint
	for i, address := range addresses {
		name := "cart-" + string(rune('a'+i))
		endpoints = append(endpoints, model.Endpoint{ID: "uid-" + name, Pod: name, Address: address, State: model.EndpointReady})
	}
	r.replace(cart, endpoints...)
	route := routeTo(cart, a)
	route.Backends[0].Transport = t
	r.publish(route)
}

func addressOf(s *httptest.Server) string { return s.Listener.Addr().String() }

// deadAddress is one at which no process listens.
func deadAddress(tb testing.TB) string {
	tb.Helper()
	l := loopback(tb)
	defer l.Close()
	return l.Addr().(*net.TCPAddr).String()
}
