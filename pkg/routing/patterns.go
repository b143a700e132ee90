package routing

import (
	"bytes"
	"cmp"
	"net/http"
	"slices"

	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/pattern"
)

// pathPattern is a route whose path is a model.PathPattern.
type pathPattern struct {
	*Route
	// compiled is nil if the expression does not compile. The route then matches every path that begins with literal. Translation
	// closes such routes if they are protected, and leaves out others.
	compiled *pattern.Pattern
	// literal is the text in lower case that each match begins with.
	literal []byte
}

func newPathPattern(r *Route) pathPattern {
	compiled, err := pattern.CompilePath(r.Path)
	if err != nil {
		compiled = nil
	}
	return pathPattern{r, compiled, []byte(pattern.LiteralStart(r.Path))}
}

// compare orders the patterns of a host as ingress-nginx does: the longest text first, then in reverse order of the text.
func (p *pathPattern) compare(other *pathPattern) int {
	return cmp.Or(
		cmp.Compare(len(other.Path), len(p.Path)), cmp.Compare(other.Path, p.Path), comparePrecedence(p.Route, other.Route))
}

// addPattern adds a pattern after the patterns of the same precedence.
func (h *host) addPattern(r *Route) {
	p := newPathPattern(r)
	at := len(h.patterns)
	for at > 0 && p.compare(&h.patterns[at-1]) < 0 {
		at--
	}
	h.patterns = slices.Insert(h.patterns, at, p)
}

// pathTooLong refuses paths that are too long for patterns. Otherwise a route without protection might match them instead.
var pathTooLong = refusing(filter.NewText(http.StatusRequestURITooLong, "The path is too long.").Closing())

func refusing(resp *filter.Response) *Route {
	r := &Route{}
	r.Filters.Add(filter.NewRefusal(resp))
	return r
}

// textSpace is the size of the text of most paths.
const textSpace = 256

// matchPatterns returns the route of a request on a host with patterns, if no exact path matches. The first pattern that
// matches takes precedence over patterns and prefixes that are at most as long as its literal start. In ingress-nginx, paths of
// one host are either all patterns or all literal, and the order of patterns decides.
func (h *host) matchPatterns(path []byte, req Request) *Route {
	var space [textSpace]byte
	text := pattern.PathText(space[:0], path)
	if len(text) > pattern.MaxValue {
		return pathTooLong
	}
	return h.bestPattern(text, h.matchPrefix(path, req), req)
}

// bestPattern returns the first pattern that takes precedence over best, which may be nil, or best.
func (h *host) bestPattern(text []byte, best *Route, req Request) *Route {
	var space [textSpace]byte
	lower := appendLower(space[:0], text)
	length := 0
	if best != nil {
		length = len(best.Path)
	}
	var found *pathPattern
	for i := range h.patterns {
		p := &h.patterns[i]
		if !bytes.HasPrefix(lower, p.literal) || !p.canReplace(found, length) || !p.match(text, req) {
			continue
		}
		if h.parts == nil {
			return p.Route
		}
		found, best, length = p, p.Route, len(p.literal)
	}
	return best
}

// canReplace reports whether p would take precedence over a match whose literal text has the given length. found is the pattern
// that matched, or nil for a prefix. Patterns of the same namespace are in order, so the first one is final.
func (p *pathPattern) canReplace(found *pathPattern, length int) bool {
	if found == nil {
		return len(p.literal) >= length || p.compiled == nil
	}
	return p.Source.Namespace != found.Source.Namespace && len(p.literal) > length
}

// match reports whether a pattern matches a text that begins with its literal, and the request meets the conditions of its
// route.
func (p *pathPattern) match(text []byte, req Request) bool {
	return (p.compiled == nil || p.compiled.Match(text)) && (p.conditions == nil || p.conditions.match(req))
}

// appendLower appends text with ASCII letters in lower case.
func appendLower(dst, text []byte) []byte {
	for _, c := range text {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}
