package filter

import (
	"bytes"
	"strings"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// ResponseRewrites rewrites the redirects and the attributes of cookies in responses of pods. It runs before Limpet adds its own
// cookies, so that it never changes these.
type ResponseRewrites struct{ redirect, domain, path *replacement }

// NewResponseRewrites returns a filter for these settings, or nil if m is nil.
func NewResponseRewrites(m *model.ResponseRewrites) Filter {
	if m == nil {
		return nil
	}
	return &ResponseRewrites{newReplacement(m.Redirect), newReplacement(m.CookieDomain), newReplacement(m.CookiePath)}
}

// Name implements Filter.
func (*ResponseRewrites) Name() string { return "response-rewrites" }

// FilterPodResponse implements PodResponseFilter.
func (f *ResponseRewrites) FilterPodResponse(r *Request, head *http1.Response) {
	for i := range head.Fields {
		field := &head.Fields[i]
		switch {
		case field.ID == http1.FieldSetCookie && (f.domain != nil || f.path != nil):
			f.rewriteCookie(r, field)
		case field.ID == http1.FieldLocation && f.redirect != nil:
			f.redirect.replacePrefix(r, field, 0)
		case field.ID == http1.FieldOther && f.redirect != nil && http1.EqualFold(field.Name, "Refresh"):
			if start := refreshURL(field.Value); start >= 0 {
				f.redirect.replacePrefix(r, field, start)
			}
		}
	}
}

// refreshURL returns where the URL in a value of Refresh starts, such as "5; url=/login". It returns -1 if the value has no URL.
func refreshURL(value []byte) int {
	const prefix = "url="
	for i := 0; i+len(prefix) <= len(value); i++ {
		if http1.EqualFold(value[i:i+len(prefix)], prefix) {
			return i + len(prefix)
		}
	}
	return -1
}

// rewriteCookie rewrites the attributes Domain and Path.
func (f *ResponseRewrites) rewriteCookie(r *Request, field *http1.Field) {
	for at := bytes.IndexByte(field.Value, ';'); at >= 0 && at < len(field.Value); {
		end := len(field.Value)
		if next := bytes.IndexByte(field.Value[at+1:], ';'); next >= 0 {
			end = at + 1 + next
		}
		rest := len(field.Value) - end // stays the same
		f.rewriteAttribute(r, field, at+1, end)
		at = len(field.Value) - rest
	}
}

// rewriteAttribute rewrites the attribute from start to end, if it is one that changes.
func (f *ResponseRewrites) rewriteAttribute(r *Request, field *http1.Field, start, end int) {
	equals := bytes.IndexByte(field.Value[start:end], '=')
	if equals < 0 {
		return
	}
	name := bytes.TrimSpace(field.Value[start : start+equals])
	valueStart := start + equals + 1
	for valueStart < end && isBlank(field.Value[valueStart]) {
		valueStart++
	}
	for valueStart < end && isBlank(field.Value[end-1]) {
		end--
	}
	value := field.Value[valueStart:end]
	switch {
	case f.path != nil && http1.EqualFold(name, "Path") && bytes.HasPrefix(value, f.path.from):
		f.path.replace(r, field, valueStart, valueStart+len(f.path.from))
	case f.domain != nil && http1.EqualFold(name, "Domain") && bytes.EqualFold(bytes.TrimPrefix(value, dot), f.domain.from):
		f.domain.replace(r, field, end-len(f.domain.from), end) // as in nginx, a leading dot stays
	}
}

var dot = []byte(".")

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// replacement is a compiled model.Replacement.
type replacement struct {
	from []byte
	to   []part
}

// part is literal text or a variable.
type part struct {
	literal  []byte
	variable string
}

// ReplacementVariables are the variables in model.Replacement.To, longer names first.
var ReplacementVariables = []string{"$http_host", "$scheme", "$host"}

func newReplacement(m *model.Replacement) *replacement {
	if m == nil {
		return nil
	}
	p := &replacement{from: []byte(m.From)}
	for to := m.To; to != ""; {
		var next part
		next, to = cutPart(to)
		p.to = append(p.to, next)
	}
	return p
}

// cutPart returns the first part of a text that is not empty, and the rest.
func cutPart(text string) (part, string) {
	for _, name := range ReplacementVariables {
		if rest, found := strings.CutPrefix(text, name); found {
			return part{variable: name}, rest
		}
	}
	end := strings.IndexByte(text[1:], '$') + 1
	if end == 0 {
		end = len(text)
	}
	return part{literal: []byte(text[:end])}, text[end:]
}

// replacePrefix replaces the text at start if it is from.
func (p *replacement) replacePrefix(r *Request, field *http1.Field, start int) {
	if bytes.HasPrefix(field.Value[start:], p.from) {
		p.replace(r, field, start, start+len(p.from))
	}
}

// maxRewritten bounds the bytes that the rewritten fields of one response need. Others stay as they are.
const maxRewritten = 64 << 10

// replace replaces the text from start to end.
func (p *replacement) replace(r *Request, field *http1.Field, start, end int) {
	if len(r.Buf) > maxRewritten {
		return
	}
	at := len(r.Buf)
	r.Buf = append(r.Buf, field.Value[:start]...)
	for i := range p.to {
		r.Buf = append(r.Buf, r.expand(&p.to[i])...)
	}
	r.Buf = append(r.Buf, field.Value[end:]...)
	field.Value = r.Buf[at:len(r.Buf):len(r.Buf)]
}

// expand returns the text of a part.
func (r *Request) expand(p *part) []byte {
	switch p.variable {
	case "":
		return p.literal
	case "$scheme":
		if r.Secure() {
			return schemeHTTPS
		}
		return schemeHTTP
	case "$host":
		return r.Host
	default:
		return r.Origin.Authority
	}
}

var schemeHTTP, schemeHTTPS = []byte("http"), []byte("https")
