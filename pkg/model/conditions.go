package model

// Conditions restrict a Route to some of the requests for its host and path. All of them must hold.
type Conditions struct {
	// Methods are sorted. The request has one of them. Empty: any.
	Methods []string `json:"methods,omitempty"`
	// Headers are about header fields, sorted by name, each name once.
	Headers []ValueCondition `json:"headers,omitempty"`
	// Query is about query parameters, sorted by name, each name once.
	Query []ValueCondition `json:"query,omitempty"`
}

// ValueCondition is about the first value of a header field or of a query parameter. It does not hold without one.
type ValueCondition struct {
	// Name of a header field in canonical form, or of a query parameter after decoding.
	Name string `json:"name"`
	// Value is what the value must equal. It does not count beside a Pattern.
	Value string `json:"value,omitempty"`
	// Pattern is a regular expression (RE2) that must match all of the value. Empty: Value counts.
	Pattern string `json:"pattern,omitempty"`
}
