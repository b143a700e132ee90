package store

import (
	"crypto/x509"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/limpet-dev/limpet/test/certificates"
)

// certificate writes a self-signed certificate for 127.0.0.1.
func certificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	cert, key := certificates.PEM(t, certificates.SelfSigned(t, x509.Certificate{
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}))
	return writePEM(t, cert), writePEM(t, key)
}

func writePEM(t *testing.T, text []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "pem")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestTLS_verifiesServer(t *testing.T) {
	cert, key := certificate(t)
	port := strconv.Itoa(freePort(t))
	startRedis(t, "--tls-port", port, "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", cert,
		"--tls-auth-clients", "no")
	url := "rediss://127.0.0.1:" + port

	trusting := open(t, url+"?ca="+cert)
	trusting.Remember(scope, id(1), podA)
	trusting.waitWritten(t)
	wantPod(t, open(t, url+"?ca="+cert), id(1), podA)

	distrusting := open(t, url)
	wantPod(t, distrusting, id(1), none)
	eventually(t, "that the certificate is not trusted", func() bool {
		return distrusting.log.count("certificate signed by unknown authority") == 1
	})
	if distrusting.events.count(Up) != 0 {
		t.Error("an untrusted server became available")
	}
}
