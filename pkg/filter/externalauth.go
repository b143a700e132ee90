package filter

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/variable"
)

// ExternalAuth sends a request to a service for each request of a client, as auth_request of nginx does. A response with a 2xx
// status admits the request, 401 and 403 refuse it, and anything else is an error. Without a response the request is refused,
// never admitted.
//
// Routes for ACME challenges are exempt, as in ingress-nginx.
type ExternalAuth struct {
	model     *model.ExternalAuth
	endpoints Endpoints // nil: by DNS
	namespace string    // of the object
	scope     string    // separates the cached decisions of routes
	url       *variable.Template
	signIn    *variable.Template
	redirect  *variable.Template
	cacheKey  *variable.Template
	headers   []headerTemplate
	isInvalid bool // a text cannot be parsed, which translation prevents
}

type headerTemplate struct {
	name  string
	value *variable.Template
}

// maxAuthTimeout bounds the wait for a decision. A longer response timeout of the route is meant for the pods.
const maxAuthTimeout = 60 * time.Second

// NewExternalAuth returns the check of a route, or nil if the route does not use it. endpoints are the endpoints of its Service.
func NewExternalAuth(m *model.Route, endpoints Endpoints) AccessCheck {
	if m.Filters == nil || m.Filters.ExternalAuth == nil || m.ServesChallenges() {
		return nil
	}
	f := &ExternalAuth{model: m.Filters.ExternalAuth, endpoints: endpoints, namespace: m.Source.Namespace}
	f.scope = scopeOf(m)
	f.url = f.parse(f.model.URL)
	f.signIn, f.redirect, f.cacheKey = f.parse(f.model.SignIn), f.parse(f.model.Redirect), f.parse(f.model.CacheKey)
	for _, h := range f.model.Headers {
		f.headers = append(f.headers, headerTemplate{h.Name, f.parse(h.Value)})
	}
	return f
}

// scopeOf returns the scope of the decisions of a route. It has all settings: a decision must not be used with other ones.
func scopeOf(m *model.Route) string {
	settings, _ := json.Marshal(m.Filters.ExternalAuth) // it has no type that cannot be marshaled
	authority := sha256.Sum256([]byte(m.Filters.ExternalAuth.AuthorityPEM))
	return m.Source.String() + " " + m.Host + " " + m.Path + " " + string(settings) + " " + string(authority[:])
}

func (f *ExternalAuth) parse(text string) *variable.Template {
	t, err := variable.Parse(text)
	f.isInvalid = f.isInvalid || err != nil
	return t
}

var (
	authUnavailable = NewText(http.StatusServiceUnavailable, "The service that authenticates clients is not available.")
	authFailed      = NewText(http.StatusInternalServerError, "The request could not be authenticated.")
	authForbidden   = NewText(http.StatusForbidden, "The request is not allowed.")
)

// CheckAccess implements AccessCheck.
func (f *ExternalAuth) CheckAccess(r *Request) (AccessDecision, *Response) {
	switch {
	case r.IsDescribed && f.model.Unavailable == "":
		return AccessUndecided, nil
	case f.model.Unavailable != "" || r.Shared == nil || f.isInvalid:
		return AccessFailed, authUnavailable
	case isFromSubrequest(r):
		return AccessFailed, authFailed // the service is reached through this route, so requests for decisions would not end
	}
	d, err := f.decision(r)
	switch {
	case errors.Is(err, ErrNoEndpoint), errors.Is(err, ErrNoPermit):
		return AccessFailed, authUnavailable
	case err != nil:
		return AccessFailed, authFailed
	}
	r.authCookies = d.cookies
	return f.apply(r, d)
}

// apply acts on a decision.
func (f *ExternalAuth) apply(r *Request, d *authDecision) (AccessDecision, *Response) {
	switch {
	case 200 <= d.status && d.status <= 299:
		for i := range d.fields {
			r.SetField([]byte(f.model.ResponseHeaders[i]), d.fields[i])
		}
		return AccessGranted, nil
	case d.status == http.StatusUnauthorized:
		return AccessRefused, f.unauthorized(r, d)
	case d.status == http.StatusForbidden:
		return AccessRefused, authForbidden
	}
	return AccessFailed, authFailed
}

// decision returns the cached decision about a request, or requests one from the service.
func (f *ExternalAuth) decision(r *Request) (*authDecision, error) {
	if f.model.CacheKey == "" {
		return f.query(r)
	}
	text, isIdentified := f.keyText(r)
	if !isIdentified {
		return f.query(r)
	}
	key := authKeyOf(text)
	if d := r.Shared.Decisions.get(key, time.Now()); d != nil {
		return d, nil
	}
	d, err := f.query(r)
	if err == nil {
		if keep := f.cacheTime(d); keep > 0 {
			r.Shared.Decisions.put(key, d, time.Now().Add(keep))
		}
	}
	return d, err
}

// keyText returns the text by which a decision is cached: the scope, and the values of the variables of the key after their
// lengths. So the values of two requests never add up to the same text. isIdentified is false if all values are empty: then
// nothing identifies the client.
func (f *ExternalAuth) keyText(r *Request) (text []byte, isIdentified bool) {
	text = f.cacheKey.Append([]byte(f.scope), r, func(dst, value []byte) []byte {
		isIdentified = isIdentified || len(value) > 0
		return append(binary.AppendUvarint(dst, uint64(len(value))), value...)
	})
	return text, isIdentified
}

// query sends a Subrequest to the service.
func (f *ExternalAuth) query(r *Request) (*authDecision, error) {
	s, err := f.subrequest(r)
	if err != nil {
		return nil, err
	}
	resp, err := r.Shared.Subrequests.Do(s)
	if err != nil {
		return nil, err
	}
	return newAuthDecision(resp, f.model.ResponseHeaders)
}

// unauthorized returns the response to a request without valid credentials.
func (f *ExternalAuth) unauthorized(r *Request, d *authDecision) *Response {
	if f.model.SignIn != "" {
		return NewText(http.StatusFound, "Sign in first.").With(locationName, f.signIn.Append(nil, r, variable.AppendURL))
	}
	resp := NewText(http.StatusUnauthorized, "The request has no valid credentials.")
	for _, challenge := range d.challenges {
		resp.With(wwwAuthenticateName, challenge)
	}
	return resp
}

var (
	locationName        = []byte("Location")
	wwwAuthenticateName = []byte("WWW-Authenticate")
	setCookieName       = []byte("Set-Cookie")
)

// AuthFields goes with ExternalAuth, and runs even if another check admits the request: pods never receive a field from the
// client that the service is to provide. It adds the cookies of the service to the response.
type AuthFields struct {
	names  []string
	always bool
}

// NewAuthFields returns a filter for a route, or nil if the route has no ExternalAuth.
func NewAuthFields(m *model.Route) Filter {
	if m.Filters == nil || m.Filters.ExternalAuth == nil {
		return nil
	}
	return &AuthFields{m.Filters.ExternalAuth.ResponseHeaders, m.Filters.ExternalAuth.AlwaysSetCookie}
}

// Name implements Filter.
func (*AuthFields) Name() string { return "auth-fields" }

// FilterRequest implements RequestFilter.
func (f *AuthFields) FilterRequest(r *Request) *Response {
	for _, name := range f.names {
		r.SetField([]byte(name), nil)
	}
	return nil
}

// FilterResponse implements ResponseFilter.
func (f *AuthFields) FilterResponse(r *Request, head *http1.Response) {
	if len(r.authCookies) == 0 || !f.always && !addsCookies(head.Status) {
		return
	}
	for _, cookie := range r.authCookies {
		head.Add(setCookieName, cookie)
	}
}

// addsCookies reports whether add_header of nginx adds fields to responses with that status.
func addsCookies(status int) bool {
	switch status {
	case 200, 201, 204, 206, 301, 302, 303, 304, 307, 308:
		return true
	}
	return false
}

var (
	_ AccessCheck    = (*ExternalAuth)(nil)
	_ RequestFilter  = (*AuthFields)(nil)
	_ ResponseFilter = (*AuthFields)(nil)
)
