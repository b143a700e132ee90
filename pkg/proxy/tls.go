package proxy

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"strings"
	"sync"

	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/routing"
)

// TLSOptions configures TLS for all hosts. The zero value is the default.
type TLSOptions struct {
	// MinVersion is the lowest version to accept. Zero means TLS 1.2. A host may require a higher version.
	MinVersion model.TLSVersion
	// CipherSuites lists the suites for TLS 1.2. The suites of TLS 1.3 are fixed. Nil means the suites with forward secrecy and
	// authenticated encryption.
	CipherSuites []uint16
}

// defaultSuites are the suites with forward secrecy and authenticated encryption (RFC 9325 section 4.2). The defaults of
// crypto/tls also include two CBC suites.
var defaultSuites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
	tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// tlsConfigs selects the tls.Config of each connection by its host. It is safe for concurrent use. Connections to hosts without
// TLS settings take no lock.
type tlsConfigs struct {
	options *Options
	shared  *ticketConfig // for hosts without TLS settings

	mu           sync.Mutex
	perHostTable *routing.Table                // the table whose hosts are the keys of perHost; guarded by mu
	perHost      map[*model.Host]*ticketConfig // guarded by mu
}

// tlsConfig returns the Config with which a handshake begins, before its host is known.
func tlsConfig(o *Options) *tls.Config {
	c := &tlsConfigs{options: o}
	c.shared = c.newConfig(nil)
	return &tls.Config{GetConfigForClient: c.choose}
}

// choose returns the Config of the host in the ClientHello, and records the host in the session of the connection. It
// implements tls.Config.GetConfigForClient.
func (c *tlsConfigs) choose(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	h, config := c.forName(strings.ToLower(hello.ServerName))
	if h != nil && h.Passthrough != nil { // over QUIC, or the table has changed since serveTLS looked at it
		return nil, errPassedThrough
	}
	if session, ok := hello.Context().Value(tlsSessionKey{}).(*filter.TLSSession); ok {
		session.Host = h
	}
	return config.withKeyring(c.options.Keys.Load())
}

var errPassedThrough = errors.New("proxy: TLS of the host is passed through to its pods")

// forName returns the host and Config for a lower-case server name. The host is nil if it has no TLS settings.
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

// forHost returns the Config of h. It creates the Config on first use, and discards all Configs of a replaced table.
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

// newConfig returns a Config for h, or the shared one if h is nil. Each set of client CAs has its own ticket purpose, so that
// a session cannot be resumed on a host that requires other client certificates.
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
	switch {
	case h.Clients.InResponse: // verifyClient verifies it
		t.ClientAuth = tls.RequestClientCert
	case h.Clients.Required:
		t.ClientAuth = tls.RequireAndVerifyClientCert
	default:
		t.ClientAuth = tls.VerifyClientCertIfGiven
	}
	t.ClientCAs = x509.NewCertPool() // nil would mean the CAs of the system
	for _, ca := range h.Clients.CAs {
		t.ClientCAs.AddCert(ca)
	}
	return t
}

// base returns the settings that all hosts share.
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
