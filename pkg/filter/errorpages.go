package filter

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// ErrorPages provides the responses that replace those of some statuses, from the Service of model.ErrorPages.
type ErrorPages struct {
	model     *model.ErrorPages
	source    model.Ref
	endpoints Endpoints
}

const (
	// maxPageTimeout bounds the wait for a page.
	maxPageTimeout = 10 * time.Second
	// MaxPageBytes is the maximum size of the body of a page.
	MaxPageBytes = 256 << 10
)

// NewErrorPages returns the error pages of a route, or nil.
func NewErrorPages(m *model.Route, endpoints Endpoints) *ErrorPages {
	return &ErrorPages{m.Filters.ErrorPages, m.Source, endpoints}
}

// Replaces reports whether a response with that status is replaced. isLocal is true for a response that Limpet sends because
// no pod has responded. p may be nil.
func (p *ErrorPages) Replaces(status int, isLocal bool) bool {
	return p != nil && (isLocal || !p.model.KeepsPods) && slices.Contains(p.model.Statuses, status)
}

// Page returns the response that replaces one with that status, for a request that went to pool. If there is no page, it
// returns a plain response with the status.
func (p *ErrorPages) Page(r *Request, status int, pool model.PoolID) *Response {
	s := &Subrequest{
		Purpose: PurposeErrorPage, Namespace: p.source.Namespace, Method: http.MethodGet, URL: p.url(r),
		Host: string(r.Authority), Header: r.copyHeader(), Endpoints: p.endpoints,
		Timeout: min(r.Limits.ResponseTimeout, maxPageTimeout), MaxBody: MaxPageBytes,
	}
	if string(r.Head.Method) == http.MethodHead {
		s.Method = http.MethodHead
	}
	s.Header.Set("X-Original-URI", string(r.appendURI(nil)))
	for _, f := range errorFields(r, status, p.source, pool) {
		s.Header.Set(f.name, f.value)
	}
	resp, err := r.Shared.Subrequests.Do(s)
	if err != nil || resp.Status < 200 || resp.Status > 599 {
		return NewText(status, http.StatusText(status)+".")
	}
	page := pageResponse(resp)
	page.LengthUnknown = s.Method == http.MethodHead
	return page
}

// url returns a URL with the host of only this port of the Service, so that it shares no connections with others. As in
// ingress-nginx, it has the query of the request.
func (p *ErrorPages) url(r *Request) string {
	s := &p.model.Service
	text := "http://" + s.Service + "." + s.Namespace + ".svc:" + strconv.Itoa(int(s.Port)) + "/"
	if r.Head.HasQuery {
		text += "?" + strings.ReplaceAll(string(r.Head.Query), "#", "%23")
	}
	return text
}

// errorField is a field that describes an error to a Service for error pages.
type errorField struct{ name, value string }

// errorFields returns the fields of ingress-nginx.
func errorFields(r *Request, status int, source model.Ref, pool model.PoolID) []errorField {
	fields := []errorField{
		{"X-Code", strconv.Itoa(status)}, {"X-Format", string(r.Head.Get(http1.FieldAccept))},
		{"X-Namespace", source.Namespace}, {"X-Ingress-Name", source.Name},
		{"X-Service-Name", pool.Service}, {"X-Service-Port", ""},
	}
	if pool.Port != 0 {
		fields[len(fields)-1].value = strconv.Itoa(int(pool.Port))
	}
	return fields
}

// SetErrorFields makes the pod receive the fields about an error, because it serves instead of another pod.
func (r *Request) SetErrorFields(status int, source model.Ref, pool model.PoolID) {
	for _, f := range errorFields(r, status, source, pool) {
		r.SetField([]byte(f.name), []byte(f.value))
	}
}

// connectionFields belong to the connection that a page arrived on, or are written by Limpet.
var connectionFields = []string{
	"Connection", "Content-Length", "Date", "Keep-Alive", "Proxy-Authenticate", "Proxy-Connection", "Te", "Trailer",
	"Transfer-Encoding", "Upgrade", "X-Request-Id",
}

func pageResponse(page *Subresponse) *Response {
	resp := &Response{Status: page.Status, Body: page.Body}
	for name, values := range page.Header {
		if slices.Contains(connectionFields, name) || !http1.IsToken([]byte(name)) {
			continue
		}
		for _, value := range values {
			if http1.IsFieldValue([]byte(value)) {
				resp.With([]byte(name), []byte(value))
			}
		}
	}
	return resp
}
