package v1alpha1

// NewSession configures how the pod of a new session is chosen.
//
// +kubebuilder:validation:XValidation:rule="self.overflow == 'Spill' || self.maxSessionsPerEndpoint > 0",message="overflow Refuse needs maxSessionsPerEndpoint of more than 0"
// +kubebuilder:validation:XValidation:rule="!has(self.refuse) || self.overflow == 'Refuse'",message="refuse may only be set with overflow Refuse"
type NewSession struct {
	// Pick is the algorithm that chooses among the ready pods. Random draws two pods and takes the less loaded one.
	// Hash uses the client address.
	//
	// +optional
	// +kubebuilder:default=LeastSessions
	Pick Pick `json:"pick,omitempty"`
	// SlowStart is the time over which a new pod's share of new sessions grows to its full size. It applies to
	// hashing too. 0s means that a new pod has its full share immediately.
	//
	// +optional
	// +kubebuilder:default="0s"
	SlowStart Duration `json:"slowStart,omitempty"`
	// MaxSessionsPerEndpoint is the maximum number of sessions on a pod. Each replica of Limpet counts the sessions
	// that it sees. A session counts until its timeout, or for an hour after its last request without a timeout. Until
	// the client returns with its token it counts for at most 30s. 0 means no limit.
	//
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000000
	MaxSessionsPerEndpoint int32 `json:"maxSessionsPerEndpoint,omitempty"`
	// Overflow defines how a new session is handled when all pods are at maxSessionsPerEndpoint. Spill ignores the
	// limit. Refuse rejects the request with the response of refuse.
	//
	// +optional
	// +kubebuilder:default=Spill
	Overflow Overflow `json:"overflow,omitempty"`
	// Refuse is the response with overflow Refuse.
	//
	// +optional
	Refuse Refuse `json:"refuse,omitzero"`
	// PreferZone prefers pods that EndpointSlice hints assign to the zone of Limpet or, without hints, pods in that
	// zone. It requires the flag --zone. It does not apply to hashing, because replicas in all zones must agree.
	//
	// +optional
	// +kubebuilder:default=false
	PreferZone bool `json:"preferZone,omitempty"`
}

// Refuse is the response to a new session when all pods are at maxSessionsPerEndpoint.
type Refuse struct {
	// Status is the status code of the response. If it is not set, it is the status of unavailable.
	//
	// +optional
	// +kubebuilder:validation:Minimum=400
	// +kubebuilder:validation:Maximum=599
	Status int32 `json:"status,omitempty"`
	// RetryAfter is the Retry-After value of the response, rounded up to whole seconds. 0s means that the response has
	// no Retry-After header. If it is not set, it is the retryAfter of unavailable.
	//
	// +optional
	RetryAfter Duration `json:"retryAfter,omitempty"`
}

// Pick is the algorithm that chooses the pod of a new session.
//
// +kubebuilder:validation:Enum=LeastSessions;LeastRequests;RoundRobin;Random;Hash
type Pick string

// The values of Pick.
const (
	PickLeastSessions Pick = "LeastSessions"
	PickLeastRequests Pick = "LeastRequests"
	PickRoundRobin    Pick = "RoundRobin"
	PickRandom        Pick = "Random"
	PickHash          Pick = "Hash"
)

// Overflow defines how a new session is handled when all pods are at their limit.
//
// +kubebuilder:validation:Enum=Spill;Refuse
type Overflow string

// The values of Overflow.
const (
	OverflowSpill  Overflow = "Spill"
	OverflowRefuse Overflow = "Refuse"
)

// Unavailable configures how requests are handled when the pod of their session is gone or not ready.
//
// +kubebuilder:validation:XValidation:rule="self.action == 'Fail' || self.status == 503",message="status may only be set with action Fail"
// +kubebuilder:validation:XValidation:rule="self.action == 'Fail' || duration(self.retryAfter) == duration('5s')",message="retryAfter may only be set with action Fail"
// +kubebuilder:validation:XValidation:rule="self.action == 'Wait' || self.notReady == 'Wait' || duration(self.wait) == duration('0s')",message="wait may only be set with action Wait or notReady Wait"
// +kubebuilder:validation:XValidation:rule="self.action != 'Wait' || (duration(self.wait) > duration('0s') && duration(self.wait) <= duration('1m'))",message="action Wait needs a wait of more than 0s and at most 1m"
// +kubebuilder:validation:XValidation:rule="self.notReady != 'Wait' || (duration(self.wait) > duration('0s') && duration(self.wait) <= duration('1m'))",message="notReady Wait needs a wait of more than 0s and at most 1m"
type Unavailable struct {
	// Action defines how the request is handled. Repick chooses another pod. Fail rejects the request. Wait waits
	// for the pod to return, then chooses another one.
	//
	// +optional
	// +kubebuilder:default=Repick
	Action UnavailableAction `json:"action,omitempty"`
	// Status is the status code of the response with action Fail.
	//
	// +optional
	// +kubebuilder:default=503
	// +kubebuilder:validation:Minimum=400
	// +kubebuilder:validation:Maximum=599
	Status int32 `json:"status,omitempty"`
	// RetryAfter is the Retry-After value of the response with action Fail, rounded up to whole seconds. 0s means
	// that the response has no Retry-After header.
	//
	// +optional
	// +kubebuilder:default="5s"
	RetryAfter Duration `json:"retryAfter,omitempty"`
	// Wait is the maximum time a request waits with action Wait or notReady Wait.
	//
	// +optional
	// +kubebuilder:default="0s"
	Wait Duration `json:"wait,omitempty"`
	// NotReady defines how the request is handled while the pod of its session is not ready but not terminating. Move:
	// as if the pod were gone, see action. Lend: another pod serves the request, the session keeps its pod, and the
	// client returns to it when it is ready again. Wait: the request waits for the pod, and then action applies. It does
	// not apply to binding Hashed: a hashed session is served elsewhere and returns by itself.
	//
	// +optional
	// +kubebuilder:default=Move
	NotReady NotReadyAction `json:"notReady,omitempty"`
}

// UnavailableAction defines how requests are handled when the pod of their session is gone.
//
// +kubebuilder:validation:Enum=Repick;Fail;Wait
type UnavailableAction string

// The values of UnavailableAction.
const (
	UnavailableRepick UnavailableAction = "Repick"
	UnavailableFail   UnavailableAction = "Fail"
	UnavailableWait   UnavailableAction = "Wait"
)

// NotReadyAction defines how requests are handled while the pod of their session is not ready.
//
// +kubebuilder:validation:Enum=Move;Lend;Wait
type NotReadyAction string

// The values of NotReadyAction.
const (
	NotReadyMove NotReadyAction = "Move"
	NotReadyLend NotReadyAction = "Lend"
	NotReadyWait NotReadyAction = "Wait"
)

// Rebalance configures whether idle sessions may move to less loaded pods.
//
// +kubebuilder:validation:XValidation:rule="self.mode != 'OnIdle' || duration(self.afterIdle) > duration('0s')",message="mode OnIdle needs an afterIdle of more than 0s"
// +kubebuilder:validation:XValidation:rule="self.mode == 'OnIdle' || (duration(self.afterIdle) == duration('0s') && self.maxPerMinute == 0)",message="afterIdle and maxPerMinute may only be set with mode OnIdle"
type Rebalance struct {
	// Mode defines when sessions may move. Never: a session stays as long as its pod serves. OnIdle: an idle
	// session may move with its next request.
	//
	// +optional
	// +kubebuilder:default=Never
	Mode RebalanceMode `json:"mode,omitempty"`
	// AfterIdle is the minimum time a session must be idle before it may move. Only sessions with a token issued by
	// Limpet move.
	//
	// +optional
	// +kubebuilder:default="0s"
	AfterIdle Duration `json:"afterIdle,omitempty"`
	// MaxPerMinute is the maximum number of sessions per pool that each replica of Limpet moves in a minute. 0
	// means no limit.
	//
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000000
	MaxPerMinute int32 `json:"maxPerMinute,omitempty"`
}

// RebalanceMode defines when sessions may move although their pod still serves.
//
// +kubebuilder:validation:Enum=Never;OnIdle
type RebalanceMode string

// The values of RebalanceMode.
const (
	RebalanceNever  RebalanceMode = "Never"
	RebalanceOnIdle RebalanceMode = "OnIdle"
)

// Hash configures the methods with binding Hashed.
type Hash struct {
	// BalanceFactor limits the load of a pod, in percent of the mean number of requests in flight per pod. With
	// 125, a pod gets no hashed requests while it has more than 1.25 times the mean. Requests sent elsewhere count
	// as moved with reason full. 0 means no limit.
	//
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	// +kubebuilder:validation:XValidation:rule="self == 0 || self > 100",message="balanceFactor must be 0, or more than 100"
	BalanceFactor int32 `json:"balanceFactor,omitempty"`
}

// StickyBudget limits how much of the load of a pod may come from its sessions.
type StickyBudget struct {
	// BalanceFactor limits the load of a pod, in percent of the mean number of requests in flight per pod. While a
	// pod is above the limit, requests of its sessions are sent to another pod. The session keeps its own pod. Each
	// such request counts as moved with reason full. Applies to all bindings except Hashed. 0 means no limit.
	//
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	// +kubebuilder:validation:XValidation:rule="self == 0 || self > 100",message="balanceFactor must be 0, or more than 100"
	BalanceFactor int32 `json:"balanceFactor,omitempty"`
	// MinRequests is the number of requests in flight that a pod may always have, regardless of the mean.
	//
	// +optional
	// +kubebuilder:default=10
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	MinRequests int32 `json:"minRequests,omitempty"`
}

// Identity defines when two pods count as the same pod.
//
// +kubebuilder:validation:Enum=Pod;PodName
type Identity string

// The values of Identity.
const (
	IdentityPod     Identity = "Pod"
	IdentityPodName Identity = "PodName"
)

// Split configures how sessions are combined with weighted backends.
type Split struct {
	// Sticky keeps a session on its side of a weighted split or canary. As the weight of a side grows, sessions
	// only move to it, never away from it.
	//
	// +optional
	// +kubebuilder:default=false
	Sticky bool `json:"sticky,omitempty"`
}

// Adopted is another controller whose session cookies Limpet accepts once and then replaces.
//
// +kubebuilder:validation:Enum=IngressNginx;Traefik;NGINX
type Adopted string

// The controllers whose cookies can be adopted.
const (
	AdoptIngressNginx Adopted = "IngressNginx"
	AdoptTraefik      Adopted = "Traefik"
	AdoptNGINX        Adopted = "NGINX"
)
