package v1alpha1

// Source is where a method looks.
//
// +kubebuilder:validation:Enum=Cookie;Header;QueryParam;PathSegment;SourceIP
type Source string

// The sources.
const (
	SourceCookie      Source = "Cookie"
	SourceHeader      Source = "Header"
	SourceQueryParam  Source = "QueryParam"
	SourcePathSegment Source = "PathSegment"
	SourceSourceIP    Source = "SourceIP"
)

// Binding is how what a method found leads to a pod.
//
// +kubebuilder:validation:Enum=Issued;Hashed;Learned;Wrapped;Named
type Binding string

// The bindings.
const (
	// BindingIssued: Limpet gives the client a token.
	BindingIssued Binding = "Issued"
	// BindingHashed: the value is hashed onto the pods.
	BindingHashed Binding = "Hashed"
	// BindingLearned: the app's own id, seen in its response, is remembered.
	BindingLearned Binding = "Learned"
	// BindingWrapped: the app's own value goes out with the token sealed onto it, and comes back unwrapped. It has no
	// idle time, since only the app can renew its value.
	BindingWrapped Binding = "Wrapped"
	// BindingNamed: the app's value ends in the pod's own name, or in a route label.
	BindingNamed Binding = "Named"
)

// Method is one way to recognise a client: a source (where to look) and a binding (how it leads to a pod).
//
// +kubebuilder:validation:XValidation:rule="self.source != 'QueryParam' || self.binding in ['Hashed', 'Learned', 'Named']",message="source QueryParam takes binding Hashed, Learned or Named"
// +kubebuilder:validation:XValidation:rule="self.source != 'PathSegment' || self.binding in ['Hashed', 'Named']",message="source PathSegment takes binding Hashed or Named"
// +kubebuilder:validation:XValidation:rule="self.source != 'SourceIP' || self.binding == 'Hashed'",message="source SourceIP takes binding Hashed"
// +kubebuilder:validation:XValidation:rule="!has(self.cookie) || self.source == 'Cookie'",message="cookie may only be set with source Cookie"
// +kubebuilder:validation:XValidation:rule="self.source != 'Cookie' || self.binding == 'Issued' || (has(self.cookie) && has(self.cookie.name))",message="cookie.name must be set, unless the binding is Issued"
// +kubebuilder:validation:XValidation:rule="has(self.header) == (self.source == 'Header')",message="header must be set with source Header, and only with it"
// +kubebuilder:validation:XValidation:rule="has(self.queryParam) == (self.source == 'QueryParam')",message="queryParam must be set with source QueryParam, and only with it"
// +kubebuilder:validation:XValidation:rule="has(self.pathSegment) == (self.source == 'PathSegment')",message="pathSegment must be set with source PathSegment, and only with it"
// +kubebuilder:validation:XValidation:rule="!has(self.sourceIP) || self.source == 'SourceIP'",message="sourceIP may only be set with source SourceIP"
// +kubebuilder:validation:XValidation:rule="!has(self.named) || self.binding == 'Named'",message="named may only be set with binding Named"
type Method struct {
	// Source is where to look for what recognises the client.
	//
	// +required
	Source Source `json:"source"`
	// Binding is how what was found leads to a pod.
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
	// PathSegment is the part of the path to read.
	//
	// +optional
	PathSegment *PathSegment `json:"pathSegment,omitempty"`
	// SourceIP says how much of the client's address counts.
	//
	// +optional
	SourceIP *SourceIP `json:"sourceIP,omitempty"`
	// Named says how the app's value names a pod.
	//
	// +optional
	Named *Named `json:"named,omitempty"`
}

// Cookie is the cookie that a method reads. All but its name counts only where Limpet sets the cookie.
//
// +kubebuilder:validation:XValidation:rule="self.sameSite != 'None' || self.secure != 'Never'",message="sameSite None needs secure Auto or Always: browsers drop such a cookie without Secure"
// +kubebuilder:validation:XValidation:rule="!self.partitioned || self.secure != 'Never'",message="partitioned needs secure Auto or Always: browsers drop such a cookie without Secure"
// +kubebuilder:validation:XValidation:rule="!has(self.name) || !self.name.lowerAscii().startsWith('__secure-') || self.secure != 'Never'",message="a name that starts with __Secure- needs secure Auto or Always"
// +kubebuilder:validation:XValidation:rule="!has(self.name) || !self.name.lowerAscii().startsWith('__host-') || (self.secure != 'Never' && self.path == '/' && size(self.domain) == 0)",message="a name that starts with __Host- needs secure Auto or Always, path / and no domain"
type Cookie struct {
	// Name of the cookie. Not set, with binding Issued: a name that is unique to the backend.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern="^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]+$"
	Name string `json:"name,omitempty"`
	// Path below which browsers send the cookie.
	//
	// +optional
	// +kubebuilder:default=/
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:Pattern=`^/[!-:<-~]*$`
	Path string `json:"path,omitempty"`
	// Domain to whose hosts browsers send the cookie. Empty: only to the host that set it.
	//
	// +optional
	// +kubebuilder:default=""
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+)?$`
	Domain string `json:"domain,omitempty"`
	// SameSite is the cookie attribute of that name.
	//
	// +optional
	// +kubebuilder:default=Lax
	SameSite SameSite `json:"sameSite,omitempty"`
	// Secure says when the cookie carries the attribute of that name. Auto: on requests that came over TLS.
	//
	// +optional
	// +kubebuilder:default=Auto
	Secure Secure `json:"secure,omitempty"`
	// HTTPOnly keeps the cookie from scripts.
	//
	// +optional
	// +kubebuilder:default=true
	HTTPOnly *bool `json:"httpOnly,omitempty"`
	// Partitioned asks browsers to keep the cookie apart for each top-level site (CHIPS).
	//
	// +optional
	// +kubebuilder:default=false
	Partitioned bool `json:"partitioned,omitempty"`
	// LifetimeType says how long browsers keep the cookie. Session: as long as they run. Permanent: up to
	// absoluteTimeout. Limpet enforces absoluteTimeout and idleTimeout itself, with either.
	//
	// +optional
	// +kubebuilder:default=Session
	LifetimeType LifetimeType `json:"lifetimeType,omitempty"`
}

// SameSite is the cookie attribute of that name.
//
// +kubebuilder:validation:Enum=Lax;Strict;None
type SameSite string

// The values of SameSite (RFC 6265bis, section 4.1.2.7).
const (
	SameSiteLax    SameSite = "Lax"
	SameSiteStrict SameSite = "Strict"
	SameSiteNone   SameSite = "None"
)

// Secure says when a cookie carries the attribute of that name.
//
// +kubebuilder:validation:Enum=Auto;Always;Never
type Secure string

// The values of Secure.
const (
	SecureAuto   Secure = "Auto"
	SecureAlways Secure = "Always"
	SecureNever  Secure = "Never"
)

// LifetimeType says how long browsers keep a cookie.
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
	// Name of the header, in any case.
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
	// Name of the parameter, compared after percent-decoding. Of several with this name the first counts that is not
	// empty: in the query, or else in the path, as in /cart;jsessionid=42. A value of more than 256 bytes recognises
	// nobody.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9!$'()*,.:@_~\[\]-]+$`
	Name string `json:"name"`
}

// PathSegment is the part of the path that a method reads.
type PathSegment struct {
	// Index of the segment, counted from 0: in /rooms/42/chat segment 1 is 42.
	//
	// +required
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=31
	Index int32 `json:"index"`
}

// SourceIP says how much of the client's address counts: all clients of one such network are one session.
type SourceIP struct {
	// +optional
	// +kubebuilder:default=32
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=32
	IPv4PrefixLength int32 `json:"ipv4PrefixLength,omitempty"`
	// +optional
	// +kubebuilder:default=64
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=128
	IPv6PrefixLength int32 `json:"ipv6PrefixLength,omitempty"`
}

// Named says how the app's value names a pod.
//
// +kubebuilder:validation:XValidation:rule="(self.by == 'PodName') == (size(self.key) == 0)",message="key must be set with by PodLabel or PodAnnotation, and only with those"
type Named struct {
	// By is what the value ends in: the pod's name, or the value of one of its labels or annotations. Give each pod a
	// value of its own: of several with the same one, a ready pod is taken, the same on all replicas. An annotation of more
	// than 256 bytes counts as not there.
	//
	// +optional
	// +kubebuilder:default=PodName
	By NamedBy `json:"by,omitempty"`
	// Key of the label or annotation.
	//
	// +optional
	// +kubebuilder:default=""
	// +kubebuilder:validation:MaxLength=317
	// +kubebuilder:validation:Pattern=`^(([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$`
	Key string `json:"key,omitempty"`
	// Separator stands before the name: what follows the last one names the pod. A value without one names it as a whole.
	//
	// +optional
	// +kubebuilder:default="."
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=8
	// +kubebuilder:validation:Pattern=`^[!-~]+$`
	Separator string `json:"separator,omitempty"`
}

// NamedBy is what of a pod an app's value names.
//
// +kubebuilder:validation:Enum=PodName;PodLabel;PodAnnotation
type NamedBy string

// What of a pod can be named.
const (
	NamedByPodName       NamedBy = "PodName"
	NamedByPodLabel      NamedBy = "PodLabel"
	NamedByPodAnnotation NamedBy = "PodAnnotation"
)
