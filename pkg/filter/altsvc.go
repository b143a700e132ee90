package filter

import (
	"bytes"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// AltSvc tells clients of HTTPS that there is HTTP/3 (RFC 7838), at the port that they know Limpet by: whatever is in front of
// Limpet forwards UDP from the same port. It replaces what an app says about alternative services, since they would be
// others. It does not belong to routes: exchange runs it on all responses.
type AltSvc struct {
	// On says whether there is HTTP/3. It may change while requests are served.
	On *atomic.Bool
}

var (
	altSvc        = []byte("Alt-Svc")
	altSvcDefault = []byte(`h3=":443"; ma=3600`)
)

// Name is part of Filter.
func (AltSvc) Name() string { return "alt-svc" }

// FilterResponse is part of ResponseFilter.
func (f AltSvc) FilterResponse(r *Request, head *http1.Response) {
	if r.TLS == nil || !f.On.Load() {
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
