package dashboard

import (
	"crypto/tls"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

func certificateUntil(left time.Duration) model.Certificate {
	return model.Certificate{Secret: model.Ref{Kind: "Secret", Namespace: "shop", Name: left.String()},
		ServerNames: []string{"shop.example"}, KeyPEM: []byte("the private key"), CertPEM: []byte("the certificate"),
		Pair: &tls.Certificate{PrivateKey: "the private key", Leaf: &x509.Certificate{NotAfter: time.Now().Add(left)}}}
}

func TestCertificates_firstExpiryFirst(t *testing.T) {
	f := newFixture(t)
	f.state.Certificates = []model.Certificate{certificateUntil(10 * time.Hour), certificateUntil(2 * time.Hour)}
	var got page[certificate]
	f.get(t, "/api/certificates?q=shop.example", &got)
	if got.Total != 2 || got.Items[0].Secret.Name != "2h0m0s" {
		t.Errorf("got %+v", got)
	}
	if text := f.respond(t, "/api/certificates").Body.String(); strings.Contains(text, "private") {
		t.Errorf("the document has a key: %s", text)
	}
}
