package filter

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/variable"
)

// subrequestMark marks requests for decisions, so that one that returns to a route with ExternalAuth is refused. A client that
// sends it is refused, too.
const subrequestMark = "X-Limpet-Auth-Request"

// isFromSubrequest reports whether a request is one for a decision.
func isFromSubrequest(r *Request) bool {
	for i := range r.Head.Fields {
		if f := &r.Head.Fields[i]; f.ID == http1.FieldOther && equalNames(f.Name, subrequestMark) {
			return true
		}
	}
	return false
}

// subrequest returns the request for a decision about r. It has the fields of ingress-nginx.
func (f *ExternalAuth) subrequest(r *Request) (*Subrequest, error) {
	s := &Subrequest{
		Purpose: PurposeAuth, Namespace: f.namespace, Method: http.MethodGet, Endpoints: f.endpoints,
		AuthorityPEM: f.model.AuthorityPEM, Timeout: min(r.Limits.ResponseTimeout, maxAuthTimeout),
		URL: string(f.url.Append(nil, matchedHost{r}, variable.AppendURL)),
	}
	if f.model.Method != "" {
		s.Method = f.model.Method
	}
	target, err := url.Parse(s.URL)
	if err != nil {
		return nil, err
	}
	s.Host = target.Hostname()
	if strings.Contains(s.Host, ":") {
		s.Host = "[" + s.Host + "]"
	}
	uri := string(r.appendURI(nil))
	s.Header = r.copyHeader()
	s.Header.Set("X-Original-URL", r.Scheme()+"://"+string(r.Head.Host)+uri)
	s.Header.Set("X-Original-URI", uri)
	s.Header.Set("X-Original-Method", string(r.Head.Method))
	s.Header.Set("X-Scheme", r.Scheme())
	s.Header.Set("X-Sent-From", "nginx-ingress-controller") // services written for ingress-nginx check it
	s.Header.Set("X-Auth-Request-Redirect", uri)
	if f.model.Redirect != "" {
		s.Header.Set("X-Auth-Request-Redirect", string(f.redirect.Append(nil, r, nil)))
	}
	s.Header.Set(subrequestMark, "1")
	for i := range f.headers {
		s.Header.Set(f.headers[i].name, string(f.headers[i].value.Append(nil, r, nil)))
	}
	return s, nil
}

// matchedHost is a Request whose host is the one that its route was found by. A trusted proxy may forward an X-Forwarded-Host
// that the client made up. It must choose neither the service nor the host for which the service decides.
type matchedHost struct{ *Request }

// AppendVariable implements variable.Source.
func (m matchedHost) AppendVariable(dst []byte, v *variable.Variable) []byte {
	if v.Kind == variable.Authority {
		return append(dst, m.Head.Host...)
	}
	return m.Request.AppendVariable(dst, v)
}

// copyHeader returns the fields of the client that another service may receive, and those that describe the client. It leaves
// out what belongs to the body, the connection and to conditional or partial requests, whose responses would be none of the
// resource itself. Like nginx, it leaves out names with "_", which some servers cannot distinguish from names with "-".
func (r *Request) copyHeader() http.Header {
	header := http.Header{}
	for i := range r.Head.Fields {
		f := &r.Head.Fields[i]
		if !http1.ForwardRequestField(f, r.Head) || f.ID.AboutClient() || isLeftOut(f) {
			continue
		}
		header.Add(string(f.Name), string(f.Value))
	}
	header.Set("X-Request-ID", string(r.ID()))
	client := r.ClientIP.String()
	header.Set("X-Real-IP", client)
	header.Set("X-Forwarded-For", client)
	for line := range bytes.Lines(r.Identity) {
		if name, value, found := bytes.Cut(line, []byte(":")); found {
			header.Set(string(name), string(bytes.TrimSpace(value)))
		}
	}
	return header
}

func isLeftOut(f *http1.Field) bool {
	const conditional = "if-"
	switch f.ID {
	case http1.FieldExpect, http1.FieldTrailer, http1.FieldRange, http1.FieldMaxForwards, http1.FieldXRequestID:
		return true
	}
	return len(f.Name) > len(conditional) && bytes.EqualFold(f.Name[:len(conditional)], []byte(conditional)) ||
		bytes.IndexByte(f.Name, '_') >= 0 || equalNames(f.Name, subrequestMark)
}
