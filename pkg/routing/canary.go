package routing

import (
	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/pattern"
)

// canary is a compiled model.Canary.
type canary struct {
	header  string
	value   string
	pattern *pattern.Pattern // may be nil
	cookie  string
}

func compileCanary(m *model.Canary) *canary {
	if m == nil {
		return nil
	}
	c := &canary{header: m.Header, value: m.Value, cookie: m.Cookie}
	if m.Pattern == "" {
		return c
	}
	compiled, err := pattern.Compile(m.Pattern)
	if err != nil { // translation rejects such patterns; if there is one, the header is ignored
		c.header = ""
	}
	c.pattern = compiled
	return c
}

// RequestedBackend returns the backend that a header field or cookie of the request selects, regardless of the weights and of
// the session. It returns nil if the request selects no backend.
func (r *Route) RequestedBackend(req affinity.Request) *Backend {
	if r.canary == nil || len(r.Backends) != 2 {
		return nil
	}
	switch r.canary.choice(req) {
	case always:
		return &r.Backends[1]
	case never:
		return &r.Backends[0]
	}
	return nil
}

// canaryChoice is the choice of a request between the canary and the primary backend.
type canaryChoice uint8

const (
	unspecified canaryChoice = iota
	always
	never
)

// choice returns the choice of the header field or, if it is unspecified, of the cookie.
func (c *canary) choice(req affinity.Request) canaryChoice {
	if w := c.headerChoice(req); w != unspecified {
		return w
	}
	if c.cookie == "" {
		return unspecified
	}
	return parseChoice(affinity.CookieValue(req, c.cookie))
}

// headerChoice returns the choice of the header field. If the rule has a value or a pattern, "always" and "never" have no
// special meaning.
func (c *canary) headerChoice(req affinity.Request) canaryChoice {
	if c.header == "" {
		return unspecified
	}
	value, ok := req.Header(c.header)
	switch {
	case !ok:
		return unspecified
	case c.value != "" && string(value) == c.value, c.pattern != nil && c.pattern.Match(value):
		return always
	case c.value != "" || c.pattern != nil:
		return unspecified
	}
	return parseChoice(value)
}

func parseChoice(value []byte) canaryChoice {
	switch string(value) {
	case "always":
		return always
	case "never":
		return never
	}
	return unspecified
}
