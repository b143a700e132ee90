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

// request is a request as the steps up to bind see it, whether a client sent it or it was described to Explain.
type request struct {
	*Connection
	req   http1.Request  // its head
	view  filter.Request // what filters see of it
	start time.Time

	hostSpace [256]byte
	pathSpace []byte
}

// begin prepares r for a request of the connection whose head has yet to be read.
func (r *request) begin(c *Connection) {
	r.Connection = c
	r.req.Reset()
	r.view.Reset()
	r.view.Head, r.view.TLS, r.view.Trusted = &r.req, c.TLS, c.Trusted
	r.view.Certificates, r.view.Limits = c.Engine.Certs, c.Engine.usual
	r.view.ClientIP = c.Peer
}

// normalize derives what is matched and forwarded from the head: the address of the client, the host and the path.
func (r *request) normalize() error {
	r.view.ClientIP = r.clientAddress()
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

// hostName writes the name in an authority: in lower case, without the port and without a trailing dot.
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

// OmitsBody reports whether the response has no body, whatever its head says.
func (r *request) OmitsBody() bool { return string(r.req.Method) == http.MethodHead }

// replayable reports whether the request may be sent again although a pod may have acted on it.
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

// dialer returns one that waits as long as the route says.
func (r *request) dialer() *upstream.Dialer {
	if r.view.Limits.ConnectTimeout == r.Engine.dialer.Timeout {
		return &r.Engine.dialer
	}
	d := r.Engine.dialer
	d.Timeout = r.view.Limits.ConnectTimeout
	return &d
}

// identity is a request as affinity sees it: what its client can be recognized by.
type identity request

func (r *request) identity() *identity { return (*identity)(r) }

// Header is part of affinity.Request.
func (i *identity) Header(name string) ([]byte, bool) { return i.req.Lookup(name) }

// CookieHeader is part of affinity.Request.
func (i *identity) CookieHeader(n int) []byte {
	if n >= len(i.req.Cookies) {
		return nil
	}
	return i.req.Fields[i.req.Cookies[n]].Value
}

// Method is part of affinity.Request.
func (i *identity) Method() []byte { return i.req.Method }

// Path is part of affinity.Request.
func (i *identity) Path() []byte { return i.view.Path }

// Query is part of affinity.Request.
func (i *identity) Query() []byte { return i.req.Query }

// ClientIP is part of affinity.Request.
func (i *identity) ClientIP() netip.Addr { return i.view.ClientIP }

var _ affinity.Request = (*identity)(nil)
