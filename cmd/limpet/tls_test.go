package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/http"
	"testing"

	"github.com/limpet-dev/limpet/test/certificates"
)

// tlsSecret is the manifest of a Secret with a self-signed certificate for the name.
func tlsSecret(t *testing.T, name, host string) string {
	t.Helper()
	cert, key := certificates.PEM(t, certificates.SelfSigned(t, x509.Certificate{DNSNames: []string{host}}))
	text := base64.StdEncoding.EncodeToString
	return fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata: {name: %s}\ntype: kubernetes.io/tls\ndata: {tls.crt: %s, tls.key: %s}\n",
		name, text(cert), text(key))
}

func TestTLS_flags(t *testing.T) {
	dir := t.TempDir()
	text, err := demoManifests.ReadFile("demo/cart.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "cart.yaml", string(text))
	write(t, dir, "secret.yaml", tlsSecret(t, "wildcard", "shop.example.com"))
	p := start(t, "dev", "--manifests", dir, "--access-log=false", "--default-certificate", "default/wildcard",
		"--tls-min-version", "1.3", "--hsts", "max-age=600")
	config := &tls.Config{ServerName: "shop.example.com", InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12}
	if conn, err := tls.Dial("tcp", p.https, config); err == nil {
		conn.Close()
		t.Error("TLS 1.2 is spoken")
	}
	config.MaxVersion = 0
	client := http.Client{Transport: &http.Transport{TLSClientConfig: config}}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+p.https+"/", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "shop.example.com"
	answer, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if got := answer.Header.Get("Strict-Transport-Security"); got != "max-age=600" {
		t.Errorf("Strict-Transport-Security is %q", got)
	}
	if got := answer.TLS.PeerCertificates[0].DNSNames[0]; got != "shop.example.com" {
		t.Errorf("the certificate is for %s", got)
	}
	client.CloseIdleConnections()
	p.stop(t)
}

func TestCipherSuites_byName(t *testing.T) {
	const names = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"
	var suites cipherSuites
	if err := suites.Set(names + ", "); err != nil {
		t.Fatal(err)
	}
	if len(suites) != 2 || suites[0] != tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 || suites.String() != names {
		t.Errorf("got %s", suites.String())
	}
}
