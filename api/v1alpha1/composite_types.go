package v1alpha1

// Composite lists the parts of a request that are hashed together. The method recognizes a client only if the request
// has every part.
type Composite struct {
	// Parts lists the parts, in the order in which they are hashed.
	//
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	Parts []Part `json:"parts"`
}

// Part is one part of a request that a composite hashes.
//
// +kubebuilder:validation:XValidation:rule="has(self.header) == (self.source == 'Header')",message="the header of a part must be set with source Header, and only with it"
// +kubebuilder:validation:XValidation:rule="has(self.cookie) == (self.source == 'Cookie')",message="the cookie of a part must be set with source Cookie, and only with it"
// +kubebuilder:validation:XValidation:rule="has(self.queryParam) == (self.source == 'QueryParam')",message="the queryParam of a part must be set with source QueryParam, and only with it"
// +kubebuilder:validation:XValidation:rule="!has(self.sourceIP) || self.source == 'SourceIP'",message="the sourceIP of a part may only be set with source SourceIP"
// +kubebuilder:validation:XValidation:rule="!has(self.jwtClaim) || self.source in ['Header', 'Cookie']",message="jwtClaim may only be set with source Header or Cookie"
type Part struct {
	// Source is the part of the request. Host: the host name in lower case, without port. Path: the normalized path.
	// URI: the normalized path and the query. Method: the request method. ClientCertificate: the subject and the
	// alternative names of the verified client certificate, which stay the same when it is renewed. The others are as in
	// a method.
	//
	// +required
	Source PartSource `json:"source"`
	// Header is the request header to read.
	//
	// +optional
	Header *Header `json:"header,omitempty"`
	// Cookie is the cookie to read.
	//
	// +optional
	Cookie *PartCookie `json:"cookie,omitempty"`
	// QueryParam is the query parameter to read.
	//
	// +optional
	QueryParam *QueryParam `json:"queryParam,omitempty"`
	// SourceIP defines which part of the client address is used.
	//
	// +optional
	SourceIP *SourceIP `json:"sourceIP,omitempty"`
	// JWTClaim is the name of a claim in the JSON Web Token that the header or cookie contains, such as sub. Its value is
	// hashed instead of the token, because a token changes at each refresh. A header may have the scheme Bearer. The
	// claim must be a string or number of at most 256 bytes at the top level of the payload. Limpet does not verify the
	// token, and uses the claim only for hashing. If the token is malformed or has more than 8192 bytes, the part is
	// missing.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^[!-~]+$`
	JWTClaim string `json:"jwtClaim,omitempty"`
}

// PartSource is the part of a request that a composite reads.
//
// +kubebuilder:validation:Enum=Host;Path;URI;Method;Header;Cookie;QueryParam;SourceIP;ClientCertificate
type PartSource string

// The sources of parts.
const (
	PartSourceHost              PartSource = "Host"
	PartSourcePath              PartSource = "Path"
	PartSourceURI               PartSource = "URI"
	PartSourceMethod            PartSource = "Method"
	PartSourceHeader            PartSource = "Header"
	PartSourceCookie            PartSource = "Cookie"
	PartSourceQueryParam        PartSource = "QueryParam"
	PartSourceSourceIP          PartSource = "SourceIP"
	PartSourceClientCertificate PartSource = "ClientCertificate"
)

// PartCookie is the cookie that a part reads.
type PartCookie struct {
	// Name is the name of the cookie.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern="^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$"
	Name string `json:"name"`
}
