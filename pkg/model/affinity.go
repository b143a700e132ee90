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
	// Handoff moves idle sessions away from a draining endpoint. Nil disables it.
	Handoff *Handoff `json:"handoff,omitempty"`
	// Unavailable configures the handling of a session whose endpoint is gone.
	Unavailable Unavailable `json:"unavailable"`
	// Ejection takes precedence over that of the Backend. Nil does not.
	Ejection *Ejection `json:"ejection,omitempty"`
	// RequestLimits takes precedence over that of the Backend. Nil does not.
	RequestLimits *RequestLimits `json:"requestLimits,omitempty"`
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
	// NginxCookie lets ingress-nginx recognize the sessions of cookies that Limpet sets. Nil disables it.
	NginxCookie *NginxCookie `json:"nginxCookie,omitempty"`
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

// Handoff moves idle sessions away from a draining endpoint, and informs the app which endpoint has their state.
type Handoff struct {
	AfterIdle time.Duration `json:"afterIdle"`
	// Header is the request header that names the draining endpoint, in canonical form.
	Header string `json:"header"`
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

// NginxCookie adds to the values of cookies what ingress-nginx would have set for the endpoint, so that clients stay on their
// pods when they return to ingress-nginx. It requires AdoptIngressNginx.
type NginxCookie struct {
	// Backend is the name of the backend in ingress-nginx, one of AdoptBackends.
	Backend string `json:"backend"`
	// Balanced is affinity-mode balanced. If it is false, the mode is persistent.
	Balanced bool `json:"balanced,omitempty"`
}

// Exempt matches a request if any of its lists does.
type Exempt struct {
	Methods []string `json:"methods,omitempty"`
	// Paths are prefixes, compared by path segment.
	Paths []string `json:"paths,omitempty"`
	// UserAgents are substrings of User-Agent, compared without case.
	UserAgents []string `json:"userAgents,omitempty"`
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
