package translate_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/test/certificates"
)

// fleetSecrets returns the contents of Secrets: valid, expired and broken ones, of two algorithms.
func fleetSecrets(t testing.TB) []map[string][]byte {
	t.Helper()
	makeSecrets.Do(func() { secretContents = newSecrets(t) })
	return secretContents
}

var (
	makeSecrets    sync.Once
	secretContents []map[string][]byte
)

func newSecrets(t testing.TB) []map[string][]byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"*.example.com", "example.com"}
	year := today.AddDate(1, 0, 0)
	var out []map[string][]byte
	for _, template := range []x509.Certificate{
		{DNSNames: names, NotBefore: today.Add(-time.Hour), NotAfter: year},
		{DNSNames: []string{"shop.test"}, NotBefore: today.Add(-time.Hour), NotAfter: year},
		{DNSNames: names, NotBefore: today.Add(-2 * time.Hour), NotAfter: today.Add(-time.Hour)},
		{DNSNames: names, NotBefore: today.Add(30 * time.Minute), NotAfter: today.Add(6 * time.Hour)},
	} {
		cert, private := certificates.PEM(t, certificates.SelfSigned(t, template))
		out = append(out, map[string][]byte{
			"tls.crt": cert, "tls.key": private, "ca.crt": cert, "auth": fmt.Appendf(nil, "user%d:{PLAIN}p\njoe:x", len(out)),
		})
	}
	cert, private := certificates.PEM(t, certificates.Signed(t, x509.Certificate{DNSNames: names, NotAfter: year}, key, nil))
	return append(out, map[string][]byte{"tls.crt": cert, "tls.key": private},
		map[string][]byte{"tls.crt": cert, "tls.key": []byte("broken"), "ca.crt": []byte("broken")}, nil)
}
