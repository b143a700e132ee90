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
	pattern *pattern.Pattern // nil for none
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
	if err != nil { // translation lets none through; no request may ask by it
		c.header = ""
	}
	c.pattern = compiled
	return c
}

// Asked gives the backend that the request asks for by a header or cookie, whatever the weights and its session say,
// nil if it asks for none.
func (r *Route) Asked(req affinity.Request) *Backend {
	if r.canary == nil || len(r.Backends) != 2 {
		return nil
	}
	switch r.canary.answer(req) {
	case always:
		return &r.Backends[1]
	case never:
		return &r.Backends[0]
	}
	return nil
}

// wish is what a request says about the canary.
type wish uint8

const (
	anything wish = iota
	always
	never
)

func (c *canary) answer(req affinity.Request) wish {
	if w := c.inHeader(req); w != anything {
		return w
	}
	if c.cookie == "" {
		return anything
	}
	return wishOf(affinity.CookieValue(req, c.cookie))
}

// inHeader: where a value or a pattern is given, "always" and "never" have no meaning of their own.
func (c *canary) inHeader(req affinity.Request) wish {
	if c.header == "" {
		return anything
	}
	value, ok := req.Header(c.header)
	switch {
	case !ok:
		return anything
	case c.value != "" && string(value) == c.value, c.pattern != nil && c.pattern.Match(value):
		return always
	case c.value != "" || c.pattern != nil:
		return anything
	}
	return wishOf(value)
}

func wishOf(value []byte) wish {
	switch string(value) {
	case "always":
		return always
	case "never":
		return never
	}
	return anything
}
