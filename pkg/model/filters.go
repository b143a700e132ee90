package model

// Filters configures what a Route does to requests before their backend is chosen, and to responses before they are sent.
// A nil field is a filter that the route does not use. The types are in files of their own, named filter_*.go. Filters are
// immutable: routes share them.
type Filters struct {
	HTTPSRedirect *HTTPSRedirect  `json:"httpsRedirect,omitempty"`
	Redirect      *Redirect       `json:"redirect,omitempty"`
	SlashRedirect *SlashRedirect  `json:"slashRedirect,omitempty"`
	Rewrite       *Rewrite        `json:"rewrite,omitempty"`
	Forward       *ForwardHeaders `json:"forward,omitempty"`
}
