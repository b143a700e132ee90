package proxy

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"slices"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/test/certificates"
)

// certificate makes one for these names, which the model lists under others if given.
func certificate(t *testing.T, listed []string, names ...string) model.Certificate {
	t.Helper()
	return certificateOf(t, nil, listed, names...)
}

func certificateOf(t *testing.T, key crypto.Signer, listed []string, names ...string) model.Certificate {
	t.Helper()
	pair := certificates.Signed(t, x509.Certificate{DNSNames: names}, key, nil)
	if listed == nil {
		listed = names
	}
	return model.Certificate{ServerNames: listed, Algorithm: pair.Leaf.PublicKeyAlgorithm.String(), Pair: pair}
}

func TestCertificates_serverName(t *testing.T) {
	r, addr := tlsRig(t)
	r.serve(nil, startEcho(t, "pod-a"))
	if _, names := dialTLS(t, addr, "shop.example"); !slices.Equal(names, []string{"limpet.invalid"}) {
		t.Errorf("without certificates %q is presented", names)
	}
	shop := certificate(t, nil, "shop.example")
	wild := certificate(t, nil, "*.shop.example")
	other := certificate(t, []string{""}, "default.example")
	r.certs.Replace([]model.Certificate{shop, wild, other})
	for name, want := range map[string]string{
		"shop.example": "shop.example", "SHOP.example": "shop.example", "a.shop.example": "*.shop.example",
		"a.b.shop.example": "default.example", "other.example": "default.example", "": "default.example",
	} {
		if _, names := dialTLS(t, addr, name); !slices.Equal(names, []string{want}) {
			t.Errorf("to %q %q is presented, want %q", name, names, want)
		}
	}
}

// The key type of the certificate depends on what the client can verify.
func TestCertificates_rsaAndECDSA(t *testing.T) {
	r, addr := tlsRig(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	listed := []string{"shop.example"}
	r.certs.Replace([]model.Certificate{certificateOf(t, key, listed, "rsa"), certificate(t, listed, "ecdsa")})
	onlyRSA := func(c *tls.Config) {
		tls12(c)
		c.CipherSuites = []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	}
	for want, change := range map[string][]func(*tls.Config){"ecdsa": {}, "rsa": {onlyRSA}} {
		if _, names := dialTLS(t, addr, "shop.example", change...); !slices.Equal(names, []string{want}) {
			t.Errorf("%q is presented, want %s", names, want)
		}
	}
}

// A renewed certificate is presented from the next handshake on, and open connections stay open.
func TestCertificates_replacedWhileOpen(t *testing.T) {
	r, addr := tlsRig(t)
	r.serve(nil, startEcho(t, "pod-a"))
	r.certs.Replace([]model.Certificate{certificate(t, []string{"shop.example"}, "old.example")})
	open, _ := dialTLS(t, addr, "shop.example")
	open.get("/").expectOK(t, "")
	r.certs.Replace([]model.Certificate{certificate(t, []string{"shop.example"}, "new.example")})
	open.get("/").expectOK(t, "")
	if _, names := dialTLS(t, addr, "shop.example"); !slices.Equal(names, []string{"new.example"}) {
		t.Errorf("%q is presented, want the new one", names)
	}
	r.certs.Replace(nil)
	open.get("/").expectOK(t, "")
}
