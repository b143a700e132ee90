package exchange

import (
	"bytes"
	"strconv"

	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/http1"
)

// connectionOrigin returns the origin of requests on c without any header field.
func connectionOrigin(c *Connection) filter.Origin {
	o := filter.Origin{ClientIP: c.Peer, ClientPort: c.PeerPort, Port: c.Local.Port()}
	switch {
	case c.TLS != nil:
		o.TLSEnd, o.Identity = filter.TLSAtLimpet, c.TLS.Identity
	case c.BalancerTLS:
		o.TLSEnd = filter.TLSAtBalancer
	}
	return o
}

// decideOrigin returns how a request came from its client. It depends only on its arguments.
//
// Header fields count only if the peer is a trusted proxy. If Forwarded names the client, the pairs of that hop decide.
// Otherwise, and for a hop without "proto" and "host", X-Forwarded-Proto, -Host and -Port do. Forwarded is ignored unless it
// names the client: a proxy forwards a field that it does not set itself with a value that the client made up.
func decideOrigin(c *Connection, head *http1.Request) filter.Origin {
	o := connectionOrigin(c)
	o.Authority = head.Host
	if !c.Trusted {
		return o
	}
	var hop clientHop
	hop, o.Source = findClient(c, head)
	if hop.addr != c.Peer {
		o.ClientIP, o.ClientPort = hop.addr, 0
	}
	claim := readClaim(&hop.element, head)
	claim.apply(&o)
	return o
}

// findClient returns the client as a trusted proxy names it, and the field that names it: the first of the configured fields
// that the request has. It ignores the other ones.
func findClient(c *Connection, head *http1.Request) (clientHop, http1.FieldID) {
	for _, id := range c.Engine.ClientHeaders {
		if head.Has(id) {
			return clientFrom(c, head, id), id
		}
	}
	return clientHop{addr: c.Peer}, http1.FieldOther
}

// originClaim holds the statements of a trusted proxy about the request of its client. The zero value states nothing.
type originClaim struct {
	scheme string // "https", "http" or empty
	host   []byte // empty: not stated
	port   uint16 // zero: not stated
}

// readClaim reads the pairs of the client's hop, otherwise the X-Forwarded fields. It ignores invalid values. Of a list, the
// first element is from the proxy that is closest to the client.
func readClaim(hop *forwardedElement, head *http1.Request) originClaim {
	var claim originClaim
	claim.scheme = schemeOf(unquote(hop.proto))
	claim.setHost(unquote(hop.host))
	if claim.scheme != "" || claim.host != nil {
		return claim
	}
	claim.scheme = schemeOf(http1.FirstElement(head.Get(http1.FieldXForwardedProto)))
	claim.setHost(http1.FirstElement(head.Get(http1.FieldXForwardedHost)))
	claim.port = portOf(http1.FirstElement(head.Get(http1.FieldXForwardedPort)))
	return claim
}

func (c *originClaim) setHost(host []byte) {
	if http1.IsHost(host) {
		c.host = host
	}
}

// apply overrides o with what the proxy states. If it states the scheme but no port, the port is the one of the host,
// otherwise the default of the scheme: the port of the connection is not the one that the client used.
func (c *originClaim) apply(o *filter.Origin) {
	if c.host != nil {
		o.Authority = c.host
	}
	switch c.scheme {
	case "https":
		o.TLSEnd = filter.TLSAtProxy
	case "http":
		o.TLSEnd = filter.TLSNone
	}
	switch {
	case c.port != 0:
		o.Port = c.port
	case c.scheme == "" && c.host == nil:
	case authorityPort(o.Authority) != 0:
		o.Port = authorityPort(o.Authority)
	case o.Secure():
		o.Port = 443
	default:
		o.Port = 80
	}
}

// schemeOf returns the HTTP scheme that a value names, in any case, or an empty string. Proxies report WebSockets as ws and
// wss.
func schemeOf(value []byte) string {
	switch {
	case http1.EqualFold(value, "https"), http1.EqualFold(value, "wss"):
		return "https"
	case http1.EqualFold(value, "http"), http1.EqualFold(value, "ws"):
		return "http"
	}
	return ""
}

// authorityPort returns the port of a valid authority, or zero without one.
func authorityPort(authority []byte) uint16 {
	at := bytes.LastIndexByte(authority, ':')
	if at <= bytes.LastIndexByte(authority, ']') {
		return 0
	}
	return portOf(authority[at+1:])
}

// portOf parses a port. It returns zero if the value is not a port.
func portOf(value []byte) uint16 {
	if len(value) > len("65535") {
		return 0
	}
	port, err := strconv.ParseUint(string(value), 10, 16)
	if err != nil {
		return 0
	}
	return uint16(port)
}

// contradicts reports whether a field of a trusted proxy states another scheme than o. Such a field is not forwarded, because
// pods would have to choose between it and X-Forwarded-Proto.
func contradicts(f *http1.Field, o *filter.Origin) bool {
	switch f.ID {
	case http1.FieldXForwardedScheme, http1.FieldXScheme:
		return schemeOf(http1.FirstElement(f.Value)) != o.Scheme()
	case http1.FieldXForwardedSSL:
		return http1.EqualFold(http1.FirstElement(f.Value), "on") != o.Secure()
	}
	return false
}
