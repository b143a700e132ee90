package model

import "time"

// ExternalAuth has another service decide about each request of a route, as the directive auth_request of nginx does. Texts
// with variables have the syntax of package variable.
type ExternalAuth struct {
	// URL is where the requests for decisions are sent. It may have variables.
	URL string `json:"url"`
	// Service is the port of the Service that URL names. Nil means that its host is resolved by DNS.
	Service *PoolID `json:"service,omitempty"`
	// Authority is the Secret with the CA certificates that verify the service, and AuthorityPEM has these. Empty means those of
	// the system.
	Authority    Ref    `json:"authority,omitzero"`
	AuthorityPEM string `json:"-"`
	// Unavailable is the reason why no request can be sent. All requests of the route then fail. Empty if they can.
	Unavailable string `json:"unavailable,omitempty"`
	// Method is the method of these requests. Empty means GET.
	Method string `json:"method,omitempty"`
	// SignIn is the URL that clients without credentials are redirected to. It may have variables. Empty disables it.
	SignIn string `json:"signIn,omitempty"`
	// Redirect is the value of X-Auth-Request-Redirect. It may have variables. Empty means path and query of the request.
	Redirect string `json:"redirect,omitempty"`
	// ResponseHeaders are the fields of the response that pods receive, instead of those of the client. Their names are in
	// canonical form.
	ResponseHeaders []string `json:"responseHeaders,omitempty"`
	// Headers are fields to add to the requests. Their values may have variables.
	Headers []HeaderField `json:"headers,omitempty"`
	// AlwaysSetCookie adds the cookies of the service to all responses. If it is false, responses to failed requests do not
	// have them.
	AlwaysSetCookie bool `json:"alwaysSetCookie,omitempty"`
	// CacheKey identifies requests about which the decision is the same. It has variables. Empty disables the cache.
	CacheKey string `json:"cacheKey,omitempty"`
	// CacheTimes are the times for which decisions are kept, by status. Other decisions are not kept.
	CacheTimes []CacheTime `json:"cacheTimes,omitempty"`
}

// CacheTime is the time for which responses with a status are kept.
type CacheTime struct {
	Status int           `json:"status"`
	For    time.Duration `json:"for"`
}
