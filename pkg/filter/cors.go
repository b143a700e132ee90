package filter

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// CORS responds to preflight requests, and sets the fields of cross-origin resource sharing on all responses to allowed origins,
// as ingress-nginx does. It replaces the fields of the app.
type CORS struct {
	anyOrigin bool
	origins   []origin
	fields    []responseField // all but Access-Control-Allow-Origin
}

// origin is an allowed origin: exact, or with any single label between prefix and suffix.
type origin struct {
	prefix, suffix string
	isWildcard     bool
}

const allowOrigin = "Access-Control-Allow-Origin"

var (
	allowOriginName = []byte(allowOrigin)
	varyName        = []byte("Vary")
	originText      = []byte("Origin")
	star            = []byte("*")
	// preflight has the Content-Type that ingress-nginx sends.
	preflight = (&Response{Status: http.StatusNoContent}).With(contentType, []byte("text/plain charset=UTF-8"))
)

// NewCORS returns a filter for these settings, or nil if m is nil.
func NewCORS(m *model.CORS) Filter {
	if m == nil {
		return nil
	}
	f := &CORS{anyOrigin: m.AnyOrigin}
	for _, text := range m.Origins {
		prefix, suffix, isWildcard := strings.Cut(text, "*")
		f.origins = append(f.origins, origin{prefix, suffix, isWildcard})
	}
	if m.AllowCredentials {
		f.add("Access-Control-Allow-Credentials", "true")
	}
	f.add("Access-Control-Allow-Methods", m.Methods)
	f.add("Access-Control-Allow-Headers", m.Headers)
	f.add("Access-Control-Expose-Headers", m.ExposeHeaders)
	f.add("Access-Control-Max-Age", strconv.Itoa(m.MaxAge))
	return f
}

// add adds a field of responses, unless its value is empty.
func (f *CORS) add(name, value string) {
	if value != "" {
		f.fields = append(f.fields, responseField{name, fieldOf(&model.HeaderField{Name: name, Value: value})})
	}
}

// Name implements Filter.
func (*CORS) Name() string { return "cors" }

// FilterRequest implements RequestFilter. It responds to every OPTIONS request of an allowed origin.
func (f *CORS) FilterRequest(r *Request) *Response {
	if string(r.Head.Method) != http.MethodOptions || f.allowed(r) == nil {
		return nil
	}
	return preflight
}

// FilterResponse implements ResponseFilter.
func (f *CORS) FilterResponse(r *Request, head *http1.Response) {
	if !f.anyOrigin {
		head.Add(varyName, originText) // also for other origins: caches must not mix them up
	}
	value := f.allowed(r)
	if value == nil {
		return
	}
	withholdNamed(head, allowOrigin)
	head.Add(allowOriginName, value)
	for i := range f.fields {
		withholdNamed(head, f.fields[i].name)
		head.AddField(f.fields[i].field)
	}
}

// allowed returns the value of Access-Control-Allow-Origin, or nil if the origin of the request is not allowed.
func (f *CORS) allowed(r *Request) []byte {
	if f.anyOrigin {
		return star
	}
	text := r.Head.Get(http1.FieldOrigin)
	if text == nil || r.Head.IsRepeated(http1.FieldOrigin) {
		return nil
	}
	for i := range f.origins {
		if f.origins[i].matches(text) {
			return text
		}
	}
	return nil
}

func (o *origin) matches(text []byte) bool {
	if !o.isWildcard {
		return http1.EqualFold(text, o.prefix)
	}
	if len(text) <= len(o.prefix)+len(o.suffix) {
		return false
	}
	label, suffix := text[len(o.prefix):len(text)-len(o.suffix)], text[len(text)-len(o.suffix):]
	if !http1.EqualFold(text[:len(o.prefix)], o.prefix) || !http1.EqualFold(suffix, o.suffix) {
		return false
	}
	for _, c := range label {
		if !isLabelByte(c) {
			return false
		}
	}
	return true
}

func isLabelByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-'
}
