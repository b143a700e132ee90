package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// certificate makes one in a Secret of that name, for these server names.
func certificate(t *testing.T, secret string, names ...string) model.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), DNSNames: []string{secret}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	return model.Certificate{
		Secret:      model.Ref{Kind: "Secret", Namespace: "shop", Name: secret},
		ServerNames: names, Fingerprint: hex.EncodeToString(sum[:]),
		CertPEM: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		KeyPEM:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
	}
}

func newStore(t *testing.T, certificates ...model.Certificate) *Store {
	t.Helper()
	s, err := NewStore()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Replace(certificates); err != nil {
		t.Fatal(err)
	}
	return s
}

// presented is the Secret whose certificate answers that name, "" for the fallback.
func presented(t *testing.T, s *Store, name string) string {
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

func TestTheExactNameComesBeforeTheWildcardAndTheDefault(t *testing.T) {
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
			if got := presented(t, c.of, name); got != want {
				t.Errorf("%q: %q is presented, want %q", name, got, want)
			}
		}
	}
}

func TestReplaceForgetsWhatIsNotGiven(t *testing.T) {
	s := newStore(t, certificate(t, "old", "shop.example"))
	if err := s.Replace([]model.Certificate{certificate(t, "new", "blog.example")}); err != nil {
		t.Fatal(err)
	}
	if got := presented(t, s, "shop.example") + presented(t, s, "blog.example"); got != "new" {
		t.Errorf("%q is presented", got)
	}
	if len(s.parsed) != 1 {
		t.Errorf("%d certificates are kept, want 1", len(s.parsed))
	}
}

// Keys are costly to check: of ten thousand certificates one changes.
func TestACertificateThatStaysIsNotParsedAgain(t *testing.T) {
	c := certificate(t, "a", "shop.example")
	s := newStore(t, c)
	before, _ := s.Certificate(&tls.ClientHelloInfo{ServerName: "shop.example"})
	c.ServerNames = []string{"blog.example"}
	c.CertPEM, c.KeyPEM = nil, nil
	if err := s.Replace([]model.Certificate{c}); err != nil {
		t.Fatal(err)
	}
	if after, _ := s.Certificate(&tls.ClientHelloInfo{ServerName: "blog.example"}); after != before {
		t.Error("it was parsed again")
	}
}

func TestOneBadCertificateHurtsNoOther(t *testing.T) {
	good, bad, worse := certificate(t, "good", "a.example"), certificate(t, "bad", "b.example"), certificate(t, "worse", "c.example")
	bad.KeyPEM = certificate(t, "other").KeyPEM
	worse.CertPEM = []byte("junk")
	s := newStore(t)
	err := s.Replace([]model.Certificate{bad, good, worse})
	if err == nil || !strings.Contains(err.Error(), "shop/bad") || !strings.Contains(err.Error(), "shop/worse") {
		t.Errorf("the error is %v", err)
	}
	if err != nil && strings.Contains(err.Error(), "PRIVATE") {
		t.Error("the error holds a key")
	}
	if got := presented(t, s, "a.example") + presented(t, s, "b.example"); got != "good" {
		t.Errorf("%q is presented", got)
	}
}

func TestTheFallbackIsWorthNothing(t *testing.T) {
	s := newStore(t)
	parsed, err := x509.ParseCertificate(s.fallback.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	if parsed.IsCA || parsed.VerifyHostname("shop.example") == nil || time.Until(parsed.NotAfter) < 365*24*time.Hour {
		t.Errorf("CA %v, names %q, until %s", parsed.IsCA, parsed.DNSNames, parsed.NotAfter)
	}
	if other := newStore(t); string(other.fallback.Certificate[0]) == string(s.fallback.Certificate[0]) {
		t.Error("two processes present the same one")
	}
}

func TestHandshakesGoOnWhileCertificatesAreReplaced(t *testing.T) {
	a, b := certificate(t, "a", "shop.example"), certificate(t, "b", "shop.example")
	s := newStore(t, a)
	var working sync.WaitGroup
	for range 4 {
		working.Go(func() {
			for range 1000 {
				if c, err := s.Certificate(&tls.ClientHelloInfo{ServerName: "shop.example"}); err != nil || c == s.fallback {
					t.Errorf("the fallback is presented, %v", err)
					return
				}
			}
		})
	}
	for i := range 1000 {
		if err := s.Replace([]model.Certificate{[]model.Certificate{a, b}[i%2]}); err != nil {
			t.Fatal(err)
		}
	}
	working.Wait()
}
