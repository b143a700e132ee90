package model

// Rewrite replaces the path that pods receive.
type Rewrite struct {
	// Pattern is the path of the route, as in PathPattern.
	Pattern string `json:"pattern"`
	// Target is the new path. $1 to $9 are the groups of Pattern. A query in it comes before the query of the client, and
	// replaces it if Target ends with "?". A target that begins with "http://" or "https://" redirects clients instead.
	Target string `json:"target"`
}

// ForwardHeaders sets header fields that pods receive. Empty fields are not set.
type ForwardHeaders struct {
	// Host replaces Host. X-Forwarded-Host keeps the host of the client.
	Host string `json:"host,omitempty"`
	// Prefix is X-Forwarded-Prefix.
	Prefix string `json:"prefix,omitempty"`
}
