package model

import (
	"strings"
	"time"
)

// Affinity configures how a backend recognizes its clients and which endpoint it sends them to. It is made from an
// AffinityPolicy or from the limpet.dev/affinity annotations of an Ingress, with all defaults set.
type Affinity struct {
	// Source is the object that contains the settings.
	Source Ref `json:"source"`
	// Scope is the backend for which tokens are valid: "shop/cart" for all ports of a Service, "shop/group/carts" for a
	// group of policies.
	Scope string `json:"scope"`
	// Methods are tried in order. There is at least one.
	Methods []Method `json:"methods"`
	// LearnedFrom lists the fields of responses that contain ids to learn. If it is empty, ids are learned from the
	// cookies and headers that the methods with BindingLearned read.
	LearnedFrom []ResponseField `json:"learnedFrom,omitempty"`
	// AbsoluteTimeout is the maximum lifetime of a session. Zero disables it.
	AbsoluteTimeout time.Duration `json:"absoluteTimeout,omitempty"`
	// IdleTimeout ends a session this long after its last request. Zero disables it.
	IdleTimeout time.Duration `json:"idleTimeout,omitempty"`
	// Pick chooses the endpoint of a new session.
	Pick Pick `json:"pick"`
	// SlowStart is the time in which a newly ready endpoint reaches its full share of new sessions. Zero disables it.
	SlowStart time.Duration `json:"slowStart,omitempty"`
	// MaxSessions is the maximum number of sessions of one endpoint. Zero sets no maximum.
	MaxSessions int32 `json:"maxSessions,omitempty"`
	// RefuseWhenFull refuses a new session if every endpoint has MaxSessions. If it is false, MaxSessions is exceeded.
	RefuseWhenFull bool `json:"refuseWhenFull,omitempty"`
	// Refuse is the response for RefuseWhenFull. If its status is zero, Unavailable applies.
	Refuse Refusal `json:"refuse,omitzero"`
	// PreferZone prefers endpoints in Limpet's own zone for new sessions.
	PreferZone bool `json:"preferZone,omitempty"`
	// BalanceFactor bounds the active requests of the endpoint of a hashed session, in percent of the mean. Zero
	// disables it.
	BalanceFactor int32 `json:"balanceFactor,omitempty"`
	// StickyBudget bounds the active requests of the endpoint of any other session. The zero value disables it.
	StickyBudget StickyBudget `json:"stickyBudget,omitzero"`
	// KeepDraining lets a draining endpoint keep its sessions.
	KeepDraining bool `json:"keepDraining"`
	// DrainTimeout ends KeepDraining this long after the drain began. Zero means until the endpoint is removed.
	DrainTimeout time.Duration `json:"drainTimeout,omitempty"`
	// Unavailable configures the handling of a session whose endpoint is gone.
	Unavailable Unavailable `json:"unavailable"`
	// KeepFailed fails a request whose session has an endpoint that cannot be reached, and keeps the session there. If it is
	// false, the session moves to another endpoint.
	KeepFailed bool `json:"keepFailed,omitempty"`
	// Rebalance configures moves of idle sessions. The zero value disables them.
	Rebalance Rebalance `json:"rebalance,omitzero"`
	// Identity is the property that identifies an endpoint.
	Identity Identity `json:"identity"`
	// Adopt lists the controllers whose cookies are adopted as sessions, in the cookie of a method with BindingIssued.
	Adopt []Adopted `json:"adopt,omitempty"`
	// AdoptCookie is an additional cookie to adopt, if the other controller used another name. Empty if there is no
	// such cookie.
	AdoptCookie string `json:"adoptCookie,omitempty"`
	// AdoptBackends are the possible names of the backend in ingress-nginx.
	AdoptBackends []string `json:"adoptBackends,omitempty"`
	// StickySplit keeps a session on its backend in a weighted split.
	StickySplit bool `json:"stickySplit,omitempty"`
	// MovedHeader is the request header that informs the app why its session has just moved. Empty disables it.
	MovedHeader string `json:"movedHeader,omitempty"`
	// Exempt selects the requests that are distributed without affinity. Nil exempts no request.
	Exempt *Exempt `json:"exempt,omitempty"`
}

// Refusal is the response to a session that is refused.
type Refusal struct {
	Status int `json:"status,omitempty"`
	// RetryAfter is sent as Retry-After. Zero omits the field.
	RetryAfter time.Duration `json:"retryAfter,omitempty"`
}

// StickyBudget diverts a request of a session while its endpoint is too busy. The session itself stays.
type StickyBudget struct {
	// BalanceFactor is in percent of the mean number of active requests. Zero disables the bound.
	BalanceFactor int32 `json:"balanceFactor,omitempty"`
	// MinRequests is a number of active requests that is always allowed.
	MinRequests int32 `json:"minRequests,omitempty"`
}

// Rebalance moves idle sessions to endpoints with fewer sessions. The zero value disables it.
type Rebalance struct {
	AfterIdle time.Duration `json:"afterIdle,omitempty"`
	// MaxPerMinute is the maximum number of moves in a pool, on each replica. Zero sets no maximum.
	MaxPerMinute int32 `json:"maxPerMinute,omitempty"`
}

// Adopted is a controller whose cookies can be adopted.
type Adopted string

// The supported controllers.
const (
	AdoptIngressNginx Adopted = "IngressNginx"
	AdoptTraefik      Adopted = "Traefik"
	AdoptNGINX        Adopted = "NGINX"
)

// Exempt matches a request if any of its lists does.
type Exempt struct {
	Methods []string `json:"methods,omitempty"`
	// Paths are prefixes, compared by path segment.
	Paths []string `json:"paths,omitempty"`
	// UserAgents are substrings of User-Agent, compared without case.
	UserAgents []string `json:"userAgents,omitempty"`
}

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

// Pick is the algorithm that chooses a ready endpoint for a new session.
type Pick string

// The picks.
const (
	PickLeastSessions Pick = "LeastSessions"
	PickLeastRequests Pick = "LeastRequests"
	PickRoundRobin    Pick = "RoundRobin"
	PickRandom        Pick = "Random" // the less busy of two random endpoints
	// PickLatency chooses the one of two random endpoints that is likely to respond first. It is for requests without affinity.
	PickLatency Pick = "Latency"
	PickHash    Pick = "Hash" // by the client address
)

// Identity is the property that identifies an endpoint.
type Identity string

// The identities.
const (
	IdentityPod     Identity = "Pod"     // the pod's UID: a replacement pod is a new endpoint
	IdentityPodName Identity = "PodName" // the pod's name: a StatefulSet's pod keeps its sessions across a restart
)

const (
	podLabel      = "PodLabel "
	podAnnotation = "PodAnnotation "
)

// PodLabel returns the Identity for the value of a pod label.
func PodLabel(key string) Identity { return Identity(podLabel + key) }

// PodAnnotation returns the Identity for the value of a pod annotation.
func PodAnnotation(key string) Identity { return Identity(podAnnotation + key) }

// Of returns the value of a PodLabel or PodAnnotation for a pod with these labels and annotations, or "" if it has no
// such value.
func (i Identity) Of(labels, annotations map[string]string) string {
	if key, ok := strings.CutPrefix(string(i), podLabel); ok {
		return labels[key]
	}
	if key, ok := strings.CutPrefix(string(i), podAnnotation); ok {
		return annotations[key]
	}
	return ""
}
