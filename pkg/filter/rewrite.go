package filter

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/pattern"
)

// Rewrite replaces the path that the pod receives. The path that was matched does not change.
type Rewrite struct {
	expression *pattern.Captures
	path       []rewritePart
	query      []rewritePart
	hasQuery   bool // the target has a query
	dropsQuery bool // the target ends with "?", so the query of the client is left out
	isRedirect bool
}

// maxGroups is the number of groups that a target can refer to. Expressions may have more.
const maxGroups = 9

// rewritePart is text, or the group with that number if text is nil.
type rewritePart struct {
	text  []byte
	group int
}

// NewRewrite returns a filter for these filters, or nil. An expression that does not compile leaves the path unchanged;
// translation rejects such expressions.
func NewRewrite(m *model.Filters) Filter {
	if m == nil || m.Rewrite == nil {
		return nil
	}
	expression, err := pattern.CompileCaptures(m.Rewrite.Pattern)
	if err != nil {
		return nil
	}
	f := &Rewrite{expression: expression}
	target := m.Rewrite.Target
	f.isRedirect = strings.HasPrefix(target, "http://") || strings.HasPrefix(target, "https://")
	path, query, hasQuery := strings.Cut(target, "?")
	if rest, drops := strings.CutSuffix(query, "?"); drops || hasQuery && query == "" {
		query, f.dropsQuery = rest, true
	}
	if !f.isRedirect { // as in nginx, the path is not encoded yet
		path = strings.ReplaceAll(path, "%", "%25")
	}
	f.path, f.query, f.hasQuery = splitParts(path), splitParts(query), query != ""
	return f
}

// splitParts splits a target at its references to groups.
func splitParts(target string) []rewritePart {
	var parts []rewritePart
	for len(target) > 0 {
		at := strings.IndexByte(target, '$')
		if at < 0 || at+1 == len(target) {
			return append(parts, rewritePart{text: []byte(target)})
		}
		if at > 0 {
			parts = append(parts, rewritePart{text: []byte(target[:at])})
		}
		parts = append(parts, rewritePart{group: int(target[at+1] - '0')})
		target = target[at+2:]
	}
	return parts
}

// Name implements Filter.
func (*Rewrite) Name() string { return "rewrite" }

// ambiguousRewrite refuses a request whose rewritten path contains a dot segment. It would lead out of the path that the author
// of the route chose.
var ambiguousRewrite = NewText(http.StatusBadRequest, "The request is refused: its rewritten path is ambiguous.").Closing()

// FilterRequest implements RequestFilter.
func (f *Rewrite) FilterRequest(r *Request) *Response {
	var space [256]byte
	text := pattern.PathText(space[:0], r.Path)
	var positions [2 * (maxGroups + 1)]int
	groups := f.expression.Find(positions[:0], text)
	if groups == nil {
		return nil // such as the target of OPTIONS *
	}
	start := len(r.Buf)
	if f.isRedirect {
		r.Buf = appendParts(r.Buf, f.path, text, groups, true)
		r.Buf = f.appendQuery(r.Buf, r, text, groups)
		return redirect(http.StatusFound, r.take(start))
	}
	r.Buf = append(r.Buf, '/')
	r.Buf = appendParts(r.Buf, f.path, text, groups, false)
	path := r.take(start)
	if len(path) > 1 && path[1] == '/' {
		path = path[1:]
	}
	if _, changed, err := http1.NormalizePath(nil, path); err != nil || changed {
		return ambiguousRewrite
	}
	r.Forward.Path = path
	if f.hasQuery || f.dropsQuery {
		start = len(r.Buf)
		r.Buf = f.appendQuery(r.Buf, r, text, groups)
		r.Forward.Query, r.Forward.HasQuery = bytes.TrimPrefix(r.take(start), question), len(r.Buf) > start
	}
	return nil
}

var question = []byte("?")

// appendQuery appends the query of the target and that of the client, with "?".
func (f *Rewrite) appendQuery(b []byte, r *Request, text []byte, groups []int) []byte {
	if f.hasQuery {
		b = appendParts(append(b, '?'), f.query, text, groups, true)
	}
	if !r.Head.HasQuery || f.dropsQuery {
		return b
	}
	separator := byte('?')
	if f.hasQuery {
		separator = '&'
	}
	return append(append(b, separator), r.Head.Query...)
}

// appendParts appends text and groups. Groups are percent-encoded, in a query or URL including the bytes that have a meaning
// there.
func appendParts(b []byte, parts []rewritePart, text []byte, groups []int, isStrict bool) []byte {
	for i := range parts {
		p := &parts[i]
		if p.text != nil {
			b = append(b, p.text...)
			continue
		}
		if at := 2 * p.group; at+1 < len(groups) && groups[at] >= 0 {
			b = appendEscaped(b, text[groups[at]:groups[at+1]], isStrict)
		}
	}
	return b
}

// appendEscaped appends decoded text of a path. Everything that is not a path character (RFC 3986 section 3.3) is
// percent-encoded, so that the text adds no query, field or space.
func appendEscaped(b, text []byte, isStrict bool) []byte {
	const hex = "0123456789ABCDEF"
	for _, c := range text {
		if isPathByte(c) && (!isStrict || c == '/' || isUnreservedByte(c)) {
			b = append(b, c)
			continue
		}
		b = append(b, '%', hex[c>>4], hex[c&15])
	}
	return b
}

func isUnreservedByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

func isPathByte(c byte) bool {
	return isUnreservedByte(c) || strings.IndexByte("/!$&'()*+,;=:@", c) >= 0
}
