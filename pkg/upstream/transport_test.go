package upstream

import (
	"crypto/x509"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

func TestClientTLS_maxChain(t *testing.T) {
	chain := func(n int) []*x509.Certificate { return make([]*x509.Certificate, n) }
	if clientTLS(model.Transport{TLS: true}).VerifyConnection != nil {
		t.Error("a transport without a maximum checks the chain")
	}
	verify := func(chains ...[]*x509.Certificate) bool { return checkChains(chains, 3) == nil }
	if !verify(chain(3)) || !verify(chain(4), chain(2)) || verify(chain(4)) || verify() {
		t.Error("the length of the chain is not compared")
	}
}
