package certs

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"sync"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/test/certificates"
)

// certificate returns a certificate with an ECDSA key for the given server names.
func certificate(t *testing.T, secret string, names ...string) model.Certificate {
	t.Helper()
	return certificateOf(t, nil, secret, names...)
}

func certificateOf(t *testing.T, key crypto.Signer, secret string, names ...string) model.Certificate {
	t.Helper()
	pair := certificates.Signed(t, x509.Certificate{DNSNames: []string{secret}}, key, nil)
	return model.Certificate{
		Secret:      model.Ref{Kind: "Secret", Namespace: "shop", Name: secret},
		ServerNames: names, Algorithm: pair.Leaf.PublicKeyAlgorithm.String(), Pair: pair,
	}
}

func newStore(t *testing.T, certificates ...model.Certificate) *Store {
	t.Helper()
	s, err := NewStore()
	if err != nil {
		t.Fatal(err)
	}
	s.Replace(certificates)
	return s
}

// presentedFor returns the Secret of the certificate that is presented for name, or "" for the fallback.
func presentedFor(t *testing.T, s *Store, name string) string {
	t.Helper()
	c, err := s.Certificate(&tls.ClientHelloInfo{ServerName: name})
	if err != nil {
		t.Fatal(err)
	}
	if c == s.fallback {
		return ""
	}
	parsed, err := x509.ParseCertificate(c.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return parsed.DNSNames[0]
}

func TestCertificate_precedence(t *testing.T) {
	named := []model.Certificate{
		certificate(t, "exact", "shop.example", "www.shop.example"),
		certificate(t, "wildcard", "*.shop.example"),
	}
	for _, c := range []struct {
		of   *Store
		want map[string]string
	}{
		{newStore(t), map[string]string{"": "", "shop.example": ""}},
		{newStore(t, named...), map[string]string{
			"shop.example": "exact", "www.shop.example": "exact", "a.shop.example": "wildcard", "a.b.shop.example": "",
			"SHOP.Example": "exact", "shop.example.": "exact", "A.Shop.Example.": "wildcard",
			"other.example": "", "example": "", "": "", ".": "", ".shop.example": "wildcard",
		}},
		{newStore(t, append(named, certificate(t, "default", ""))...), map[string]string{
			"": "default", "other.example": "default", "a.b.shop.example": "default", "shop.example": "exact",
		}},
	} {
		for name, want := range c.want {
			if got := presentedFor(t, c.of, name); got != want {
				t.Errorf("%q: presented %q, want %q", name, got, want)
			}
		}
	}
}

func TestReplace_removesOthers(t *testing.T) {
	s := newStore(t, certificate(t, "old", "shop.example"))
	s.Replace([]model.Certificate{certificate(t, "new", "blog.example")})
	if got := presentedFor(t, s, "shop.example") + presentedFor(t, s, "blog.example"); got != "new" {
		t.Errorf("presented %q", got)
	}
}

// A client announces what it can verify by signature algorithms, and in TLS 1.2 also by cipher suites and curves.
func TestCertificate_clientAlgorithms(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	s := newStore(t, certificateOf(t, rsaKey, "rsa", "shop.example"), certificateOf(t, edKey, "ed", "shop.example"),
		certificate(t, "ecdsa", "shop.example"))
	for want, schemes := range map[string][]tls.SignatureScheme{
		"ecdsa": {tls.PSSWithSHA256, tls.Ed25519, tls.ECDSAWithP256AndSHA256},
		"ed":    {tls.PSSWithSHA256, tls.Ed25519},
		"rsa":   {tls.PSSWithSHA256, tls.ECDSAWithP521AndSHA512},
	} {
		hello := &tls.ClientHelloInfo{ServerName: "shop.example", SupportedVersions: []uint16{tls.VersionTLS13},
			SignatureSchemes: schemes}
		c, err := s.Certificate(hello)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Leaf.DNSNames[0]; got != want {
			t.Errorf("with %v: presented %q, want %q", schemes, got, want)
		}
	}
}

func TestCertificate_fallbackIsUntrusted(t *testing.T) {
	s := newStore(t)
	parsed, err := x509.ParseCertificate(s.fallback.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if parsed.IsCA || parsed.VerifyHostname("shop.example") == nil || time.Until(parsed.NotAfter) < 365*24*time.Hour {
		t.Errorf("CA %v, names %q, until %s", parsed.IsCA, parsed.DNSNames, parsed.NotAfter)
	}
	if other := newStore(t); string(other.fallback.Certificate[0]) == string(s.fallback.Certificate[0]) {
		t.Error("two stores have the same fallback certificate")
	}
}

func TestReplace_duringHandshakes(t *testing.T) {
	a, b := certificate(t, "a", "shop.example"), certificate(t, "b", "shop.example")
	s := newStore(t, a)
	var working sync.WaitGroup
	for range 4 {
		working.Go(func() {
			for range 1000 {
				if c, err := s.Certificate(&tls.ClientHelloInfo{ServerName: "shop.example"}); err != nil || c == s.fallback {
					t.Errorf("got the fallback, error %v", err)
					return
				}
			}
		})
	}
	for i := range 1000 {
		s.Replace([]model.Certificate{[]model.Certificate{a, b}[i%2]})
	}
	working.Wait()
}

func TestCovers(t *testing.T) {
	pair := certificate(t, "shop.example", "shop.example")
	pair.Pair.Leaf.DNSNames = []string{"shop.example", "Blog.Example", "*.wild.example"}
	s := newStore(t, pair)
	for host, want := range map[string]bool{
		"shop.example": true, "blog.example": true, "a.wild.example": true, "a.b.wild.example": false, "wild.example": false,
		".wild.example": false, "*.wild.example": true, "wild": false, "": false, "other.example": false, "x.shop.example": false,
	} {
		if got := s.Covers("shop.example", host); got != want {
			t.Errorf("%q: %v, want %v", host, got, want)
		}
	}
	if s.Covers("other.example", "limpet.invalid") {
		t.Error("Covers = true for the fallback")
	}
}

// A wildcard's certificate does not serve a host below it that another namespace owns, neither in a handshake nor over a
// connection that was made for another host.
func TestReplace_defaultFor(t *testing.T) {
	wild := certificate(t, "*.shop.example", "*.shop.example")
	for name, c := range map[string]struct {
		certificates []model.Certificate
		want         string
	}{
		"no default": {[]model.Certificate{wild}, ""},
		"default":    {[]model.Certificate{wild, certificate(t, "default", "")}, "default"},
	} {
		s := newStore(t)
		s.Replace(c.certificates, "own.shop.example")
		if got := presentedFor(t, s, "own.shop.example"); got != c.want {
			t.Errorf("%s: %q is presented for the host of another namespace", name, got)
		}
		if got := presentedFor(t, s, "a.shop.example"); got != "*.shop.example" {
			t.Errorf("%s: %q is presented for another name", name, got)
		}
	}
	s := newStore(t)
	s.Replace([]model.Certificate{wild}, "own.shop.example")
	if s.Covers("a.shop.example", "own.shop.example") || !s.Covers("a.shop.example", "b.shop.example") {
		t.Error("the wildcard covers the host of another namespace, or not what is its own")
	}
}

func TestCovers_otherNamespace(t *testing.T) {
	wild := certificate(t, "*.shop.example", "*.shop.example")
	own := certificate(t, "own.shop.example", "own.shop.example")
	s := newStore(t, wild, own)
	if !s.Covers("a.shop.example", "own.shop.example") {
		t.Error("two certificates of one namespace: a connection is not reused")
	}
	own.Secret.Namespace = "other"
	s.Replace([]model.Certificate{wild, own})
	if s.Covers("a.shop.example", "own.shop.example") {
		t.Error("a connection is reused for a host that another namespace has the certificate of")
	}
}
