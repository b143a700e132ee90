package affinity

import (
	"bytes"

	"github.com/limpet-dev/limpet/pkg/model"
)

// wrapMark stands between an app's value and the token on it. It may stand in a cookie and in a header as it is, and
// in no token.
const wrapSeparator = '~'

// unwrap takes the token off a value; token is nil if there is none. What looks like one is taken off whether it opens
// or not, since the app has not put it there.
func unwrap(value []byte) (own, token []byte) {
	n := len(value) - TokenLen - 1
	if n <= 0 || value[n] != wrapSeparator {
		return value, nil
	}
	for _, c := range value[n+1:] {
		if !isTokenByte(c) {
			return value, nil
		}
	}
	return value[:n], value[n+1:]
}

// isTokenByte reports whether c is of base64url (RFC 4648, section 5).
func isTokenByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// WatchesAnswers reports whether BindAnswer is to be asked about the fields of an answer.
func (p *Policy) BindsResponse(d *Decision) bool {
	return p.bindsResponses || p.namesPods && d.Anonymous
}

// BindAnswer binds the value that the app gives its client in a response field: it is remembered, or goes out with a
// token on it, which names d.Endpoint. The changed value of the field is appended to dst; nothing is, if it stays. A
// guest has its session by that value.
func (p *Policy) BindResponse(dst []byte, d *Decision, name, value []byte, set Set, keys *Keyring, m *ConnState) []byte {
	if d.Outcome == OutcomeNone {
		return dst
	}
	for i := range p.methods {
		method := &p.methods[i]
		if method.binding == issued || method.binding == hashed {
			continue
		}
		start, end, ok := method.valueIn(name, value)
		if !ok || !d.mayBind(end-start) {
			continue
		}
		if d.Anonymous {
			d.Session, d.Anonymous = model.Hash(value[start:end]), false
		}
		switch method.binding {
		case learned:
			p.learn(d, value[start:end], set, m)
			continue
		case named:
			continue
		}
		dst = append(dst, value[:end]...)
		dst = append(dst, wrapSeparator)
		dst = p.sealOnto(dst, value[start:end], d, set, keys, m)
		return append(dst, value[end:]...)
	}
	return dst
}

// mayBind counts a value of the app. One that is too long would not be recognized when it comes back, and an answer
// with many is none that an app means.
func (d *Decision) mayBind(length int) bool {
	if length > maxValue || d.boundBytes+length > maxTotal {
		return false
	}
	d.boundBytes += length
	return true
}

// given finds the value that the app gives in a response field, if it is the one that the method is about.
func (m *method) valueIn(name, value []byte) (start, end int, ok bool) {
	if m.source == sourceHeader {
		return 0, len(value), len(value) > 0 && bytes.EqualFold(name, m.header)
	}
	if m.source != sourceCookie || !bytes.EqualFold(name, setCookieName) {
		return 0, 0, false
	}
	pair, _ := cutPair(value)
	v, ok := cookieValue(pair, m.name)
	if !ok || len(v) == 0 {
		return 0, 0, false
	}
	start = bytes.IndexByte(value, '=') + 1
	if value[start] == '"' && len(v) < len(trimSpace(pair))-len(m.name)-1 {
		start++
	}
	return start, start + len(v), true
}

var setCookieName = []byte("Set-Cookie")

// sealOnto appends the token for a value. One that the client has brought keeps the time it was bound at.
func (p *Policy) sealOnto(dst, value []byte, d *Decision, set Set, keys *Keyring, m *ConnState) []byte {
	t := Token{
		Endpoint: set.Key(p.identity, d.Endpoint), Scope: p.scope, Started: d.now, Renewed: d.now,
		Session: model.Hash(value),
	}
	if d.valueStarted != 0 && d.placementHash == t.Session {
		t.Started = d.valueStarted
	}
	return keys.Seal(m, dst, &t)
}

// Relearn remembers where a session lives that came with its id, and whose endpoint is another one than was known.
func (p *Policy) Relearn(d *Decision, req Request, set Set, m *ConnState) {
	if d.relearnMethod == none {
		return
	}
	v := valueReader{method: &p.methods[d.relearnMethod], req: req, state: m}
	if id := v.next(); id != nil {
		p.learn(d, id, set, m)
	}
}

func (p *Policy) learn(d *Decision, id []byte, set Set, m *ConnState) {
	if m.Learned != nil && d.Endpoint != none {
		m.Learned.Remember(p.scope, id, set.Key(p.identity, d.Endpoint))
	}
}

// Forget makes Limpet forget what it has learned of the client's session.
func (p *Policy) Forget(req Request, m *ConnState) {
	if m.Learned == nil {
		return
	}
	for i := range p.methods {
		if p.methods[i].binding != learned {
			continue
		}
		v := valueReader{method: &p.methods[i], req: req, state: m}
		for id := v.next(); id != nil; id = v.next() {
			m.Learned.Forget(p.scope, id)
		}
	}
}
