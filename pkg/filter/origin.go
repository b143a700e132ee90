package filter

import (
	"net/netip"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// TLSEnd is the place where the TLS connection of the client ends.
type TLSEnd uint8

// The places where TLS may end.
const (
	TLSNone       TLSEnd = iota // the client used cleartext
	TLSAtLimpet                 // at a listener of Limpet
	TLSAtBalancer               // at a load balancer, as its PROXY protocol header states
	TLSAtProxy                  // at a trusted proxy, as its header fields state
)

// Origin describes how a request came from its client. It is decided once per request, from the connection, the PROXY
// protocol header and the fields of trusted proxies. Everything that depends on the client's side uses it: cookies, filters,
// forwarding fields and the access log.
type Origin struct {
	// ClientIP is the address of the client. Only trusted proxies can override the peer address.
	ClientIP netip.Addr
	// ClientPort is the port of the client. Zero means that it is unknown, because the client is behind a trusted proxy.
	ClientPort uint16
	// TLSEnd is the place where the TLS connection of the client ends.
	TLSEnd TLSEnd
	// Source is the field in which a trusted proxy named the client. FieldOther means none.
	Source http1.FieldID
	// Port is the port that the client connected to.
	Port uint16
	// Authority is the host that the client requested, with its port if that was part of it.
	Authority []byte
	// Identity contains the header fields for pods about the client certificate. Only a certificate that Limpet verified
	// itself counts. It is empty for cleartext connections, and for hosts that request no certificates.
	Identity []byte
}

// Secure reports whether the client used TLS.
func (o *Origin) Secure() bool { return o.TLSEnd != TLSNone }

// Scheme returns the scheme that the client used: "https" or "http".
func (o *Origin) Scheme() string {
	if o.Secure() {
		return "https"
	}
	return "http"
}
