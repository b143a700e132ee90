package explain

import "time"

// Report is the explanation of a Request. The fields of a step that was not reached are empty.
type Report struct {
	// Token is set if the Request has a Token.
	Token *TokenReport `json:"token,omitempty"`
	// Generation is the generation of the routing table.
	Generation uint64 `json:"generation,omitempty"`
	// Client is the address of the client, as trusted proxies name it.
	Client string `json:"client,omitempty"`
	Host   string `json:"host,omitempty"`
	// Path is the normalized path that was matched.
	Path string `json:"path,omitempty"`
	// Passthrough reports whether the TLS connection is passed through to the pod, so that no route and no filter applies.
	Passthrough bool         `json:"passthrough,omitempty"`
	Route       *RouteReport `json:"route,omitempty"`
	// NoRoute is why no route matches.
	NoRoute *NoRoute `json:"noRoute,omitempty"`
	// Conflicts are up to 8 problems of objects that claim the host and lost a conflict for it.
	Conflicts []Problem `json:"conflicts,omitempty"`
	// Filters ran in this order.
	Filters []FilterReport `json:"filters,omitempty"`
	// Forward is the request target that the pod receives.
	Forward string         `json:"forward,omitempty"`
	Backend *BackendReport `json:"backend,omitempty"`
	Methods []MethodReport `json:"methods,omitempty"`
	// Outcome and Reason have the values of the access log.
	Outcome string `json:"outcome,omitempty"`
	Reason  string `json:"reason,omitempty"`
	// Wait limits the time that the request waits for the pod of its session.
	Wait string `json:"wait,omitempty"`
	// HandoffFrom is the draining pod that the app fetches the state of the session from.
	HandoffFrom *PodReport `json:"handoffFrom,omitempty"`
	// Pod is the pod that the request is sent to.
	Pod *PodReport `json:"pod,omitempty"`
	// Response is the response of Limpet. It is nil if the request is sent to a pod.
	Response *ResponseReport `json:"response,omitempty"`
	// Problems are the problems of the objects that the route, its policy and its Services come from.
	Problems []Problem `json:"problems,omitempty"`
}

// RouteReport is the route that matches.
type RouteReport struct {
	Host     string `json:"host"`
	Path     string `json:"path"`
	PathType string `json:"pathType"`
	// Source is the object that the route comes from.
	Source string `json:"source"`
	// Closed is why all requests of the route get 503. It is empty if the route is open.
	Closed string `json:"closed,omitempty"`
}

// NoRoute is why no route matches.
type NoRoute struct {
	Reason string `json:"reason"`
	// Nearest are up to 8 hosts, or paths of the host, that have routes.
	Nearest []string `json:"nearest,omitempty"`
}

// FilterReport is a request filter that ran.
type FilterReport struct {
	Name string `json:"name"`
	// Protects reports whether the filter restricts access.
	Protects bool `json:"protects,omitempty"`
	// Status is the status of its response, zero if it let the request continue.
	Status int `json:"status,omitempty"`
	// Decisions are the decisions of the filter, with the annotations that configure it.
	Decisions []DecisionReport `json:"decisions,omitempty"`
}

// DecisionReport is a decision of a filter.
type DecisionReport struct {
	// Object is the object that configures it, and Annotation its annotation. Annotation is empty for a default.
	Object     string `json:"object"`
	Annotation string `json:"annotation,omitempty"`
	Text       string `json:"text,omitempty"`
}

// BackendReport is the backend of the request.
type BackendReport struct {
	Pool string `json:"pool"`
	// Split is why this backend of the route was chosen.
	Split string `json:"split,omitempty"`
	// Affinity is the object that configures stickiness, or empty without stickiness.
	Affinity string `json:"affinity,omitempty"`
	Ready    int    `json:"ready"`
	Total    int    `json:"total"`
}

// MethodReport is the result of a method of the policy.
type MethodReport struct {
	Source  string `json:"source"`
	Binding string `json:"binding"`
	Name    string `json:"name,omitempty"`
	Result  string `json:"result"`
	Pod     string `json:"pod,omitempty"`
}

// PodReport is an endpoint.
type PodReport struct {
	Pod     string `json:"pod,omitempty"`
	Address string `json:"address"`
	Zone    string `json:"zone,omitempty"`
	State   string `json:"state"`
}

// ResponseReport is a response that Limpet sends itself.
type ResponseReport struct {
	Status   int    `json:"status"`
	Location string `json:"location,omitempty"`
	Text     string `json:"text,omitempty"`
}

// TokenReport is the content of a token.
type TokenReport struct {
	// Valid reports whether a key of Limpet sealed the token. If it is false, the other fields are empty.
	Valid   bool      `json:"valid"`
	Started time.Time `json:"started,omitzero"`
	Renewed time.Time `json:"renewed,omitzero"`
	// Pods are the endpoints that the token identifies, in all pools of its scope. They are empty if the pod is gone.
	Pods []TokenPod `json:"pods,omitempty"`
	// Backends are the backends for which the token is valid. They are empty if no route uses its scope.
	Backends []TokenBackend `json:"backends,omitempty"`
}

// TokenPod is an endpoint that a token identifies.
type TokenPod struct {
	Pool string `json:"pool"`
	PodReport
}

// TokenBackend is a backend for which a token is valid.
type TokenBackend struct {
	Pool string `json:"pool"`
	// Affinity is the object that configures stickiness.
	Affinity string `json:"affinity"`
	// Expires is when the session ends, at the latest. It is zero if it does not end by time.
	Expires time.Time `json:"expires,omitzero"`
	// Expired reports whether the session has ended.
	Expired bool `json:"expired,omitempty"`
}

// Problem is a problem of an object.
type Problem struct {
	Object  string `json:"object"`
	Field   string `json:"field,omitempty"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
}
