package affinity

import (
	"strconv"
	"strings"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// expiresLayout is IMF-fixdate, the form of Expires (RFC 6265, section 4.1.1; RFC 9110, section 5.6.7).
const expiresLayout = "Mon, 02 Jan 2006 15:04:05 GMT"

// setCookie contains the parts of a Set-Cookie value that are the same in every response.
type setCookie struct {
	name      string // followed by "="
	scope     string // Path and Domain
	flags     string // HttpOnly, SameSite, Partitioned
	maxAge    string // Max-Age
	secure    model.Secure
	permanent bool
	// compatibleFlags replace flags for browsers that discard cookies with SameSite=None.
	compatibleFlags string
	expiresAfter    int64 // seconds from setting the cookie to Expires; zero omits it
}

func compileCookie(c *model.Cookie) setCookie {
	var scope strings.Builder
	attribute(&scope, "Path", c.Path)
	attribute(&scope, "Domain", c.Domain)
	out := setCookie{
		name:         c.Name + "=",
		scope:        scope.String(),
		flags:        flagsOf(c, c.SameSite),
		secure:       secureOf(c),
		permanent:    c.Permanent,
		maxAge:       maxAgeOf(c),
		expiresAfter: wholeSeconds(c.ExpiresAfter),
	}
	out.compatibleFlags = out.flags
	if c.CompatibleSameSite && c.SameSite == model.SameSiteNone {
		out.compatibleFlags = flagsOf(c, "")
	}
	return out
}

func flagsOf(c *model.Cookie, sameSite model.SameSite) string {
	var flags strings.Builder
	if c.HTTPOnly {
		flags.WriteString("; HttpOnly")
	}
	attribute(&flags, "SameSite", string(sameSite))
	if c.Partitioned {
		flags.WriteString("; Partitioned")
	}
	return flags.String()
}

func maxAgeOf(c *model.Cookie) string {
	if c.MaxAge == nil {
		return ""
	}
	return "; Max-Age=" + strconv.FormatInt(*c.MaxAge, 10)
}

// secureOf returns when the cookie is Secure. Browsers discard a cookie with such a prefix that is not, so Auto means always.
func secureOf(c *model.Cookie) model.Secure {
	if namePrefix(c.Name) != "" {
		return model.SecureAlways
	}
	return c.Secure
}

func attribute(b *strings.Builder, name, value string) {
	if value != "" {
		b.WriteString("; " + name + "=" + value)
	}
}

// AppendToken appends the field value that carries the token of d: a Set-Cookie value, or the value of the field that
// TokenHeader returns. d.Issue must be set.
//
// The token names the session's own endpoint while the request is diverted or lent, otherwise d.Endpoint, which must be the
// endpoint that responded. tls reports whether the client used TLS.
func (p *Policy) AppendToken(dst []byte, d *Decision, set Set, keys *Keyring, state *ConnState, tls bool) []byte {
	at := d.tokenEndpoint()
	if at != none {
		d.Token.Endpoint = set.Key(p.identity, at)
	}
	m := &p.methods[d.issuingMethod]
	if m.source == sourceHeader {
		return keys.Seal(state, dst, &d.Token)
	}
	c := &m.cookie
	dst = append(dst, m.cookieName(d)...)
	if p.nginx != nil && !m.avoidsName(d) {
		dst = p.nginx.append(dst, at, d.now, p.adoption, set)
	}
	dst = keys.Seal(state, dst, &d.Token)
	dst = append(dst, c.scope...)
	dst = append(dst, c.maxAge...)
	if end := p.cookieExpiry(c, &d.Token); end > 0 {
		dst = append(dst, "; Expires="...)
		dst = time.Unix(end, 0).UTC().AppendFormat(dst, expiresLayout)
	}
	return c.appendFlags(dst, tls, d.compatibleSameSite)
}

// tokenEndpoint returns the endpoint that the token of d must name, or -1 if d.Token names it already.
func (d *Decision) tokenEndpoint() int {
	switch {
	case d.Outcome == OutcomeLent:
		return none
	case d.sessionEndpoint != none:
		return d.sessionEndpoint
	}
	return d.Endpoint
}

// cookieExpiry returns the time at which browsers delete the cookie with a token, in Unix seconds. Zero means when they exit.
func (p *Policy) cookieExpiry(c *setCookie, t *Token) int64 {
	switch {
	case c.expiresAfter > 0:
		return t.Renewed + c.expiresAfter
	case c.permanent:
		return p.expiry(t)
	}
	return 0
}

// AppendExpiry appends a Set-Cookie value that deletes the i-th cookie of CookieNames. Browsers delete a cookie only
// if name, Path and Domain match (RFC 6265, section 5.3), and Partitioned as well.
func (p *Policy) AppendExpiry(dst []byte, i int, tls bool) []byte {
	name := p.tokenCookies[i]
	for k := range p.methods {
		m := &p.methods[k]
		if m.binding != issued || m.source != sourceCookie || m.name != name && m.generated.name != name {
			continue
		}
		dst = append(append(dst, name...), '=')
		dst = append(dst, m.cookie.scope...)
		dst = append(dst, "; Expires=Thu, 01 Jan 1970 00:00:00 GMT"...)
		return m.cookie.appendFlags(dst, tls, false)
	}
	return dst
}

func (c *setCookie) appendFlags(dst []byte, tls, compatible bool) []byte {
	if c.secure == model.SecureAlways || c.secure == model.SecureAuto && tls {
		dst = append(dst, "; Secure"...)
	}
	if compatible {
		return append(dst, c.compatibleFlags...)
	}
	return append(dst, c.flags...)
}
