package affinity

import (
	"bytes"

	"github.com/limpet-dev/limpet/pkg/model"
)

// requestHeader is a header that must not reach the app as the client sent it.
type requestHeader struct {
	name []byte
	edit headerEdit
}

// headerEdit is how a header is forwarded.
type headerEdit uint8

const (
	dropHeader  headerEdit = iota
	dropToken              // forward the header unless its value is a token
	unwrapValue            // forward the value without its token
)

// compileHeaders collects the headers that Limpet controls. Tokens must not reach the app, and clients must not be
// able to set the header that reports moves.
func (p *Policy) compileHeaders(a *model.Affinity) {
	if a.MovedHeader != "" {
		p.movedHeader = []byte(a.MovedHeader)
		p.requestHeaders = append(p.requestHeaders, requestHeader{name: p.movedHeader})
	}
	if p.handoff != nil {
		p.requestHeaders = append(p.requestHeaders, requestHeader{name: p.handoff.header})
	}
	for i := range p.methods {
		m := &p.methods[i]
		switch {
		case m.source != sourceHeader:
		case m.binding == wrapped:
			p.requestHeaders = append(p.requestHeaders, requestHeader{m.header, unwrapValue})
		case m.binding == issued:
			p.requestHeaders = append(p.requestHeaders, requestHeader{m.header, dropToken},
				requestHeader{[]byte(m.generated.name), dropToken})
		}
	}
}

// EditsHeaders reports whether callers must pass request headers through ForwardHeader.
func (p *Policy) EditsHeaders() bool { return len(p.requestHeaders) > 0 }

// ForwardHeader returns the value of a request header to send to the app. It returns false if the header must be
// dropped.
func (p *Policy) ForwardHeader(name, value []byte, keys *Keyring) (forwarded []byte, ok bool) {
	for i := range p.requestHeaders {
		h := &p.requestHeaders[i]
		if !looksLike(name, h.name) {
			continue
		}
		switch isExact := bytes.EqualFold(name, h.name); h.edit {
		case unwrapValue:
			value, _ = unwrap(value)
			return value, isExact
		case dropToken:
			return value, isExact && !keys.HasSealed(value)
		}
		return nil, false
	}
	return value, true
}

// ForwardsTrailer reports whether a trailer field of a request may reach the app. Fields that only Limpet may set are not
// forwarded as trailers, and neither are wrapped values, which clients send in the header.
func (p *Policy) ForwardsTrailer(name []byte) bool {
	for i := range p.requestHeaders {
		if looksLike(name, p.requestHeaders[i].name) {
			return false
		}
	}
	return true
}

// reserveHeaders adds headers that clients must not set.
func (p *Policy) reserveHeaders(names []string) {
	for _, name := range names {
		if p.handoff == nil || string(p.handoff.header) != name {
			p.requestHeaders = append(p.requestHeaders, requestHeader{name: []byte(name)})
		}
	}
}

// looksLike reports whether apps may take two header names for one. CGI and its successors replace "-" by "_" (RFC 3875,
// section 4.1.18), and some replace every other punctuation character too.
func looksLike(a, b []byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if foldName(a[i]) != foldName(b[i]) {
			return false
		}
	}
	return true
}

// foldName maps letters to lower case, and all characters that are neither letters nor digits to "-".
func foldName(c byte) byte {
	switch {
	case 'A' <= c && c <= 'Z':
		return c | 0x20
	case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		return c
	}
	return '-'
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
	m := &p.methods[d.issuingMethod]
	switch {
	case m.source != sourceHeader:
		return nil
	case m.avoidsName(d):
		return []byte(m.generated.name)
	}
	return m.header
}
