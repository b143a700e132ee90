package model

import (
	"crypto/tls"
	"crypto/x509"
)

// Host configures the TLS connections of one host.
type Host struct {
	// Name has the form of Route.Host.
	Name string `json:"name"`
	// MinVersion is the minimum TLS version. Zero means the global minimum.
	MinVersion TLSVersion `json:"minVersion,omitempty"`
	// Clients configures client certificates. If it is nil, the handshake requests no certificate.
	Clients *ClientCertificates `json:"clients,omitempty"`
	// Passthrough receives the TLS connections of clients that name the host, without decryption. Routes for the host apply to
	// cleartext only. Nil terminates TLS. Its Affinity has only methods with SourceSourceIP.
	Passthrough *Backend `json:"passthrough,omitempty"`
}

// ClientCertificates configures which certificates clients may or must present.
type ClientCertificates struct {
	// CA is the Secret that contains CAs.
	CA Ref `json:"ca,omitzero"`
	// CAs are the certificates that verify clients. If it is empty, no client can be verified.
	CAs      []*x509.Certificate `json:"-"`
	Required bool                `json:"required,omitempty"`
	// Forward sends the certificate itself to pods, in addition to its names.
	Forward bool `json:"forward,omitempty"`
	// InResponse refuses a client whose certificate is missing or invalid by a response to each of its requests, as nginx
	// does. If it is false, the handshake fails.
	InResponse bool `json:"inResponse,omitempty"`
	// IgnoresIssuer accepts certificates of any issuer. Pods learn whether one of CAs has issued it. Requires InResponse.
	IgnoresIssuer bool `json:"ignoresIssuer,omitempty"`
	// MaxIntermediates is the maximum number of CAs between a client and a root. Requires InResponse.
	MaxIntermediates int `json:"maxIntermediates,omitempty"`
	// Subject is a regular expression (RE2) that must match the distinguished name of the client. It may match anywhere in it.
	// Empty admits any client. Requires InResponse.
	Subject string `json:"subject,omitempty"`
	// ErrorPage is the URL to which refused clients are redirected. Empty means status 400. Requires InResponse.
	ErrorPage string `json:"errorPage,omitempty"`
	// Fingerprint is the SHA-256 of the fields that decide the verification, in hex. A client that was verified once is valid for
	// any ClientCertificates with the same Fingerprint.
	Fingerprint string `json:"fingerprint"`
}

// ClientFingerprint returns the Fingerprint of Clients, or "" if no certificate is requested. h may be nil.
func (h *Host) ClientFingerprint() string {
	if h == nil || h.Clients == nil {
		return ""
	}
	return h.Clients.Fingerprint
}

// Certificate is one TLS key pair and the server names for which it is presented.
type Certificate struct {
	Secret Ref `json:"secret"`
	// ServerNames are in lower case: "shop.example.com", "*.example.com", or "" for clients that name no known host.
	ServerNames []string `json:"serverNames"`
	// Algorithm is the key algorithm in the form of x509.PublicKeyAlgorithm: "ECDSA", "Ed25519" or "RSA".
	Algorithm string `json:"algorithm"`
	// Fingerprint is the SHA-256 of the certificate chain in hex.
	Fingerprint string `json:"fingerprint"`
	// Pair is the certificate chain with its private key. Leaf is set. It must not be modified or printed.
	Pair *tls.Certificate `json:"-"`
	// CertPEM and KeyPEM are the source of Pair. They allow reusing Pair for an unchanged Secret, because parsing a
	// private key is expensive.
	CertPEM []byte `json:"-"`
	KeyPEM  []byte `json:"-"`
}
