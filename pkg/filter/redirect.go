package filter

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/variable"
)

var location = []byte("Location")

// redirect returns a response with a location, which is not copied.
func redirect(status int, to []byte) *Response {
	return (&Response{Status: status}).With(location, to)
}

// take returns what was appended to r.Buf after start.
func (r *Request) take(start int) []byte { return r.Buf[start:len(r.Buf):len(r.Buf)] }

// appendTarget appends the path and query as the client sent them. Parsing has validated their bytes.
func (r *Request) appendTarget(dropsSlash bool) { r.Buf = r.appendTargetTo(r.Buf, dropsSlash) }

func (r *Request) appendTargetTo(dst []byte, dropsSlash bool) []byte {
	path := r.Head.Path
	if len(path) == 0 || path[0] != '/' { // OPTIONS *
		path = slash
	}
	if dropsSlash && !r.Head.HasQuery {
		path = bytes.TrimSuffix(path, slash)
	}
	dst = append(dst, path...)
	if r.Head.HasQuery {
		dst = append(append(dst, '?'), r.Head.Query...)
	}
	return dst
}

var slash = []byte("/")

// HTTPSRedirect redirects cleartext requests to HTTPS. The client may have used TLS up to a trusted proxy. Routes for ACME
// challenges are exempt, because a host may have no certificate yet.
type HTTPSRedirect struct{ model model.HTTPSRedirect }

// NewHTTPSRedirect returns a filter for a route, or nil. isChallenge is model.Route.ServesChallenges.
func NewHTTPSRedirect(m *model.Filters, isChallenge bool) Filter {
	if m == nil || m.HTTPSRedirect == nil || isChallenge {
		return nil
	}
	return &HTTPSRedirect{*m.HTTPSRedirect}
}

// Name implements Filter.
func (*HTTPSRedirect) Name() string { return "https-redirect" }

// FilterRequest implements RequestFilter.
func (f *HTTPSRedirect) FilterRequest(r *Request) *Response {
	if r.Secure() {
		return nil
	}
	start := len(r.Buf)
	r.Buf = append(append(r.Buf, "https://"...), withoutPort(r.Authority)...)
	r.appendTarget(f.model.DropsTrailingSlash)
	return redirect(f.model.Status, r.take(start))
}

// withoutPort returns an authority without its port. The port of cleartext requests does not serve TLS.
func withoutPort(authority []byte) []byte {
	if colon := bytes.LastIndexByte(authority, ':'); colon > bytes.LastIndexByte(authority, ']') {
		return authority[:colon]
	}
	return authority
}

// Redirect redirects all requests of a route.
type Redirect struct {
	model model.Redirect
	// fixed is the response if it does not depend on the request.
	fixed *Response
	// url is the URL with variables. It is nil for a URL without variables.
	url *variable.Template
}

// urlSource provides the variables of a URL. $request_uri is the target as the client sent it, as in nginx. Other values than the
// host and the target, which parsing has validated, are percent-encoded.
type urlSource struct{ *Request }

// AppendVariable implements variable.Source.
func (r urlSource) AppendVariable(dst []byte, v *variable.Variable) []byte {
	switch v.Kind {
	case variable.RequestURI:
		return r.appendTargetTo(dst, false)
	case variable.Scheme, variable.Host, variable.Authority:
		return r.Request.AppendVariable(dst, v)
	}
	return variable.AppendURL(dst, r.Request.AppendVariable(nil, v))
}

// NewRedirect returns a filter for these filters, or nil.
func NewRedirect(m *model.Filters) Filter {
	if m == nil || m.Redirect == nil {
		return nil
	}
	f := &Redirect{model: *m.Redirect}
	switch {
	case strings.Contains(f.model.URL, "$"):
		f.url, _ = variable.Parse(f.model.URL) // translation rejects others
	case f.model.URL != "":
		f.fixed = redirect(f.model.Status, []byte(f.model.URL))
	case f.model.IsRelative:
		f.fixed = redirect(f.model.Status, []byte(f.model.Path))
	}
	return f
}

// Name implements Filter.
func (*Redirect) Name() string { return "redirect" }

// FilterRequest implements RequestFilter.
func (f *Redirect) FilterRequest(r *Request) *Response {
	if f.fixed != nil {
		return f.fixed
	}
	start := len(r.Buf)
	if f.url != nil {
		r.Buf = f.url.Append(r.Buf, urlSource{r}, nil)
		return redirect(f.model.Status, r.take(start))
	}
	r.Buf = append(append(r.Buf, r.Scheme()...), "://"...)
	if f.model.Host != "" {
		r.Buf = append(r.Buf, f.model.Host...)
		r.appendTarget(f.model.DropsTrailingSlash)
	} else {
		r.Buf = append(append(r.Buf, r.Authority...), f.model.Path...)
	}
	return redirect(f.model.Status, r.take(start))
}

// SlashRedirect redirects requests for the path of a route without its trailing slash.
type SlashRedirect struct {
	path       []byte
	isRelative bool
}

// NewSlashRedirect returns a filter for these filters, or nil.
func NewSlashRedirect(m *model.Filters) Filter {
	if m == nil || m.SlashRedirect == nil {
		return nil
	}
	return &SlashRedirect{[]byte(m.SlashRedirect.Path), m.SlashRedirect.IsRelative}
}

// Name implements Filter.
func (*SlashRedirect) Name() string { return "slash-redirect" }

// FilterRequest implements RequestFilter.
func (f *SlashRedirect) FilterRequest(r *Request) *Response {
	if !bytes.Equal(r.Path, f.path) {
		return nil
	}
	start := len(r.Buf)
	if !f.isRelative {
		r.Buf = append(append(append(r.Buf, r.Scheme()...), "://"...), withoutPort(r.Authority)...)
	}
	r.Buf = append(append(r.Buf, f.path...), '/')
	if r.Head.HasQuery {
		r.Buf = append(append(r.Buf, '?'), r.Head.Query...)
	}
	return redirect(http.StatusMovedPermanently, r.take(start))
}

// ForwardHeaders sets header fields that pods receive.
type ForwardHeaders struct{ host, prefix []byte }

// NewForwardHeaders returns a filter for these filters, or nil.
func NewForwardHeaders(m *model.Filters) Filter {
	if m == nil || m.Forward == nil {
		return nil
	}
	return &ForwardHeaders{[]byte(m.Forward.Host), []byte(m.Forward.Prefix)}
}

// Name implements Filter.
func (*ForwardHeaders) Name() string { return "forward-headers" }

// FilterRequest implements RequestFilter.
func (f *ForwardHeaders) FilterRequest(r *Request) *Response {
	if len(f.host) > 0 {
		r.ForwardHost = f.host
	}
	if len(f.prefix) > 0 {
		r.ForwardPrefix = f.prefix
	}
	return nil
}
