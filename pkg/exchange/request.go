package exchange

import (
	"bytes"
	"net/http"
	"net/netip"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// request is a request as the steps up to bind see it. It was sent by a client or described to Explain.
type request struct {
	*Connection
	req   http1.Request  // the head
	view  filter.Request // the view of the request that filters have
	start time.Time
	// upgrade is the protocol that the request to the pod may upgrade to, or nil.
	upgrade []byte
	spans   requestTrace

	hostSpace [256]byte
	pathSpace []byte
}

// begin prepares r for the next request of the connection. Its head has not been read yet.
func (r *request) begin(c *Connection) {
	r.Connection = c
	r.upgrade = nil
	r.spans.reset()
	r.req.Reset()
	r.view.Reset()
	r.view.Head, r.view.TLS, r.view.Trusted = &r.req, c.TLS, c.Trusted
	r.view.Shared = &c.Engine.shared
	r.view.Certificates, r.view.Limits = c.Engine.Certs, c.Engine.defaultLimits
	r.view.Credentials = c.Engine.credentials
	r.view.Origin = connectionOrigin(c)
}

// normalize derives the origin, the host and the path from the head.
func (r *request) normalize() error {
	r.view.Origin = decideOrigin(r.Connection, &r.req)
	path, changed, err := http1.NormalizePath(r.pathSpace[:0], r.req.Path)
	if err != nil {
		return err
	}
	if changed {
		r.pathSpace = path
	}
	r.view.Path = path
	r.view.Forward = filter.Target{Path: path, Query: r.req.Query, HasQuery: r.req.HasQuery}
	r.view.Host = hostName(r.hostSpace[:0], r.req.Host)
	return nil
}

// hostName appends the host of an authority in lower case, without the port and without a trailing dot.
func hostName(dst, authority []byte) []byte {
	name := authority
	if colon := bytes.LastIndexByte(name, ':'); colon > bytes.LastIndexByte(name, ']') {
		name = name[:colon]
	}
	if n := len(name); n > 1 && name[n-1] == '.' {
		name = name[:n-1]
	}
	for _, c := range name {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// OmitsBody reports whether the response has no body regardless of its head, as for HEAD.
func (r *request) OmitsBody() bool { return string(r.req.Method) == http.MethodHead }

// replayable reports whether the request may be repeated although a pod may have acted on it.
func (r *request) replayable() bool {
	if r.req.Body != http1.BodyNone {
		return false
	}
	switch string(r.req.Method) {
	case http.MethodGet, http.MethodHead, http.MethodOptions:
		return true
	}
	return false
}

// dialer returns a dialer with the connect timeout of the route.
func (r *request) dialer() *upstream.Dialer {
	if r.view.Limits.ConnectTimeout == r.Engine.dialer.Timeout {
		return &r.Engine.dialer
	}
	d := r.Engine.dialer
	d.Timeout = r.view.Limits.ConnectTimeout
	return &d
}

// identity adapts a request to affinity.Request: the data by which a client can be recognized.
type identity request

func (r *request) identity() *identity { return (*identity)(r) }

// Header implements affinity.Request.
func (i *identity) Header(name string) ([]byte, bool) { return i.req.Lookup(name) }

// CookieHeader implements affinity.Request.
func (i *identity) CookieHeader(n int) []byte {
	if n >= len(i.req.Cookies) {
		return nil
	}
	return i.req.Fields[i.req.Cookies[n]].Value
}

// Method implements affinity.Request.
func (i *identity) Method() []byte { return i.req.Method }

// Path implements affinity.Request.
func (i *identity) Path() []byte { return i.view.Path }

// Host implements affinity.Request.
func (i *identity) Host() []byte { return i.view.Host }

// ClientCertificate implements affinity.Request.
func (i *identity) ClientCertificate() []byte {
	if i.view.TLS == nil {
		return nil
	}
	return i.view.TLS.Certificate
}

// Query implements affinity.Request.
func (i *identity) Query() []byte { return i.req.Query }

// ClientIP implements affinity.Request.
func (i *identity) ClientIP() netip.Addr { return i.view.ClientIP }

var _ affinity.Request = (*identity)(nil)
