// Package certificates creates certificates for tests. It sets everything that the test does not specify: serial
// number, validity and key.
package certificates

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"testing"
	"time"
)

// SelfSigned returns a self-signed certificate. Unless the template specifies otherwise, it is valid for an hour.
// The key is ECDSA P-256.
func SelfSigned(tb testing.TB, template x509.Certificate) *tls.Certificate {
	tb.Helper()
	return Signed(tb, template, nil, nil)
}

// Signed returns a certificate for key, signed by parent. If key is nil, a new key is generated. If parent is nil,
// the certificate is self-signed.
func Signed(tb testing.TB, template x509.Certificate, key crypto.Signer, parent *tls.Certificate) *tls.Certificate {
	tb.Helper()
	if key == nil {
		key = newKey(tb)
	}
	now := time.Now()
	template.SerialNumber = big.NewInt(now.UnixNano())
	if template.NotBefore.IsZero() {
		template.NotBefore = now.Add(-time.Hour)
	}
	if template.NotAfter.IsZero() {
		template.NotAfter = now.Add(time.Hour)
	}
	if parent == nil {
		parent = &tls.Certificate{Leaf: &template, PrivateKey: key}
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, parent.Leaf, key.Public(), parent.PrivateKey)
	if err != nil {
		tb.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

func newKey(tb testing.TB) *ecdsa.PrivateKey {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// PEM returns a certificate and its key in PEM.
func PEM(tb testing.TB, pair *tls.Certificate) (cert, key []byte) {
	tb.Helper()
	private, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		tb.Fatal(err)
	}
	cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})
	return cert, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
}
