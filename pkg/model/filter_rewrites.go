package model

// Replacement replaces text that a pod sent.
type Replacement struct {
	// From is the text, or a regular expression (RE2) that may match anywhere in the value. An expression replaces the whole
	// value.
	From         string `json:"from"`
	IsExpression bool   `json:"isExpression,omitempty"`
	IgnoresCase  bool   `json:"ignoresCase,omitempty"` // requires IsExpression
	// To may contain $scheme, $host and $http_host: the scheme of the request, and its host without and with the port. If From is
	// an expression, it may contain $1 to $9 for the groups.
	To string `json:"to"`
}

// Expression returns the expression with its flags. Requires IsExpression.
func (r *Replacement) Expression() string {
	if r.IgnoresCase {
		return "(?i:" + r.From + ")"
	}
	return r.From
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
