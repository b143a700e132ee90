package model

// HeaderField is a header field that a filter sets.
type HeaderField struct {
	// Name is in canonical form.
	Name string `json:"name"`
	// Value replaces all fields with that name. An empty Value removes them.
	Value string `json:"value,omitempty"`
}

// HeaderChanges configures header fields of requests to pods and of responses to clients.
type HeaderChanges struct {
	Request  []HeaderField `json:"request,omitempty"`
	Response []HeaderField `json:"response,omitempty"`
}
