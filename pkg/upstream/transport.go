package upstream

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"slices"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Transport is a model.Transport with its TLS configuration. A Pool has one Transport for each model.Transport, so
// that connections can be compared by pointer.
type Transport struct {
	model.Transport
	tls *tls.Config // nil for cleartext
}

// cleartext is the Transport of all pools without settings. It has no state.
var cleartext = &Transport{}

// Transport returns the Transport of the pool for m. It creates it on the first call.
func (p *Pool) Transport(m model.Transport) *Transport {
	if m == (model.Transport{}) {
		return cleartext
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if t := p.transports[m]; t != nil {
		return t
	}
	t := &Transport{Transport: m}
	if m.TLS {
		t.tls = clientTLS(m)
	}
	if p.transports == nil {
		p.transports = map[model.Transport]*Transport{}
	}
	p.transports[m] = t
	return t
}

// clientTLS returns the TLS configuration for m. It verifies certificates only if an authority is configured.
// Certificates of pods rarely contain a service name, and never an address that lives as long as the pod.
func clientTLS(m model.Transport) *tls.Config {
	config := &tls.Config{
		MinVersion:         max(m.MinVersion, tls.VersionTLS12),
		ServerName:         m.ServerName,
		InsecureSkipVerify: m.AuthorityPEM == "",
		ClientSessionCache: tls.NewLRUClientSessionCache(0),
	}
	if m.AuthorityPEM != "" {
		config.RootCAs = x509.NewCertPool()
		config.RootCAs.AppendCertsFromPEM([]byte(m.AuthorityPEM))
	}
	if m.MaxChain > 0 {
		config.VerifyConnection = func(state tls.ConnectionState) error { return checkChains(state.VerifiedChains, m.MaxChain) }
	}
	if pair, err := tls.X509KeyPair([]byte(m.CertificatePEM), []byte(m.KeyPEM)); err == nil {
		config.Certificates = []tls.Certificate{pair}
	}
	if m.HTTP2 {
		config.NextProtos = []string{"h2"}
	}
	return config
}

// checkChains returns an error if all chains have more certificates than most.
func checkChains(chains [][]*x509.Certificate, most int) error {
	if slices.ContainsFunc(chains, func(c []*x509.Certificate) bool { return len(c) <= most }) {
		return nil
	}
	return fmt.Errorf("upstream: the chain of the pod has more than %d certificates", most)
}

// IsShared reports whether the connection may carry requests of several clients. A PROXY protocol header binds it to one
// client.
func (t *Transport) IsShared() bool { return t.ProxyProtocol == 0 }
