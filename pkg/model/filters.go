package model

// Filters configures what a Route does to requests before their backend is chosen, and to responses before they are sent.
// A nil field is a filter that the route does not use. The types are in files of their own, named filter_*.go. Filters are
// immutable: routes share them.
type Filters struct {
	Headers      *HeaderChanges    `json:"headers,omitempty"`
	RateLimit    *RateLimit        `json:"rateLimit,omitempty"`
	ResponseRate *ResponseRate     `json:"responseRate,omitempty"`
	CORS         *CORS             `json:"cors,omitempty"`
	Rewrites     *ResponseRewrites `json:"responseRewrites,omitempty"`
	Compression  *Compression      `json:"compression,omitempty"`
	// Access restricts which requests are served.
	Access *Access `json:"access,omitempty"`
	// ExternalAuth has another service decide about requests.
	ExternalAuth *ExternalAuth `json:"externalAuth,omitempty"`
	// Mirror sends copies of requests to another destination.
	Mirror *Mirror `json:"mirror,omitempty"`
	// ErrorPages replaces responses of some statuses.
	ErrorPages    *ErrorPages     `json:"errorPages,omitempty"`
	HTTPSRedirect *HTTPSRedirect  `json:"httpsRedirect,omitempty"`
	Redirect      *Redirect       `json:"redirect,omitempty"`
	SlashRedirect *SlashRedirect  `json:"slashRedirect,omitempty"`
	Rewrite       *Rewrite        `json:"rewrite,omitempty"`
	Forward       *ForwardHeaders `json:"forward,omitempty"`
}
