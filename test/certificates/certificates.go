// Package certificates makes the certificates that tests need.
//
// It decides what a test does not care about: serial numbers, the time that a certificate is good for, and the key.
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

// SelfSigned makes a certificate of what the template says. It is good for an hour unless that says otherwise, and its key
// is an ECDSA one on P-256.
func SelfSigned(tb testing.TB, template x509.Certificate) *tls.Certificate {
	tb.Helper()
	return Signed(tb, template, nil, nil)
}

// Signed makes a certificate of another key, or signed by another certificate, where they are not nil.
func Signed(tb testing.TB, template x509.Certificate, key crypto.Signer, by *tls.Certificate) *tls.Certificate {
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
	if by == nil {
		by = &tls.Certificate{Leaf: &template, PrivateKey: key}
	}
	der, err := x509.CreateCertificate(rand.Reader, &template, by.Leaf, key.Public(), by.PrivateKey)
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

// PEM writes a certificate and its key as files and Secrets hold them.
func PEM(tb testing.TB, pair *tls.Certificate) (cert, key []byte) {
	tb.Helper()
	private, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		tb.Fatal(err)
	}
	cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})
	return cert, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
}
