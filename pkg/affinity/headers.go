package affinity

import (
	"bytes"

	"github.com/limpet-dev/limpet/pkg/model"
)

// requestHeader is one that does not reach the app as the client sent it.
type requestHeader struct {
	name   []byte
	unwrap bool // it goes there without the token on its value; else it does not go there at all
}

// compileHeaders gathers the headers that are Limpet's own: the tokens in them are not for the app, and what a client
// says about moves is not to be believed.
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

// EditsHeaders reports whether ForwardHeader is to be asked about the headers of a request.
func (p *Policy) EditsHeaders() bool { return len(p.requestHeaders) > 0 }

// ForwardHeader gives the value with which a request header goes to the app, and whether it goes there at all.
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

// MovedHeader gives the header that tells the app why its session has just moved: an empty name if it has not, or if
// the policy does not ask for one.
func (p *Policy) MovedHeader(d *Decision) (name []byte, why string) {
	if d.Outcome != OutcomeMoved {
		return nil, ""
	}
	return p.movedHeader, d.Reason.String()
}

// TokenHeader gives the response header that the token of a decision with Issue goes into, nil if it is a cookie.
func (p *Policy) TokenHeader(d *Decision) []byte {
	if m := &p.methods[d.issuingMethod]; m.source == sourceHeader {
		return m.header
	}
	return nil
}
