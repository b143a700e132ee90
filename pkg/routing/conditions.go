package routing

import (
	"bytes"
	"cmp"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/pattern"
)

// Request is a request whose conditions are matched. Each affinity.Request implements it.
type Request interface {
	// Method is the method of the request.
	Method() []byte
	// Header returns the value of the first field with that name, in canonical form.
	Header(name string) (value []byte, ok bool)
	// Query is the query without the "?".
	Query() []byte
}

// conditions is a compiled model.Conditions.
type conditions struct {
	methods []string
	headers []valueCondition
	query   []valueCondition
}

// valueCondition is a compiled model.ValueCondition.
type valueCondition struct {
	name    string
	value   string
	pattern *pattern.Pattern // nil: the value is compared exactly
	isWrong bool             // the pattern does not compile: the condition never matches
}

// compileConditions returns nil if m has no conditions.
func compileConditions(m *model.Conditions) *conditions {
	if m == nil || len(m.Methods)+len(m.Headers)+len(m.Query) == 0 {
		return nil
	}
	return &conditions{methods: m.Methods, headers: compileValues(m.Headers), query: compileValues(m.Query)}
}

func compileValues(in []model.ValueCondition) []valueCondition {
	out := make([]valueCondition, len(in))
	for i := range in {
		out[i] = valueCondition{name: in[i].Name, value: in[i].Value}
		if in[i].Pattern != "" {
			compiled, err := pattern.CompileWhole(in[i].Pattern)
			out[i].pattern, out[i].isWrong = compiled, err != nil
		}
	}
	return out
}

// comparePrecedence orders routes with the same path. The longer path comes first, which only matters for "/a" and "/a/".
// Then come conditions on the method, more conditions on header fields, and more conditions on query parameters.
//
// https://gateway-api.sigs.k8s.io/reference/spec/#httprouterule
func comparePrecedence(a, b *Route) int {
	x, y := a.conditions, b.conditions
	if x == nil {
		x = &conditions{}
	}
	if y == nil {
		y = &conditions{}
	}
	return cmp.Or(
		cmp.Compare(len(b.Path), len(a.Path)),
		cmp.Compare(min(len(y.methods), 1), min(len(x.methods), 1)),
		cmp.Compare(len(y.headers), len(x.headers)),
		cmp.Compare(len(y.query), len(x.query)),
	)
}

// match reports whether a request meets all conditions. A nil request meets no condition. c may be nil.
func (c *conditions) match(req Request) bool {
	if c == nil {
		return true
	}
	if req == nil || !c.matchMethod(req) {
		return false
	}
	for i := range c.headers {
		if value, ok := req.Header(c.headers[i].name); !ok || !c.headers[i].match(value) {
			return false
		}
	}
	for i := range c.query {
		if !c.query[i].matchQuery(req.Query()) {
			return false
		}
	}
	return true
}

func (c *conditions) matchMethod(req Request) bool {
	method := req.Method()
	for _, name := range c.methods {
		if string(method) == name {
			return true
		}
	}
	return len(c.methods) == 0
}

func (v *valueCondition) match(value []byte) bool {
	switch {
	case v.isWrong:
		return false
	case v.pattern != nil:
		return v.pattern.Match(value)
	}
	return string(value) == v.value
}

// Bounds of a query. Parameters beyond them match no condition.
const (
	maxParameters = 512
	maxParameter  = 1024 // length of a name or value in bytes, decoded
)

// matchQuery reports whether the first parameter with the name meets the condition.
func (v *valueCondition) matchQuery(query []byte) bool {
	var space [maxParameter]byte
	for n := 0; len(query) > 0 && n < maxParameters; n++ {
		pair := query
		if end := bytes.IndexByte(query, '&'); end >= 0 {
			pair, query = query[:end], query[end+1:]
		} else {
			query = nil
		}
		name, value, _ := bytes.Cut(pair, []byte{'='})
		if decoded, ok := decodeParameter(space[:0], name); !ok || string(decoded) != v.name {
			continue
		}
		decoded, ok := decodeParameter(space[:0], value)
		return ok && v.match(decoded)
	}
	return false
}

// decodeParameter decodes the percent-encoding of text. It appends to dst only if text is encoded. It fails for an incomplete
// encoding, and if the result is longer than the capacity of dst.
func decodeParameter(dst, text []byte) (decoded []byte, ok bool) {
	if bytes.IndexByte(text, '%') < 0 && bytes.IndexByte(text, '+') < 0 {
		return text, len(text) <= cap(dst)
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case len(dst) == cap(dst):
			return nil, false
		case c == '+':
			c = ' '
		case c == '%':
			if i+2 >= len(text) {
				return nil, false
			}
			high, low := hexDigit(text[i+1]), hexDigit(text[i+2])
			if high < 0 || low < 0 {
				return nil, false
			}
			c = byte(high<<4 | low)
			i += 2
		}
		dst = append(dst, c)
	}
	return dst, true
}

// hexDigit returns the value of a hexadecimal digit, -1 for another byte.
func hexDigit(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
