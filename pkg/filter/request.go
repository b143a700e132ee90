package filter

import (
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// Request is the view that filters have of a request. Filters may change only the fields of the last group.
//
// A Request and everything it points to belong to one goroutine and are reused for the next request. A filter must
// copy data that it retains.
type Request struct {
	// Head is the head of the request as the client sent it. Filters may withhold fields of it from pods.
	Head *http1.Request
	// Host is the host that was matched: in lower case, without port and trailing dot.
	Host []byte
	// Path is the normalized path (see http1.NormalizePath). Routes are matched by it and sessions are hashed by it.
	// Filters must not change it.
	Path []byte
	// Origin describes how the request came from its client.
	Origin
	// Trusted reports whether the peer of the connection is a trusted proxy. Its forwarding fields are then used.
	Trusted bool
	// TLS is the outcome of the connection's TLS handshake, nil for a cleartext connection.
	TLS *TLSSession
	// Hosts provides the TLS configuration of hosts. It belongs to the same table as the route.
	Hosts Hosts
	// IsDescribed reports whether the request was described to be explained. Filters must not count it.
	IsDescribed bool
	// Certificates reports which hosts a certificate covers.
	Certificates Certificates
	// Credentials is the state of authentication. Without it, no credentials are accepted.
	Credentials *Credentials

	// Shared has the services that filters of all routes share. If it is nil, filters that need one fail.
	Shared *Shared

	// Forward is the request target that the pod receives. It starts as Path and the client's query.
	Forward Target
	// ForwardHost is the Host that the pod receives. Empty means the host that the client sent.
	ForwardHost []byte
	// ForwardPrefix is the X-Forwarded-Prefix that the pod receives. If it is empty, the pod receives the field of a trusted
	// proxy.
	ForwardPrefix []byte
	// Limits are the limits of the request. They start as those of the flags.
	Limits Limits
	// ResponseRate limits the bandwidth of the response. Nil sets no limit.
	ResponseRate *model.ResponseRate
	// Compression allows to compress the response. Nil leaves it as it is.
	Compression *model.Compression
	// BodyCopy receives the body of the request as it arrives. Nil copies nothing.
	BodyCopy *BodyCopy
	// Buf is space for values that a filter computes. Append to it, and use the appended part. It stays valid until
	// the head of the response is written.
	Buf []byte

	held        Held
	fields      []http1.Field // see SetField
	authCookies [][]byte      // the cookies of a service that authenticates clients

	id      []byte
	idSpace [2 * randomRequestIDBytes]byte
}

// Target is the target of a request without its authority.
type Target struct {
	Path []byte
	// Query is the query without "?". HasQuery distinguishes an empty query from a missing one.
	Query    []byte
	HasQuery bool
}

// TLSSession is the result of a connection's TLS handshake. It is immutable.
type TLSSession struct {
	// ServerName is the host that the client named, in lower case. It is empty if the client sent no server name.
	ServerName string
	Version    model.TLSVersion
	// Host is the TLS configuration that the handshake used, or nil for the default. Its table may have been replaced
	// since.
	Host *model.Host
	// Identity contains the fields that identify the client to pods.
	Identity []byte
	// ClientState is the result of the verification of the client certificate.
	ClientState ClientState
	// Subject is the distinguished name of the client as in Identity. It is nil without a certificate.
	Subject []byte
	// Certificate is a hash of the subject and the alternative names of the verified client certificate. It is nil
	// without a certificate. A renewed certificate has the same hash.
	Certificate []byte
}

// Hosts provides the TLS configuration of hosts. routing.Table implements it.
type Hosts interface {
	// TLS returns nil for a host with the default configuration.
	TLS(host []byte) *model.Host
}

// Certificates reports which hosts a certificate covers. certs.Store implements it.
type Certificates interface {
	// Covers reports whether the certificate that is presented for serverName covers host too.
	Covers(serverName, host string) bool
}

// Shared has the services that the filters of all routes share. It outlives tables.
type Shared struct {
	// Subrequests sends requests.
	Subrequests Subrequester
	// Decisions caches the decisions of services that authenticate clients.
	Decisions *AuthCache
	// Copies sends copies of requests.
	Copies *Copies
	// Limits synchronizes limits with other replicas. It may be nil.
	Limits *SharedLimits
}

// Reset prepares r for the next request and keeps the memory of Buf.
func (r *Request) Reset() {
	clear(r.fields)
	*r = Request{Buf: r.Buf[:0], fields: r.fields[:0]}
}

// TakeHeld returns what filters hold until the request ends. The caller must release it.
func (r *Request) TakeHeld() Held {
	held := r.held
	r.held = Held{}
	return held
}
