package filter

import (
	"bytes"

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
			f.redirect.replacePrefix(r, field, 0, len(field.Value))
		case field.ID == http1.FieldOther && f.redirect != nil && http1.EqualFold(field.Name, "Refresh"):
			if start := refreshURL(field.Value); start >= 0 {
				f.redirect.replacePrefix(r, field, start, len(field.Value))
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
	case f.path != nil && http1.EqualFold(name, "Path"):
		f.path.replacePrefix(r, field, valueStart, end)
	case f.domain == nil || !http1.EqualFold(name, "Domain"):
	case f.domain.expression != nil:
		f.domain.replaceMatch(r, field, valueStart, end)
	case bytes.EqualFold(bytes.TrimPrefix(value, dot), f.domain.from):
		f.domain.replace(r, field, end-len(f.domain.from), end, nil) // as in nginx, a leading dot stays
	}
}

var dot = []byte(".")

func isBlank(c byte) bool { return c == ' ' || c == '\t' }
