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
	for i := range p.binders {
		method := &p.binders[i]
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

// maxBound is the maximum total length in bytes of the values in one response that are bound.
const maxBound = 2 * maxValue

// mayBind counts the bytes of a value and reports whether it may be bound. A value that is too long would not be
// recognized in the next request. A response with too many values is not bound either.
func (d *Decision) mayBind(length int) bool {
	if length > maxValue || d.boundBytes+length > maxBound {
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
