package filter

import (
	"bytes"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// AltSvc advertises HTTP/3 to clients of HTTPS (RFC 7838). It uses the port of the request's host, because load
// balancers in front of Limpet forward UDP from the same port. It replaces the Alt-Svc of the app, whose alternatives
// would bypass Limpet. If the client's TLS ends in front of Limpet, clients cannot reach its HTTP/3 listener. Exchange
// runs it on all responses, independent of routes.
type AltSvc struct {
	// On reports whether HTTP/3 is available. It may change while requests are served.
	On *atomic.Bool
}

var (
	altSvc        = []byte("Alt-Svc")
	altSvcDefault = []byte(`h3=":443"; ma=3600`)
)

// Name implements Filter.
func (AltSvc) Name() string { return "alt-svc" }

// FilterResponse implements ResponseFilter.
func (f AltSvc) FilterResponse(r *Request, head *http1.Response) {
	if r.TLSEnd != TLSAtLimpet || !f.On.Load() {
		return
	}
	host := r.Head.Host
	_, port, ok := bytes.Cut(host[bytes.LastIndexByte(host, ']')+1:], []byte(":"))
	if !ok || len(port) == 0 {
		head.Set(altSvc, altSvcDefault)
		return
	}
	start := len(r.Buf)
	r.Buf = append(append(append(r.Buf, `h3=":`...), port...), `"; ma=3600`...)
	head.Set(altSvc, r.Buf[start:])
}
