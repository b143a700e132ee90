package affinity

import (
	"bytes"
	"net/textproto"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/model"
)

// An app may use the name of a cookie or header in which Limpet issues tokens. Its values are never removed, neither from
// requests nor from responses. The token moves to a generated name instead. Tokens are read under both names, so replicas
// agree even if only one of them has seen the app use the name.

// generatedName is where the tokens of a method move if the app uses the name of the method.
type generatedName struct {
	name  string
	set   string       // name, followed by "="
	inUse *atomic.Bool // the app uses the name of the method
}

// compileGenerated sets the generated name. It keeps the prefix of a cookie name, which protects the cookie.
func (m *method) compileGenerated(from *model.Method, a *model.Affinity, names *UsedNames) {
	name := model.TokenName(a.Scope)
	if m.source == sourceHeader {
		name = textproto.CanonicalMIMEHeaderKey(name)
	} else {
		name = namePrefix(from.Cookie.Name) + name
	}
	if name == m.name {
		name += "-2"
	}
	inUse := names.flag(usedName{a.Source, a.Scope, from.Source, m.name})
	m.generated = generatedName{name: name, set: name + "=", inUse: inUse}
}

// namePrefix returns the prefix of a cookie name with which browsers require a cookie to be Secure, or "" (RFC 6265bis,
// section 4.1.3). They compare the name without case.
func namePrefix(name string) string {
	for _, prefix := range []string{"__Host-", "__Secure-"} {
		if len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix) {
			return prefix
		}
	}
	return ""
}

func (p *Policy) addTokenCookies(names ...string) {
	for _, name := range names {
		if !slices.Contains(p.tokenCookies, name) {
			p.tokenCookies = append(p.tokenCookies, name)
		}
	}
}

// avoidsName reports whether the token of d must be issued under the generated name.
func (m *method) avoidsName(d *Decision) bool { return d.generatedName || m.generated.inUse.Load() }

// cookieName returns the name of the cookie for the token of d, followed by "=".
func (m *method) cookieName(d *Decision) string {
	if m.avoidsName(d) {
		return m.generated.set
	}
	return m.cookie.name
}

// IssuesTokens reports whether callers must pass the Set-Cookie fields of responses to FindCollision.
func (p *Policy) IssuesTokens() bool { return p.issues }

// IssuesHeaders reports whether callers must pass all fields of responses to FindCollision.
func (p *Policy) IssuesHeaders() bool { return p.issuesHeaders }

// Collision is a cookie or header that both the app and Limpet set.
type Collision struct {
	Source    model.Source
	Name      string // of the policy
	Generated string // the name under which the token is issued instead
	IsFirst   bool   // it was not found before
}

// FindCollision reports whether the app sets a cookie or header in a response field in which p issues tokens. The token of
// d, and all later ones, are then issued under the generated name. If the client would lose its token, the response must
// carry it again.
func (p *Policy) FindCollision(d *Decision, name, value []byte) (c Collision, found bool) {
	for i := range p.methods {
		m := &p.methods[i]
		if m.binding != issued || !m.isSetBy(name, value) {
			continue
		}
		c = Collision{Source: model.SourceCookie, Name: m.name, Generated: m.generated.name}
		c.IsFirst = !m.generated.inUse.Load() && m.generated.inUse.CompareAndSwap(false, true)
		p.reissue(d, i)
		if m.source == sourceHeader {
			c.Source = model.SourceHeader
		}
		return c, true
	}
	return c, false
}

// reissue issues the token that the client sent again, if it has the name of method i, which the app overwrites.
func (p *Policy) reissue(d *Decision, i int) {
	if d.issuingMethod == i {
		d.generatedName = true
	}
	if d.Issue || d.generatedName || d.Method != i || d.Endpoint == none || d.Outcome == OutcomeRefused {
		return
	}
	d.issuingMethod, d.Issue, d.generatedName = i, true, true
	d.Token.Renewed = d.now
}

// isSetBy reports whether a response field sets the cookie or header of m. Browsers ignore spaces around the name. They send
// a cookie without a name as its bare value, which may look like a cookie with a name.
func (m *method) isSetBy(name, value []byte) bool {
	if m.source == sourceHeader {
		return bytes.EqualFold(name, m.header)
	}
	if !bytes.EqualFold(name, setCookieName) {
		return false
	}
	pair, _ := cutPair(value)
	cookie, _, _ := bytes.Cut(bytes.TrimLeft(pair, "= \t"), equalsSign)
	return string(trimEnd(cookie)) == m.name
}

var equalsSign = []byte("=")

// ExpiresCookie reports whether the i-th cookie of CookieNames must be expired when the session is released. A cookie of the
// app must not be, and a generated one need not be unless the client sends it.
func (p *Policy) ExpiresCookie(i int, req Request, keys *Keyring) bool {
	name := p.tokenCookies[i]
	for k := range p.methods {
		if m := &p.methods[k]; m.binding == issued && m.source == sourceCookie && m.name == name {
			value := CookieValue(req, name)
			return !m.generated.inUse.Load() && (value == nil || keys.HasSealed(value) || p.adoption != nil)
		}
	}
	return CookieValue(req, name) != nil
}

// HasSealed reports whether value, or its rest after the parts for ingress-nginx, has the length of a token and names a key of
// k. It does not decrypt the token: an app does not set such a value by chance.
func (k *Keyring) HasSealed(value []byte) bool {
	text := sealedPart(value)
	if len(text) != TokenLen {
		return false
	}
	var raw [6]byte
	if n, err := tokenEncoding.Decode(raw[:], text[:8]); err != nil || n != len(raw) {
		return false
	}
	id := keyID(raw[:idSize])
	return slices.ContainsFunc(k.keys, func(key key) bool { return key.id == id })
}
