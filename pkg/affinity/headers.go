package affinity

import (
	"bytes"

	"github.com/limpet-dev/limpet/pkg/model"
)

// requestHeader is a header that must not reach the app as the client sent it.
type requestHeader struct {
	name   []byte
	unwrap bool // forward the value without its token; otherwise do not forward the header
}

// compileHeaders collects the headers that Limpet controls. Tokens must not reach the app, and clients must not be
// able to set the header that reports moves.
func (p *Policy) compileHeaders(a *model.Affinity) {
	if a.MovedHeader != "" {
		p.movedHeader = []byte(a.MovedHeader)
		p.requestHeaders = append(p.requestHeaders, requestHeader{name: p.movedHeader})
	}
	for i := range p.methods {
		m := &p.methods[i]
		if m.source == sourceHeader && (m.binding == issued || m.binding == wrapped) {
			p.requestHeaders = append(p.requestHeaders, requestHeader{name: m.header, unwrap: m.binding == wrapped})
		}
	}
}

// EditsHeaders reports whether callers must pass request headers through ForwardHeader.
func (p *Policy) EditsHeaders() bool { return len(p.requestHeaders) > 0 }

// ForwardHeader returns the value of a request header to send to the app. It returns false if the header must be
// dropped.
func (p *Policy) ForwardHeader(name, value []byte) (forwarded []byte, ok bool) {
	for i := range p.requestHeaders {
		h := &p.requestHeaders[i]
		if !bytes.EqualFold(h.name, name) {
			continue
		}
		value, _ = unwrap(value)
		return value, h.unwrap
	}
	return value, true
}

// MovedHeader returns the header that informs the app that its session has moved or is lent, and the reason. The name is
// empty if neither is the case or the policy does not set such a header.
func (p *Policy) MovedHeader(d *Decision) (name []byte, why string) {
	if d.Outcome != OutcomeMoved && d.Outcome != OutcomeLent {
		return nil, ""
	}
	return p.movedHeader, d.Reason.String()
}

// TokenHeader returns the response header for the token of d, or nil if the token is set as a cookie. d.Issue must be
// set.
func (p *Policy) TokenHeader(d *Decision) []byte {
	if m := &p.methods[d.issuingMethod]; m.source == sourceHeader {
		return m.header
	}
	return nil
}
