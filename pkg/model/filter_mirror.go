package model

// Mirror sends a copy of each request of a route to another destination. Responses are discarded.
type Mirror struct {
	// URL is where copies are sent. It may have variables, in the syntax of package variable.
	URL string `json:"url"`
	// Service is the port of the Service that URL names. Nil means that its host is resolved by DNS.
	Service *PoolID `json:"service,omitempty"`
	// Host is the Host field of copies. It may have variables. Empty means the host of URL.
	Host string `json:"host,omitempty"`
	// WithoutBody leaves out the bodies.
	WithoutBody bool `json:"withoutBody,omitempty"`
}
