package affinity

import (
	"bytes"

	"github.com/limpet-dev/limpet/pkg/model"
)

// requestHeader is one that does not reach the app as the client sent it.
type requestHeader struct {
	name    []byte
	unwraps bool // it goes there without the token on its value; else it does not go there at all
}

// compileHeaders gathers the headers that are Limpet's own: the tokens in them are not for the app, and what a client
// says about moves is not to be believed.
func (p *Policy) compileHeaders(a *model.Affinity) {
	if a.MovedHeader != "" {
		p.moved = []byte(a.MovedHeader)
		p.headers = append(p.headers, requestHeader{name: p.moved})
	}
	for i := range p.methods {
		m := &p.methods[i]
		if m.source == fromHeader && (m.binding == issued || m.binding == wrapped) {
			p.headers = append(p.headers, requestHeader{name: m.header, unwraps: m.binding == wrapped})
		}
	}
}

// EditsHeaders reports whether ForwardHeader is to be asked about the headers of a request.
func (p *Policy) EditsHeaders() bool { return len(p.headers) > 0 }

// ForwardHeader gives the value with which a request header goes to the app, and whether it goes there at all.
func (p *Policy) ForwardHeader(name, value []byte) (forwarded []byte, ok bool) {
	for i := range p.headers {
		h := &p.headers[i]
		if !bytes.EqualFold(h.name, name) {
			continue
		}
		value, _ = unwrap(value)
		return value, h.unwraps
	}
	return value, true
}

// MovedHeader gives the header that tells the app why its session has just moved: an empty name if it has not, or if
// the policy does not ask for one.
func (p *Policy) MovedHeader(d *Decision) (name []byte, why string) {
	if d.Outcome != OutcomeMoved {
		return nil, ""
	}
	return p.moved, d.Reason.String()
}

// TokenHeader gives the response header that the token of a decision with Issue goes into, nil if it is a cookie.
func (p *Policy) TokenHeader(d *Decision) []byte {
	if m := &p.methods[d.issuer]; m.source == fromHeader {
		return m.header
	}
	return nil
}
