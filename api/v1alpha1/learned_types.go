package v1alpha1

// Learned configures the methods with binding Learned. They share their sessions: an id that the app sets in a cookie is
// also found when a client sends it in the header or query parameter of another method.
type Learned struct {
	// From lists the cookies and headers of responses from which ids are learned. If empty, ids are learned from the
	// cookies and headers that the methods with binding Learned read. Query parameters have no counterpart in responses.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	From []LearnedFrom `json:"from,omitempty"`
}

// LearnedFrom is a cookie or header that the app sets in responses.
//
// +kubebuilder:validation:XValidation:rule="has(self.cookie) == (self.source == 'Cookie')",message="cookie must be set with source Cookie, and only with it"
// +kubebuilder:validation:XValidation:rule="has(self.header) == (self.source == 'Header')",message="header must be set with source Header, and only with it"
type LearnedFrom struct {
	// Source is the part of a response that contains the id.
	//
	// +required
	Source LearnedSource `json:"source"`
	// Cookie is the cookie that the app sets.
	//
	// +optional
	Cookie *LearnedCookie `json:"cookie,omitempty"`
	// Header is the response header that the app sets.
	//
	// +optional
	Header *Header `json:"header,omitempty"`
}

// LearnedSource is the part of a response that contains an id.
//
// +kubebuilder:validation:Enum=Cookie;Header
type LearnedSource string

// The values of LearnedSource.
const (
	LearnedSourceCookie LearnedSource = "Cookie"
	LearnedSourceHeader LearnedSource = "Header"
)

// LearnedCookie is a cookie that the app sets.
type LearnedCookie struct {
	// Name is the name of the cookie.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern="^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$"
	Name string `json:"name"`
}
