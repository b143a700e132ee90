package affinity

import (
	"bytes"

	"github.com/limpet-dev/limpet/pkg/model"
)

// wrapSeparator separates the app's value from the appended token. It is valid in cookies and header fields and is not
// part of the token alphabet.
const wrapSeparator = '~'

// unwrap splits a value into the app's value and the appended token. token is nil if the value has no token. A suffix
// in token format is split off even if it does not open, because the app did not set it.
func unwrap(value []byte) (appPart, token []byte) {
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

// isTokenByte reports whether c is in the base64url alphabet (RFC 4648, section 5).
func isTokenByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// BindsResponse reports whether callers must pass the response fields to BindResponse.
func (p *Policy) BindsResponse(d *Decision) bool {
	return p.bindsResponses || p.namesPods && d.Anonymous
}

// BindResponse binds the session to a value that the app sets in a response field. Depending on the method, it stores
// the value with d.Endpoint, or appends a token for d.Endpoint to it.
//
// It appends the new field value to dst if the value changes, and nothing otherwise. An anonymous client is identified
// by the value from now on.
func (p *Policy) BindResponse(dst []byte, d *Decision, name, value []byte, set Set, keys *Keyring, state *ConnState) []byte {
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
			p.learn(d, value[start:end], set, state)
			continue
		case named:
			continue
		}
		dst = append(dst, value[:end]...)
		dst = append(dst, wrapSeparator)
		dst = p.sealOnto(dst, value[start:end], d, set, keys, state)
		return append(dst, value[end:]...)
	}
	return dst
}

// mayBind counts the bytes of a value and reports whether it may be bound. A value that is too long would not be
// recognized in the next request. A response with too many values is not bound either.
func (d *Decision) mayBind(length int) bool {
	if length > maxValue || d.boundBytes+length > maxTotal {
		return false
	}
	d.boundBytes += length
	return true
}

// valueIn returns the position of the app's value in a response field, if the method reads that field.
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

// sealOnto appends the token for a value. If the client sent the value with a token, the start time of the session is
// kept.
func (p *Policy) sealOnto(dst, value []byte, d *Decision, set Set, keys *Keyring, state *ConnState) []byte {
	t := Token{
		Endpoint: set.Key(p.identity, d.Endpoint), Scope: p.scope, Started: d.now, Renewed: d.now,
		Session: model.Hash(value),
	}
	if d.valueStarted != 0 && d.placementHash == t.Session {
		t.Started = d.valueStarted
	}
	if d.isLent(value) {
		t.Endpoint = d.lentKey
	}
	return keys.Seal(state, dst, &t)
}

// Relearn stores the endpoint of a session again if Decide found that it has changed. It also stores new sessions
// whose id was in a query.
func (p *Policy) Relearn(d *Decision, req Request, set Set, state *ConnState) {
	if d.relearnMethod == none {
		return
	}
	v := valueReader{method: &p.methods[d.relearnMethod], req: req, state: state}
	if id := v.next(); id != nil {
		p.learn(d, id, set, state)
	}
}

func (p *Policy) learn(d *Decision, id []byte, set Set, state *ConnState) {
	if state.Learned != nil && d.Endpoint != none && !d.isLent(id) {
		state.Learned.Remember(p.scope, id, set.Key(p.identity, d.Endpoint))
	}
}

// Forget deletes the client's learned sessions from the Store.
func (p *Policy) Forget(req Request, state *ConnState) {
	if state.Learned == nil {
		return
	}
	for i := range p.methods {
		if p.methods[i].binding != learned {
			continue
		}
		v := valueReader{method: &p.methods[i], req: req, state: state}
		for id := v.next(); id != nil; id = v.next() {
			state.Learned.Forget(p.scope, id)
		}
	}
}
