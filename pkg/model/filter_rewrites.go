package model

// Replacement replaces text that a pod sent.
type Replacement struct {
	From string `json:"from"`
	// To may contain $scheme, $host and $http_host: the scheme of the request, and its host without and with the port.
	To string `json:"to"`
}

// ResponseRewrites configures how fields of pods' responses are rewritten.
type ResponseRewrites struct {
	// Redirect replaces the start of the URL in Location and Refresh. Nil keeps it.
	Redirect *Replacement `json:"redirect,omitempty"`
	// CookieDomain replaces the Domain attribute of cookies if it equals From, regardless of case and a leading dot.
	CookieDomain *Replacement `json:"cookieDomain,omitempty"`
	// CookiePath replaces the start of the Path attribute of cookies.
	CookiePath *Replacement `json:"cookiePath,omitempty"`
}
