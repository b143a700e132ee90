package proxy

import "crypto/tls"

// tlsConfig accepts TLS 1.2 and 1.3. The suites of TLS 1.2 are those with forward secrecy and authenticated
// encryption (RFC 9325 section 4.2); what Go offers by default includes two with CBC.
func tlsConfig(o *Options) *tls.Config {
	t := &ticketed{purpose: "TLS session tickets", Config: &tls.Config{
		MinVersion: tls.VersionTLS12,
		CipherSuites: []uint16{
			tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
			tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
			tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
			tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
		},
		NextProtos:     []string{"h2", "http/1.1"},
		GetCertificate: o.Certs.Certificate,
	}}
	return &tls.Config{GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
		return t.with(o.Keys.Load())
	}}
}
