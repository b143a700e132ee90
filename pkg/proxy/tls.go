package proxy

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"strings"
	"sync"

	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/routing"
)

// TLSOptions are for the connections of all hosts. The zero value is the default.
type TLSOptions struct {
	// MinVersion is the lowest version. 0: TLS 1.2. A host may ask for more.
	MinVersion model.TLSVersion
	// CipherSuites are those of TLS 1.2; TLS 1.3 has none to choose. Nil: those with forward secrecy and authenticated
	// encryption.
	CipherSuites []uint16
}

// defaultSuites have forward secrecy and authenticated encryption (RFC 9325 section 4.2); what Go offers by default
// includes two with CBC.
var defaultSuites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// tlsConfigs gives each connection the tls.Config that its host asks for. Safe for concurrent use; connections of hosts
// that ask for nothing take no lock.
type tlsConfigs struct {
	options *Options
	shared  *ticketConfig // of hosts that ask for nothing

	mu           sync.Mutex
	perHostTable *routing.Table // whose hosts the others are of
	perHost      map[*model.Host]*ticketConfig
}

// tlsConfig is what a connection begins with, before its host is known.
func tlsConfig(o *Options) *tls.Config {
	c := &tlsConfigs{options: o}
	c.shared = c.newConfig(nil)
	return &tls.Config{GetConfigForClient: c.choose}
}

// choose gives the Config of the host that the client names, and notes in the session of the connection whose it is.
func (c *tlsConfigs) choose(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	h, config := c.forName(strings.ToLower(hello.ServerName))
	if session, ok := hello.Context().Value(tlsSessionKey{}).(*filter.TLSSession); ok {
		session.Host = h
	}
	return config.withKeyring(c.options.Keys.Load())
}

// of finds the Config of the host, which is in lower case.
func (c *tlsConfigs) forName(host string) (*model.Host, *ticketConfig) {
	table := c.options.Tables.Current()
	if table == nil {
		return nil, c.shared
	}
	h := table.TLS([]byte(host))
	if h == nil {
		return nil, c.shared
	}
	return h, c.forHost(h, table)
}

// ownOf makes a Config when it is first asked for, and forgets it with its table.
func (c *tlsConfigs) forHost(h *model.Host, table *routing.Table) *ticketConfig {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.perHostTable != table {
		c.perHostTable, c.perHost = table, map[*model.Host]*ticketConfig{}
	}
	if c.perHost[h] == nil {
		c.perHost[h] = c.newConfig(h)
	}
	return c.perHost[h]
}

func (c *tlsConfigs) newConfig(h *model.Host) *ticketConfig {
	t := &ticketConfig{Config: c.base(), purpose: "TLS session tickets"}
	if h == nil {
		return t
	}
	t.MinVersion = max(t.MinVersion, uint16(h.MinVersion))
	if h.Clients == nil {
		return t
	}
	t.purpose += " of clients " + h.Clients.Fingerprint
	t.ClientAuth = tls.VerifyClientCertIfGiven
	if h.Clients.Required {
		t.ClientAuth = tls.RequireAndVerifyClientCert
	}
	t.ClientCAs = x509.NewCertPool() // one that is nil would stand for every CA of the machine
	for _, ca := range h.Clients.CAs {
		t.ClientCAs.AddCert(ca)
	}
	return t
}

func (c *tlsConfigs) base() *tls.Config {
	config := &tls.Config{
		MinVersion:     uint16(cmp.Or(c.options.TLS.MinVersion, model.TLS12)),
		CipherSuites:   c.options.TLS.CipherSuites,
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: c.options.Certs.Certificate,
	}
	if config.CipherSuites == nil {
		config.CipherSuites = defaultSuites
	}
	return config
}
