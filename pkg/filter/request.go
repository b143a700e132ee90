package filter

import (
	"net/netip"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// Request is what filters see of a request. Only the fields of its last group may be changed.
//
// A Request and everything it points to belong to one goroutine and are reused for the next request: a filter must copy what
// it keeps.
type Request struct {
	// Head is the head of the request as the client sent it.
	Head *http1.Request
	// Host is the host that was matched: in lower case, without port and trailing dot.
	Host []byte
	// Path is the normalized path (see http1.NormalizePath). It is what routes are matched and sessions are hashed by, and
	// no filter changes it.
	Path []byte
	// ClientIP is the address of the client, as far as trusted proxies name it.
	ClientIP netip.Addr
	// Trusted reports whether the peer of the connection is a trusted proxy, whose word about the client is believed.
	Trusted bool
	// TLS is the outcome of the connection's TLS handshake, nil for a cleartext connection.
	TLS *TLSSession
	// Hosts says what the TLS connections of a host must be like. It is that of the table that the route is from.
	Hosts Hosts
	// Certificates says which hosts a certificate covers.
	Certificates Certificates

	// Forward is what the pod receives as its target. It starts out as Path and the client's query.
	Forward Target
	// Limits are the limits of the request. They start out as those of the command line.
	Limits Limits
	// Buf is space for values that a filter computes. Append to it, and use the part that you appended: it stays valid until
	// the head of the response was written.
	Buf []byte

	id      []byte
	idSpace [2 * randomIDBytes]byte
}

// Target is the target of a request without its authority.
type Target struct {
	Path []byte
	// Query is what follows "?". HasQuery tells an empty one from none.
	Query    []byte
	HasQuery bool
}

// TLSSession is the outcome of a connection's TLS handshake. It does not change afterwards.
type TLSSession struct {
	// ServerName is the host that the client named, in lower case. It is empty if the client named none.
	ServerName string
	Version    model.TLSVersion
	// Host is what the client was asked for in the handshake, nil for nothing. Its table may have been replaced since.
	Host *model.Host
	// Identity are the fields that tell pods who the client is.
	Identity []byte
}

// Hosts says what the TLS connections of a host must be like. A routing.Table does.
type Hosts interface {
	// TLS returns nil for a host that is as all others are.
	TLS(host []byte) *model.Host
}

// Certificates says which hosts a certificate covers. A certs.Store does.
type Certificates interface {
	// Covers reports whether the certificate that is presented for serverName covers host too.
	Covers(serverName, host string) bool
}

// Reset prepares r for the next request, and keeps its memory.
func (r *Request) Reset() { *r = Request{Buf: r.Buf[:0]} }

// Scheme returns the scheme that the client used: "https" or "http". A trusted proxy may say so in X-Forwarded-Proto.
func (r *Request) Scheme() string {
	if r.Trusted {
		switch string(r.Head.Get(http1.FieldXForwardedProto)) {
		case "http":
			return "http"
		case "https":
			return "https"
		}
	}
	return r.ConnectionScheme()
}

// ConnectionScheme returns the scheme of the connection itself.
func (r *Request) ConnectionScheme() string {
	if r.TLS != nil {
		return "https"
	}
	return "http"
}
