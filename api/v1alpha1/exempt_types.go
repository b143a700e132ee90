package v1alpha1

// Exempt selects requests that are load balanced without stickiness. A request is exempt if it matches any entry of
// any list.
type Exempt struct {
	// Methods lists request methods, such as OPTIONS.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=32
	// +kubebuilder:validation:items:Pattern=`^[A-Z][A-Z-]*$`
	Methods []string `json:"methods,omitempty"`
	// Paths lists path prefixes, compared segment by segment: /static matches /static and /static/a, but not
	// /statics.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=1024
	// +kubebuilder:validation:items:Pattern=`^/[!-"$->@-~]*$`
	Paths []string `json:"paths,omitempty"`
	// UserAgents lists substrings of the User-Agent header, compared case-insensitively.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=256
	// +kubebuilder:validation:items:Pattern=`^[ -~]+$`
	UserAgents []string `json:"userAgents,omitempty"`
}
