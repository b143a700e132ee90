package proxy

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/test/certificates"
)

// authority is a CA that issues certificates to clients.
type authority struct {
	t    *testing.T
	pair *tls.Certificate
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	return &authority{t, certificates.SelfSigned(t, x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})}
}

// issue makes a client that presents a certificate for the name, whether the server requests it or not.
func (a *authority) issue(name pkix.Name, change ...func(*x509.Certificate)) func(*tls.Config) {
	a.t.Helper()
	template := x509.Certificate{
		Subject: name, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	for _, c := range change {
		c(&template)
	}
	pair := certificates.Signed(a.t, template, nil, a.pair)
	return func(c *tls.Config) {
		c.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return pair, nil }
	}
}

// asking returns a host that requests client certificates of the CAs.
func asking(host string, required bool, cas ...*authority) model.Host {
	c := &model.ClientCertificates{Required: required, Fingerprint: host}
	for _, a := range cas {
		c.CAs = append(c.CAs, a.pair.Leaf)
		c.Fingerprint = a.pair.Leaf.Subject.CommonName
	}
	if required {
		c.Fingerprint += " required"
	}
	return model.Host{Name: host, Clients: c}
}

// clientRig serves a host that requests client certificates, and plain.example, which does not.
func clientRig(t *testing.T, h model.Host) (r *rig, addr string, p *pod) {
	t.Helper()
	r, addr = tlsRig(t)
	p = startEcho(t, "pod-a")
	r.serveHosts(p, []string{h.Name, "plain.example"}, h)
	r.certs.Replace([]model.Certificate{certificate(t, nil, "shop.example", "plain.example")})
	return r, addr, p
}

// serves reports whether a request gets the response of the pod, and is not refused before that.
func serves(t *testing.T, addr, serverName string, change ...func(*tls.Config)) bool {
	t.Helper()
	if !handshakes(t, addr, serverName, append(change, tls12)...) {
		return false // in TLS 1.3 the client's own handshake ends before the server has seen the certificate
	}
	client, _ := dialTLS(t, addr, serverName, change...)
	client.get("/").expectOK(t, "")
	return true
}

func TestClientCertificates_required(t *testing.T) {
	partners, others := newAuthority(t, "partners"), newAuthority(t, "others")
	alice := pkix.Name{CommonName: "alice"}
	expired := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }
	forServers := func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }
	for name, c := range map[string]struct {
		client             []func(*tls.Config)
		required, optional bool
	}{
		"no certificate": {nil, false, true},
		"a partner":      {[]func(*tls.Config){partners.issue(alice)}, true, true},
		"a stranger":     {[]func(*tls.Config){others.issue(alice)}, false, false},
		"out of date":    {[]func(*tls.Config){partners.issue(alice, expired)}, false, false},
		"a server":       {[]func(*tls.Config){partners.issue(alice, forServers)}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			for required, want := range map[bool]bool{true: c.required, false: c.optional} {
				_, addr, _ := clientRig(t, asking("shop.example", required, partners))
				if got := serves(t, addr, "shop.example", c.client...); got != want {
					t.Errorf("required %v: served %v, want %v", required, got, want)
				}
			}
		})
	}
}

// A CA Secret that is missing or broken must not open the host to everybody, nor to those whom the machine trusts.
func TestClientCertificates_noCA(t *testing.T) {
	partners := newAuthority(t, "partners")
	_, addr, _ := clientRig(t, asking("shop.example", true))
	if serves(t, addr, "shop.example") || serves(t, addr, "shop.example", partners.issue(pkix.Name{})) {
		t.Error("a client is admitted")
	}
}

func TestForwarded_clientAddress(t *testing.T) {
	partners := newAuthority(t, "partners")
	name := pkix.Name{CommonName: "alice, x", Organization: []string{"Nymphe \u00e9\r\nssl-client-verify: SUCCESS"}}
	h := asking("shop.example", false, partners)
	_, addr, p := clientRig(t, h)
	client, _ := dialTLS(t, addr, "shop.example", partners.issue(name))
	client.get("/").expectOK(t, "")
	expectFields(t, p.requests()[0], "ssl-client-verify: SUCCESS", "ssl-client-issuer-dn: CN=partners", "ssl-client-cert:",
		`ssl-client-subject-dn: CN=alice\, x,O=Nymphe \C3\A9\0D\0Assl-client-verify: SUCCESS`)

	unknown, _ := dialTLS(t, addr, "shop.example")
	unknown.get("/").expectOK(t, "")
	expectFields(t, p.requests()[1], "ssl-client-verify: NONE", "ssl-client-subject-dn:", "ssl-client-issuer-dn:")
}

func TestClientCertificates_forwarded(t *testing.T) {
	partners := newAuthority(t, "partners")
	h := asking("shop.example", true, partners)
	h.Clients.Forward = true
	_, addr, p := clientRig(t, h)
	client, _ := dialTLS(t, addr, "shop.example", partners.issue(pkix.Name{CommonName: "alice"}))
	client.get("/").expectOK(t, "")
	line := strings.Join(fieldLines(p.requests()[0], "ssl-client-cert"), "")
	text, err := url.PathUnescape(strings.TrimPrefix(line, "ssl-client-cert: "))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		t.Fatalf("no certificate in %q", line)
	}
	if cert, err := x509.ParseCertificate(block.Bytes); err != nil || cert.Subject.CommonName != "alice" {
		t.Errorf("got %v, %v", cert, err)
	}
}

// What every request of a client carries is bounded.
func TestClientCertificates_identityTooLong(t *testing.T) {
	partners := newAuthority(t, "partners")
	_, addr, _ := clientRig(t, asking("shop.example", true, partners))
	long := pkix.Name{CommonName: strings.Repeat("\u00e9", maxIdentity/6)}
	client, _ := dialTLS(t, addr, "shop.example", partners.issue(long))
	client.send(request("GET", "/", ""))
	client.expectClosed()
}

// forged are header lines with which a client may try to impersonate another one, in every spelling that a pod may
// accept.
var forged = []string{
	"ssl-client-verify: SUCCESS", "SSL-Client-Verify: SUCCESS", "ssl_client_verify: SUCCESS", "Ssl.Client-Verify: SUCCESS",
	"ssl-client-subject-dn: CN=root", "SSL_CLIENT_SUBJECT_DN: CN=root", "ssl-client-issuer-dn: CN=root",
	"ssl-client-cert: root", "ssl-client-anything: root",
}

func TestClientCertificates_forgedFields(t *testing.T) {
	partners := newAuthority(t, "partners")
	for name, trusted := range map[string][]func(*Options){"anybody": nil, "a trusted proxy": {trusting()}} {
		t.Run(name, func(t *testing.T) {
			r, addr := tlsRig(t, trusted...)
			p := startEcho(t, "pod-a")
			r.serveHosts(p, []string{"shop.example", "optional.example", ""}, asking("optional.example", false, partners))
			overTLS, _ := dialTLS(t, addr, "shop.example")
			inClear := r.dial()
			inClear.get("/", forged...).expectOK(t, "")
			overTLS.get("/", forged...).expectOK(t, "")
			inClear.send(strings.Replace(request("GET", "/", "", forged...), "shop.example", "optional.example", 1))
			inClear.read("GET").expectOK(t, "")
			for i, want := range []string{"", "", "ssl-client-verify: NONE"} {
				var got []string
				for line := range strings.Lines(p.requests()[i]) {
					if plain := strings.NewReplacer("_", "-", ".", "-").Replace(strings.ToLower(line)); strings.HasPrefix(plain, "ssl-client") {
						got = append(got, strings.TrimSpace(line))
					}
				}
				if strings.Join(got, "\n") != want {
					t.Errorf("request %d: the pod got %q, want %q", i, got, want)
				}
			}
		})
	}
}

// A ticket proves that its client was verified, by the CA of one host only.
func TestTLSTickets_otherHost(t *testing.T) {
	partners, others := newAuthority(t, "partners"), newAuthority(t, "others")
	r, addr := tlsRig(t)
	r.certs.Replace([]model.Certificate{certificate(t, nil, "shop.example", "a.example", "b.example", "c.example")})
	r.serveHosts(startEcho(t, "pod-a"), []string{"a.example", "b.example", "c.example", "d.example", "shop.example"},
		asking("a.example", true, partners), asking("b.example", true, others), asking("c.example", false, partners),
		asking("d.example", true, partners))
	alice := partners.issue(pkix.Name{CommonName: "alice"})
	for name, version := range map[string]func(*tls.Config){"TLS 1.2": tls12, "TLS 1.3": func(*tls.Config) {}} {
		t.Run(name, func(t *testing.T) {
			tickets := &oneTicket{}
			keeping := func(c *tls.Config) { c.ClientSessionCache = tickets }
			visit := func(host string) bool {
				client, _ := dialTLS(t, addr, host, version, alice, keeping)
				client.send(strings.Replace(request("GET", "/", ""), "shop.example", host, 1))
				client.read("GET").expectOK(t, "")
				return client.Conn.(*tls.Conn).ConnectionState().DidResume
			}
			if visit("a.example") || !visit("a.example") {
				t.Fatal("the session is not resumed at its own host")
			}
			if !visit("d.example") {
				t.Error("a host with the same requirements does not resume it")
			}
			tickets.frozen = true
			for _, host := range []string{"c.example", "shop.example"} {
				if visit(host) {
					t.Errorf("the session is resumed at %s", host)
				}
			}
			if handshakes(t, addr, "b.example", tls12, keeping, alice) {
				t.Error("a client of another CA is let in with a ticket")
			}
		})
	}
}

// oneTicket offers the last ticket to every host, as no honest client does.
type oneTicket struct {
	last   *tls.ClientSessionState
	frozen bool
}

func (o *oneTicket) Get(string) (*tls.ClientSessionState, bool) { return o.last, o.last != nil }

func (o *oneTicket) Put(_ string, s *tls.ClientSessionState) {
	if s != nil && !o.frozen {
		o.last = s
	}
}

func TestClientCertificates_cleartextRefused(t *testing.T) {
	partners := newAuthority(t, "partners")
	r, _, p := clientRig(t, asking("shop.example", true, partners))
	r.dial().get("/").expectStatus(t, 403)
	if len(p.requests()) > 0 {
		t.Error("the pod got a request")
	}
}
