package model

import "time"

// Source is the part of a request that a method reads.
type Source string

// The sources.
const (
	SourceCookie      Source = "Cookie"
	SourceHeader      Source = "Header"
	SourceQueryParam  Source = "QueryParam"
	SourcePathSegment Source = "PathSegment"
	SourceSourceIP    Source = "SourceIP"
	// SourceComposite is several parts of a request together.
	SourceComposite Source = "Composite"
)

// The sources that only parts of a SourceComposite have, in addition to those above.
const (
	SourceHost              Source = "Host"   // in lower case, without port
	SourcePath              Source = "Path"   // the normalized path
	SourceURI               Source = "URI"    // the normalized path and the query
	SourceMethod            Source = "Method" // the request method
	SourceClientCertificate Source = "ClientCertificate"
)

// Binding is the way in which the value of a method identifies an endpoint.
type Binding string

// The bindings.
const (
	BindingIssued  Binding = "Issued"  // Limpet issues a token to the client
	BindingHashed  Binding = "Hashed"  // the value is hashed onto the ready endpoints
	BindingLearned Binding = "Learned" // Limpet stores the app's own id when it is in a response
	BindingWrapped Binding = "Wrapped" // Limpet appends a token to the app's own value
	BindingNamed   Binding = "Named"   // the app's value ends in the pod's name, or in one of its labels or annotations
)

// Method is one way to recognize a client. Of the pointers, exactly the one for Source is set.
type Method struct {
	Source      Source       `json:"source"`
	Binding     Binding      `json:"binding"`
	Cookie      *Cookie      `json:"cookie,omitempty"`
	Header      *Header      `json:"header,omitempty"`
	QueryParam  *QueryParam  `json:"queryParam,omitempty"`
	PathSegment *PathSegment `json:"pathSegment,omitempty"`
	SourceIP    *SourceIP    `json:"sourceIP,omitempty"`
	// Parts are the parts of a SourceComposite, in the order in which they are hashed.
	Parts []Part `json:"parts,omitempty"`
	// AnyPart counts missing parts as empty if the request has at least one of Parts. If it is false, a request must have all
	// of them.
	AnyPart bool `json:"anyPart,omitempty"`
	// Separator precedes the pod's name, for BindingNamed.
	Separator string `json:"separator,omitempty"`
	// By is the property that the value contains, for BindingNamed: a PodLabel or PodAnnotation. Empty means the pod's
	// name.
	By Identity `json:"by,omitempty"`
}

// ResponseField is a cookie or header that the app sets.
type ResponseField struct {
	// Source is SourceCookie or SourceHeader.
	Source Source `json:"source"`
	Name   string `json:"name"`
}

// Part is one part of a request that a SourceComposite hashes. Of the pointers, only the one for Source is set.
type Part struct {
	Source     Source      `json:"source"`
	Header     *Header     `json:"header,omitempty"`
	Cookie     *Cookie     `json:"cookie,omitempty"`
	QueryParam *QueryParam `json:"queryParam,omitempty"`
	SourceIP   *SourceIP   `json:"sourceIP,omitempty"`
	// JWTClaim is a claim of the JSON Web Token in the header or cookie. Its value is hashed instead of the whole token.
	// Empty means the whole value. Nothing verifies the token.
	JWTClaim string `json:"jwtClaim,omitempty"`
}

// Cookie describes the cookie that a method reads, and its attributes when Limpet sets it.
type Cookie struct {
	Name     string   `json:"name"`
	Path     string   `json:"path,omitempty"`
	Domain   string   `json:"domain,omitempty"`
	SameSite SameSite `json:"sameSite,omitempty"`
	Secure   Secure   `json:"secure,omitempty"`
	HTTPOnly bool     `json:"httpOnly,omitempty"`
	// Partitioned makes browsers store the cookie separately for each top-level site (CHIPS).
	Partitioned bool `json:"partitioned,omitempty"`
	// Permanent sets Expires to the end of the session. If it is false, browsers delete the cookie when they exit.
	Permanent bool `json:"permanent,omitempty"`
	// MaxAge is the attribute of that name, in seconds. Nil omits it. It does not end the session itself.
	MaxAge *int64 `json:"maxAge,omitempty"`
	// ExpiresAfter sets Expires to this time after the cookie is set. Zero omits it. It does not end the session itself.
	ExpiresAfter time.Duration `json:"expiresAfter,omitempty"`
	// CompatibleSameSite omits SameSite=None for browsers that discard such cookies.
	CompatibleSameSite bool `json:"compatibleSameSite,omitempty"`
}

// SameSite is the cookie attribute of that name.
type SameSite string

// The values of SameSite (RFC 6265bis, section 4.1.2.7).
const (
	SameSiteLax    SameSite = "Lax"
	SameSiteStrict SameSite = "Strict"
	SameSiteNone   SameSite = "None"
)

// Secure configures when a cookie has the attribute of that name.
type Secure string

// The values of Secure.
const (
	SecureAuto   Secure = "Auto" // if the request arrived over TLS
	SecureAlways Secure = "Always"
	SecureNever  Secure = "Never"
)

// Header is the request header that a method reads.
type Header struct {
	// Name is in canonical form (net/textproto).
	Name string `json:"name"`
}

// QueryParam is the parameter that a method reads. The query takes precedence over path parameters ("/cart;sid=42").
type QueryParam struct {
	// Name is percent-decoded.
	Name string `json:"name"`
}

// PathSegment is the path segment that a method reads.
type PathSegment struct {
	Index int `json:"index"` // starts at 0
}

// SourceIP configures the significant bits of the client address.
type SourceIP struct {
	IPv4PrefixLength int `json:"ipv4PrefixLength"` // 1 to 32
	IPv6PrefixLength int `json:"ipv6PrefixLength"` // 1 to 128
}
