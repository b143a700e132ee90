package proxy

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/test/certificates"
)

func TestBackendTLS_verification(t *testing.T) {
	pair, authority := podCertificate(t)
	_, stranger := podCertificate(t)
	var seen atomic.Int32
	pod := startBackend(t, &pair, func(http.ResponseWriter, *http.Request) { seen.Add(1) })
	inClear := startBackend(t, nil, func(http.ResponseWriter, *http.Request) { seen.Add(1) })
	for name, c := range map[string]struct {
		transport model.Transport
		address   string
	}{
		"another authority": {model.Transport{TLS: true, ServerName: backendName, AuthorityPEM: stranger}, addressOf(pod)},
		"another name":      {model.Transport{TLS: true, ServerName: "blog.shop.svc", AuthorityPEM: authority}, addressOf(pod)},
		"no TLS":            {model.Transport{TLS: true, ServerName: backendName}, addressOf(inClear)},
	} {
		for _, http2 := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " HTTP/2 ", http2), func(t *testing.T) {
				c.transport.HTTP2 = http2
				r := newRig(t)
				r.serveBy(c.transport, nil, c.address)
				r.dial().get("/").expectStatus(t, 503)
			})
		}
	}
	if seen.Load() != 0 {
		t.Errorf("%d requests reached a pod", seen.Load())
	}
}

func TestBackendTLS_depthAndVersion(t *testing.T) {
	root := newAuthority(t, "root")
	middle := root.below("middle")
	pair := certificates.Signed(t, x509.Certificate{
		DNSNames: []string{backendName}, KeyUsage: x509.KeyUsageDigitalSignature,
	}, nil, middle.pair)
	pair.Certificate = append(pair.Certificate, middle.pair.Leaf.Raw)
	authority, _ := certificates.PEM(t, root.pair)
	pod := startBackend(t, pair, func(http.ResponseWriter, *http.Request) {}, func(c *tls.Config) { c.MaxVersion = tls.VersionTLS12 })
	for _, c := range []struct {
		maxChain int
		version  uint16
		want     int
	}{{0, 0, 200}, {3, 0, 200}, {2, 0, 503}, {3, tls.VersionTLS12, 200}, {3, tls.VersionTLS13, 503}} {
		r := newRig(t)
		r.serveBy(model.Transport{
			TLS: true, ServerName: backendName, AuthorityPEM: string(authority), MaxChain: c.maxChain, MinVersion: c.version,
		}, nil, addressOf(pod))
		if got := r.dial().get("/"); got.status != c.want {
			t.Errorf("at most %d certificates, at least version %#x: status %d, want %d", c.maxChain, c.version, got.status, c.want)
		}
	}
}

func TestBackendTLS_clientCertificate(t *testing.T) {
	pair, authority := podCertificate(t)
	requesting := func(c *tls.Config) { c.ClientAuth = tls.RequestClientCert }
	pod := startBackend(t, &pair, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, len(r.TLS.PeerCertificates)) }, requesting)
	plain := model.Transport{TLS: true, ServerName: backendName, AuthorityPEM: authority}
	presenting := plain
	presenting.MaxChain, presenting.MinVersion = 2, tls.VersionTLS13
	cert, key := certificates.PEM(t, &pair)
	presenting.CertificatePEM, presenting.KeyPEM = string(cert), model.PrivateKey(key)
	for _, c := range []struct {
		transport model.Transport
		want      string
	}{{plain, "0"}, {presenting, "1"}} {
		r := newRig(t)
		r.serveBy(c.transport, nil, addressOf(pod))
		r.dial().get("/").expectOK(t, c.want)
	}
	if text := fmt.Sprintf("%v %+v %#v", presenting, presenting, presenting); strings.Contains(text, "PRIVATE KEY") {
		t.Error("a printed transport contains the private key")
	}
}
