package upstream

import (
	"crypto/tls"
	"crypto/x509"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Transport is a model.Transport made ready for use. There is one of each for a Pool, so that connections can be told
// apart by it.
type Transport struct {
	model.Transport
	tls *tls.Config // nil in clear
}

// Transport gives the one of the pool's Transports that is made of m.
func (p *Pool) Transport(m model.Transport) *Transport {
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

// clientTLS verifies only where an authority is given: the certificates of pods are rarely made for a name, and never
// for an address that lives as long as a pod does.
func clientTLS(m model.Transport) *tls.Config {
	config := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         m.ServerName,
		InsecureSkipVerify: m.AuthorityPEM == "",
		ClientSessionCache: tls.NewLRUClientSessionCache(0),
	}
	if m.AuthorityPEM != "" {
		config.RootCAs = x509.NewCertPool()
		config.RootCAs.AppendCertsFromPEM([]byte(m.AuthorityPEM))
	}
	if m.HTTP2 {
		config.NextProtos = []string{"h2"}
	}
	return config
}

// shared reports whether a connection may carry the requests of several clients: not if it began by naming one.
func (t *Transport) shared() bool { return t.ProxyProtocol == 0 }
