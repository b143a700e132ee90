package v1alpha1

// Source is the part of a request that identifies the client.
//
// +kubebuilder:validation:Enum=Cookie;Header;QueryParam;PathSegment;SourceIP;Composite
type Source string

// The sources.
const (
	SourceCookie      Source = "Cookie"
	SourceHeader      Source = "Header"
	SourceQueryParam  Source = "QueryParam"
	SourcePathSegment Source = "PathSegment"
	SourceSourceIP    Source = "SourceIP"
	// SourceComposite means several parts of a request together.
	SourceComposite Source = "Composite"
)

// Binding is the way in which the value that a method reads leads to a pod.
//
// +kubebuilder:validation:Enum=Issued;Hashed;Learned;Wrapped;Named
type Binding string

// The bindings.
const (
	// BindingIssued means that Limpet issues a token to the client.
	BindingIssued Binding = "Issued"
	// BindingHashed means that the value is hashed onto the pods.
	BindingHashed Binding = "Hashed"
	// BindingLearned means that Limpet remembers which pod sent the value in its response.
	BindingLearned Binding = "Learned"
	// BindingWrapped means that Limpet appends a sealed token to the app's own value in responses, and removes it
	// from requests. Idle timeouts do not apply, because only the app can renew its value.
	BindingWrapped Binding = "Wrapped"
	// BindingNamed means that the app's value ends in the pod's name, or in the value of one of its labels or
	// annotations.
	BindingNamed Binding = "Named"
)

// Method is one way to recognize a client: a source (where to look) and a binding (how the value leads to a pod).
//
// +kubebuilder:validation:XValidation:rule="self.source != 'QueryParam' || self.binding in ['Hashed', 'Learned', 'Named']",message="source QueryParam takes binding Hashed, Learned or Named"
// +kubebuilder:validation:XValidation:rule="self.source != 'PathSegment' || self.binding in ['Hashed', 'Named']",message="source PathSegment takes binding Hashed or Named"
// +kubebuilder:validation:XValidation:rule="self.source != 'SourceIP' || self.binding == 'Hashed'",message="source SourceIP takes binding Hashed"
// +kubebuilder:validation:XValidation:rule="self.source != 'Composite' || self.binding == 'Hashed'",message="source Composite takes binding Hashed"
// +kubebuilder:validation:XValidation:rule="has(self.composite) == (self.source == 'Composite')",message="composite must be set with source Composite, and only with it"
// +kubebuilder:validation:XValidation:rule="!has(self.cookie) || self.source == 'Cookie'",message="cookie may only be set with source Cookie"
// +kubebuilder:validation:XValidation:rule="self.source != 'Cookie' || self.binding == 'Issued' || (has(self.cookie) && has(self.cookie.name))",message="cookie.name must be set, unless the binding is Issued"
// +kubebuilder:validation:XValidation:rule="has(self.header) == (self.source == 'Header')",message="header must be set with source Header, and only with it"
// +kubebuilder:validation:XValidation:rule="has(self.queryParam) == (self.source == 'QueryParam')",message="queryParam must be set with source QueryParam, and only with it"
// +kubebuilder:validation:XValidation:rule="has(self.pathSegment) == (self.source == 'PathSegment')",message="pathSegment must be set with source PathSegment, and only with it"
// +kubebuilder:validation:XValidation:rule="!has(self.sourceIP) || self.source == 'SourceIP'",message="sourceIP may only be set with source SourceIP"
// +kubebuilder:validation:XValidation:rule="!has(self.named) || self.binding == 'Named'",message="named may only be set with binding Named"
type Method struct {
	// Source is the part of a request that identifies the client.
	//
	// +required
	Source Source `json:"source"`
	// Binding is the way in which the value leads to a pod. Issued: Limpet issues a token to the client. Hashed:
	// the value is hashed onto the pods. Learned: Limpet remembers which pod sent the value in its response.
	// Wrapped: Limpet appends a sealed token to the app's own value. Named: the value ends in the pod's name, label
	// or annotation.
	//
	// +required
	Binding Binding `json:"binding"`
	// Cookie is the cookie to read, and the attributes with which Limpet sets it.
	//
	// +optional
	Cookie *Cookie `json:"cookie,omitempty"`
	// Header is the request header to read.
	//
	// +optional
	Header *Header `json:"header,omitempty"`
	// QueryParam is the query parameter to read.
	//
	// +optional
	QueryParam *QueryParam `json:"queryParam,omitempty"`
	// PathSegment is the path segment to read.
	//
	// +optional
	PathSegment *PathSegment `json:"pathSegment,omitempty"`
	// SourceIP defines which part of the client address is used.
	//
	// +optional
	SourceIP *SourceIP `json:"sourceIP,omitempty"`
	// Composite lists the parts of a request that are hashed together.
	//
	// +optional
	Composite *Composite `json:"composite,omitempty"`
	// Named defines how the app's value names a pod.
	//
	// +optional
	Named *Named `json:"named,omitempty"`
}

// Cookie is the cookie that a method reads. All fields other than name apply only if Limpet sets the cookie itself.
//
// +kubebuilder:validation:XValidation:rule="self.sameSite != 'None' || self.secure != 'Never'",message="sameSite None needs secure Auto or Always: browsers drop such a cookie without Secure"
// +kubebuilder:validation:XValidation:rule="!self.partitioned || self.secure != 'Never'",message="partitioned needs secure Auto or Always: browsers drop such a cookie without Secure"
// +kubebuilder:validation:XValidation:rule="!has(self.name) || !self.name.lowerAscii().startsWith('__secure-') || self.secure != 'Never'",message="a name that starts with __Secure- needs secure Auto or Always"
// +kubebuilder:validation:XValidation:rule="!has(self.name) || !self.name.lowerAscii().startsWith('__host-') || (self.secure != 'Never' && self.path == '/' && size(self.domain) == 0)",message="a name that starts with __Host- needs secure Auto or Always, path / and no domain"
type Cookie struct {
	// Name is the name of the cookie. If unset with binding Issued, a name unique to the backend is generated.
	// If the app sets a cookie with this name, too, tokens are issued under the generated name.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern="^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$"
	Name string `json:"name,omitempty"`
	// Path is the Path attribute: browsers send the cookie only for this path and the paths below it.
	//
	// +optional
	// +kubebuilder:default=/
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:Pattern=`^/[!-:<-~]*$`
	Path string `json:"path,omitempty"`
	// Domain is the Domain attribute: browsers send the cookie to all hosts of this domain. If empty, only the host
	// that set the cookie receives it.
	//
	// +optional
	// +kubebuilder:default=""
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+)?$`
	Domain string `json:"domain,omitempty"`
	// SameSite is the SameSite attribute.
	//
	// +optional
	// +kubebuilder:default=Lax
	SameSite SameSite `json:"sameSite,omitempty"`
	// Secure defines when the cookie has the Secure attribute. Auto sets it in responses to requests received over
	// TLS.
	//
	// +optional
	// +kubebuilder:default=Auto
	Secure Secure `json:"secure,omitempty"`
	// HTTPOnly sets the HttpOnly attribute, which hides the cookie from scripts.
	//
	// +optional
	// +kubebuilder:default=true
	HTTPOnly *bool `json:"httpOnly,omitempty"`
	// Partitioned sets the Partitioned attribute: browsers store the cookie separately for each top-level site
	// (CHIPS).
	//
	// +optional
	// +kubebuilder:default=false
	Partitioned bool `json:"partitioned,omitempty"`
	// LifetimeType defines how long browsers store the cookie. Session: until the browser is closed. Permanent:
	// until absoluteTimeout. In both cases Limpet itself enforces absoluteTimeout and idleTimeout.
	//
	// +optional
	// +kubebuilder:default=Session
	LifetimeType LifetimeType `json:"lifetimeType,omitempty"`
}

// SameSite is a value of the SameSite cookie attribute.
//
// +kubebuilder:validation:Enum=Lax;Strict;None
type SameSite string

// The values of SameSite (RFC 6265bis, section 4.1.2.7).
const (
	SameSiteLax    SameSite = "Lax"
	SameSiteStrict SameSite = "Strict"
	SameSiteNone   SameSite = "None"
)

// Secure defines when a cookie has the Secure attribute.
//
// +kubebuilder:validation:Enum=Auto;Always;Never
type Secure string

// The values of Secure.
const (
	SecureAuto   Secure = "Auto"
	SecureAlways Secure = "Always"
	SecureNever  Secure = "Never"
)

// LifetimeType defines how long browsers store a cookie.
//
// +kubebuilder:validation:Enum=Session;Permanent
type LifetimeType string

// The lifetime types.
const (
	LifetimeSession   LifetimeType = "Session"
	LifetimePermanent LifetimeType = "Permanent"
)

// Header is the request header that a method reads.
type Header struct {
	// Name is the header name. It is case-insensitive.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern="^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$"
	// +kubebuilder:validation:XValidation:rule="!(self.lowerAscii() in ['connection', 'content-length', 'cookie', 'expect', 'host', 'keep-alive', 'proxy-connection', 'set-cookie', 'te', 'trailer', 'transfer-encoding', 'upgrade'])",message="header.name must not be a header that frames or routes the message"
	Name string `json:"name"`
}

// QueryParam is the query parameter that a method reads.
type QueryParam struct {
	// Name is the parameter name, compared after percent-decoding. The first non-empty value is used. The query is
	// searched before the path parameters, as in /cart;jsessionid=42. Values longer than 256 bytes are ignored.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9!$'()*,.:@_~\[\]-]+$`
	Name string `json:"name"`
}

// PathSegment is the path segment that a method reads.
type PathSegment struct {
	// Index is the position of the segment, counted from 0. In /rooms/42/chat, segment 1 is 42.
	//
	// +required
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=31
	Index int32 `json:"index"`
}

// SourceIP defines which part of the client address is used. All clients within one prefix share a session.
type SourceIP struct {
	// IPv4PrefixLength is the number of leading bits of an IPv4 address that are used.
	//
	// +optional
	// +kubebuilder:default=32
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=32
	IPv4PrefixLength int32 `json:"ipv4PrefixLength,omitempty"`
	// IPv6PrefixLength is the number of leading bits of an IPv6 address that are used.
	//
	// +optional
	// +kubebuilder:default=64
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=128
	IPv6PrefixLength int32 `json:"ipv6PrefixLength,omitempty"`
}

// Named defines how the app's value names a pod.
//
// +kubebuilder:validation:XValidation:rule="(self.by == 'PodName') == (size(self.key) == 0)",message="key must be set with by PodLabel or PodAnnotation, and only with those"
type Named struct {
	// By defines which property of the pod the value ends in. Each pod should have a different value. If several
	// pods have the same value, all replicas choose the same one of them, and prefer ready pods. Annotations longer
	// than 256 bytes are ignored.
	//
	// +optional
	// +kubebuilder:default=PodName
	By NamedBy `json:"by,omitempty"`
	// Key is the key of the label or annotation.
	//
	// +optional
	// +kubebuilder:default=""
	// +kubebuilder:validation:MaxLength=317
	// +kubebuilder:validation:Pattern=`^(([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$`
	Key string `json:"key,omitempty"`
	// Separator precedes the name of the pod in the value. The text after the last separator is used, or the whole
	// value if it contains none.
	//
	// +optional
	// +kubebuilder:default="."
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8
	// +kubebuilder:validation:Pattern=`^[!-~]+$`
	Separator string `json:"separator,omitempty"`
}

// NamedBy is the property of a pod that the app's value names.
//
// +kubebuilder:validation:Enum=PodName;PodLabel;PodAnnotation
type NamedBy string

// The values of NamedBy.
const (
	NamedByPodName       NamedBy = "PodName"
	NamedByPodLabel      NamedBy = "PodLabel"
	NamedByPodAnnotation NamedBy = "PodAnnotation"
)
