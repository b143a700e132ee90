package model

import (
	"strings"
	"time"
)

// Affinity is how a backend recognises its clients and where it brings them back to: an AffinityPolicy, or the
// limpet.dev/affinity annotations of an Ingress, with every default filled in.
type Affinity struct {
	// Source is the object that the settings come from.
	Source Ref `json:"source"`
	// Scope is what tokens are sealed for: "shop/cart:80" for a pool, "shop/group/carts" for a group of policies.
	Scope string `json:"scope"`
	// Methods are tried in order. At least one.
	Methods []Method `json:"methods"`
	// AbsoluteTimeout ends a session so long after it was bound. 0: never.
	AbsoluteTimeout time.Duration `json:"absoluteTimeout,omitempty"`
	// IdleTimeout ends a session so long after its last request. 0: never.
	IdleTimeout time.Duration `json:"idleTimeout,omitempty"`
	// Pick chooses the endpoint of a new session.
	Pick Pick `json:"pick"`
	// SlowStart is how long the share of new sessions of an endpoint rises that has become ready. 0: it is full at once.
	SlowStart time.Duration `json:"slowStart,omitempty"`
	// MaxSessions is how many sessions an endpoint takes. 0: no bound.
	MaxSessions int32 `json:"maxSessions,omitempty"`
	// RefuseWhenFull refuses a new session where every endpoint has MaxSessions, else it goes to one all the same.
	RefuseWhenFull bool `json:"refuseWhenFull,omitempty"`
	// PreferZone prefers endpoints in Limpet's own zone for new sessions.
	PreferZone bool `json:"preferZone,omitempty"`
	// BalanceFactor bounds the requests in flight of a hashed session's endpoint, in percent of the mean. 0: no bound.
	BalanceFactor int32 `json:"balanceFactor,omitempty"`
	// StickyBudget bounds the requests in flight of the endpoint of any other session. The zero value bounds nothing.
	StickyBudget StickyBudget `json:"stickyBudget,omitzero"`
	// KeepDraining lets a draining endpoint keep its sessions.
	KeepDraining bool `json:"keepDraining"`
	// DrainTimeout is for how long. 0: as long as it serves.
	DrainTimeout time.Duration `json:"drainTimeout,omitempty"`
	// Unavailable is what happens when the endpoint of a session is gone.
	Unavailable Unavailable `json:"unavailable"`
	// Rebalance is how sessions may move of their own accord.
	Rebalance Rebalance `json:"rebalance,omitzero"`
	// Identity is what an endpoint is recognised by.
	Identity Identity `json:"identity"`
	// Adopt is the controllers whose cookies are taken for tokens once, in the cookie of a method that issues them.
	Adopt []Adopted `json:"adopt,omitempty"`
	// AdoptCookie is where they are looked for beside the cookie of that method, which had to be called otherwise.
	AdoptCookie string `json:"adoptCookie,omitempty"`
	// AdoptBackends are the names that ingress-nginx may have for the backend.
	AdoptBackends []string `json:"adoptBackends,omitempty"`
	// StickySplit keeps a session on its side of a weighted split.
	StickySplit bool `json:"stickySplit,omitempty"`
	// MovedHeader is the request header that tells the app why its session has just moved. Empty: none.
	MovedHeader string `json:"movedHeader,omitempty"`
	// Exempt is the requests that are spread without stickiness, nil if there are none.
	Exempt *Exempt `json:"exempt,omitempty"`
}

// StickyBudget lets a request of a session go elsewhere while its endpoint is too busy. The session stays there.
type StickyBudget struct {
	// BalanceFactor is in percent of the mean in flight. 0: no bound.
	BalanceFactor int32 `json:"balanceFactor,omitempty"`
	// MinRequests is how many requests in flight are never too many.
	MinRequests int32 `json:"minRequests,omitempty"`
}

// Rebalance moves sessions to endpoints with fewer, when they have been idle. The zero value moves none.
type Rebalance struct {
	AfterIdle time.Duration `json:"afterIdle,omitempty"`
	// MaxPerMinute bounds the moves in a pool, on each replica. 0: no bound.
	MaxPerMinute int32 `json:"maxPerMinute,omitempty"`
}

// Adopted is another controller.
type Adopted string

// The controllers whose cookies can be adopted.
const (
	AdoptIngressNginx Adopted = "IngressNginx"
	AdoptTraefik      Adopted = "Traefik"
	AdoptNGINX        Adopted = "NGINX"
)

// Exempt is requests that any of the lists names.
type Exempt struct {
	Methods []string `json:"methods,omitempty"`
	// Paths are prefixes, compared by segment.
	Paths []string `json:"paths,omitempty"`
	// UserAgents are parts of a User-Agent, in any case.
	UserAgents []string `json:"userAgents,omitempty"`
}

// Source is where a method looks.
type Source string

// The sources.
const (
	SourceCookie      Source = "Cookie"
	SourceHeader      Source = "Header"
	SourceQueryParam  Source = "QueryParam"
	SourcePathSegment Source = "PathSegment"
	SourceSourceIP    Source = "SourceIP"
)

// Binding is how what a method found leads to an endpoint.
type Binding string

// The bindings.
const (
	BindingIssued  Binding = "Issued"  // Limpet gives the client a token
	BindingHashed  Binding = "Hashed"  // the value is hashed onto the ready endpoints
	BindingLearned Binding = "Learned" // the app's own id, seen in its response, is remembered
	BindingWrapped Binding = "Wrapped" // the app's own value goes out with the token sealed onto it
	BindingNamed   Binding = "Named"   // the app's value ends in the pod's name, or in a label or annotation of it
)

// Method is one way to recognise a client. The field that belongs to Source is set, and no other.
type Method struct {
	Source      Source       `json:"source"`
	Binding     Binding      `json:"binding"`
	Cookie      *Cookie      `json:"cookie,omitempty"`
	Header      *Header      `json:"header,omitempty"`
	QueryParam  *QueryParam  `json:"queryParam,omitempty"`
	PathSegment *PathSegment `json:"pathSegment,omitempty"`
	SourceIP    *SourceIP    `json:"sourceIP,omitempty"`
	// Separator stands before the pod's name, with BindingNamed.
	Separator string `json:"separator,omitempty"`
	// By is what the value names a pod by, with BindingNamed: a PodLabel or PodAnnotation. Empty: the pod's name.
	By Identity `json:"by,omitempty"`
}

// Cookie is the cookie that a method reads, and the attributes with which Limpet sets it.
type Cookie struct {
	Name     string   `json:"name"`
	Path     string   `json:"path,omitempty"`
	Domain   string   `json:"domain,omitempty"`
	SameSite SameSite `json:"sameSite,omitempty"`
	Secure   Secure   `json:"secure,omitempty"`
	HTTPOnly bool     `json:"httpOnly,omitempty"`
	// Partitioned asks browsers to keep the cookie apart for each top-level site (CHIPS).
	Partitioned bool `json:"partitioned,omitempty"`
	// Permanent gives the cookie an Expires at the end of the session, else it lasts as long as the browser runs.
	Permanent bool `json:"permanent,omitempty"`
}

// SameSite is the cookie attribute of that name.
type SameSite string

// The values of SameSite (RFC 6265bis, section 4.1.2.7).
const (
	SameSiteLax    SameSite = "Lax"
	SameSiteStrict SameSite = "Strict"
	SameSiteNone   SameSite = "None"
)

// Secure says when a cookie carries the attribute of that name.
type Secure string

// The values of Secure.
const (
	SecureAuto   Secure = "Auto" // on requests that came over TLS
	SecureAlways Secure = "Always"
	SecureNever  Secure = "Never"
)

// Header is the request header that a method reads.
type Header struct {
	// Name in canonical form, as net/textproto writes it.
	Name string `json:"name"`
}

// QueryParam is the parameter that a method reads, from the query, or else from the path ("/cart;sid=42").
type QueryParam struct {
	// Name after percent-decoding.
	Name string `json:"name"`
}

// PathSegment is the part of the path that a method reads.
type PathSegment struct {
	Index int `json:"index"` // from 0
}

// SourceIP is how much of the client's address counts.
type SourceIP struct {
	IPv4PrefixLength int `json:"ipv4PrefixLength"` // 1 to 32
	IPv6PrefixLength int `json:"ipv6PrefixLength"` // 1 to 128
}

// Pick is how the endpoint of a new session is chosen among the ready ones.
type Pick string

// The picks.
const (
	PickLeastSessions Pick = "LeastSessions"
	PickLeastRequests Pick = "LeastRequests"
	PickRoundRobin    Pick = "RoundRobin"
	PickRandom        Pick = "Random" // the less busy of two drawn at random
	PickHash          Pick = "Hash"   // by the client's address
)

// UnavailableAction is what happens to a session whose endpoint is gone.
type UnavailableAction string

// The actions.
const (
	UnavailableRepick UnavailableAction = "Repick"
	UnavailableFail   UnavailableAction = "Fail"
	UnavailableWait   UnavailableAction = "Wait"
)

// Unavailable is the action and, for Fail, its answer.
type Unavailable struct {
	Action     UnavailableAction `json:"action"`
	Status     int               `json:"status,omitempty"`
	RetryAfter time.Duration     `json:"retryAfter,omitempty"`
	// Wait is how long a request waits for its endpoint before it is picked again.
	Wait time.Duration `json:"wait,omitempty"`
}

// Identity is what an endpoint is recognised by.
type Identity string

// The identities.
const (
	IdentityPod     Identity = "Pod"     // the pod's UID: a new pod is a stranger
	IdentityPodName Identity = "PodName" // its name: a StatefulSet's pod keeps its sessions over a restart
)

const (
	podLabel      = "PodLabel "
	podAnnotation = "PodAnnotation "
)

// PodLabel is the value of a label of the pod, for apps that name pods by it.
func PodLabel(key string) Identity { return Identity(podLabel + key) }

// PodAnnotation is the same with an annotation.
func PodAnnotation(key string) Identity { return Identity(podAnnotation + key) }

// Of gives the value that a pod with these labels and annotations has for a PodLabel or PodAnnotation, "" for none.
func (i Identity) Of(labels, annotations map[string]string) string {
	if key, ok := strings.CutPrefix(string(i), podLabel); ok {
		return labels[key]
	}
	if key, ok := strings.CutPrefix(string(i), podAnnotation); ok {
		return annotations[key]
	}
	return ""
}
