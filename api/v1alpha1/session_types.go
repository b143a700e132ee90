package v1alpha1

// NewSession says which pod a new session goes to.
//
// +kubebuilder:validation:XValidation:rule="self.overflow == 'Spill' || self.maxSessionsPerEndpoint > 0",message="overflow Refuse needs maxSessionsPerEndpoint of more than 0"
type NewSession struct {
	// Pick chooses among the ready pods. Random takes the less busy of two drawn at random; Hash goes by the client's
	// address.
	//
	// +optional
	// +kubebuilder:default=LeastSessions
	Pick Pick `json:"pick,omitempty"`
	// SlowStart is how long a new pod's share of new sessions rises to its full size, by hashing too. 0s: it has its full
	// share at once.
	//
	// +optional
	// +kubebuilder:default="0s"
	SlowStart Duration `json:"slowStart,omitempty"`
	// MaxSessionsPerEndpoint is how many sessions a pod takes, as far as each replica of Limpet sees. 0: no bound.
	//
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000000
	MaxSessionsPerEndpoint int32 `json:"maxSessionsPerEndpoint,omitempty"`
	// Overflow is what happens to a new session when every pod has as many as it may. Spill: it goes to one of them all
	// the same. Refuse: it is answered as unavailable says for Fail.
	//
	// +optional
	// +kubebuilder:default=Spill
	Overflow Overflow `json:"overflow,omitempty"`
	// PreferZone prefers pods that are for Limpet's own zone, as the hints of EndpointSlices say, or else are in it. It
	// needs the flag --zone, and does not hold for hashing, where replicas in all zones must agree.
	//
	// +optional
	// +kubebuilder:default=false
	PreferZone bool `json:"preferZone,omitempty"`
}

// Pick is how the pod of a new session is chosen.
//
// +kubebuilder:validation:Enum=LeastSessions;LeastRequests;RoundRobin;Random;Hash
type Pick string

// The picks.
const (
	PickLeastSessions Pick = "LeastSessions"
	PickLeastRequests Pick = "LeastRequests"
	PickRoundRobin    Pick = "RoundRobin"
	PickRandom        Pick = "Random"
	PickHash          Pick = "Hash"
)

// Overflow is what happens to a new session when every pod is full.
//
// +kubebuilder:validation:Enum=Spill;Refuse
type Overflow string

// The values of Overflow.
const (
	OverflowSpill  Overflow = "Spill"
	OverflowRefuse Overflow = "Refuse"
)

// Drain says what a pod may keep that is being drained: one that terminates and still serves, or that has the
// annotation limpet.dev/drain with the value "true".
//
// +kubebuilder:validation:XValidation:rule="self.keepSessions || duration(self.timeout) == duration('0s')",message="timeout may only be set with keepSessions"
type Drain struct {
	// KeepSessions lets it keep its sessions. It gets no new ones in either case.
	//
	// +optional
	// +kubebuilder:default=true
	KeepSessions *bool `json:"keepSessions,omitempty"`
	// Timeout is how long it may keep them. 0s: as long as it serves.
	//
	// +optional
	// +kubebuilder:default="0s"
	Timeout Duration `json:"timeout,omitempty"`
}

// Unavailable says what happens to a session whose pod is gone.
//
// +kubebuilder:validation:XValidation:rule="self.action == 'Fail' || self.status == 503",message="status may only be set with action Fail"
// +kubebuilder:validation:XValidation:rule="self.action == 'Fail' || duration(self.retryAfter) == duration('5s')",message="retryAfter may only be set with action Fail"
// +kubebuilder:validation:XValidation:rule="self.action == 'Wait' || duration(self.wait) == duration('0s')",message="wait may only be set with action Wait"
// +kubebuilder:validation:XValidation:rule="self.action != 'Wait' || (duration(self.wait) > duration('0s') && duration(self.wait) <= duration('1m'))",message="action Wait needs a wait of more than 0s and at most 1m"
type Unavailable struct {
	// Action. Repick: another pod is chosen. Fail: the request is refused. Wait: the request waits for its pod, then
	// another is chosen.
	//
	// +optional
	// +kubebuilder:default=Repick
	Action UnavailableAction `json:"action,omitempty"`
	// Status of the answer, with action Fail.
	//
	// +optional
	// +kubebuilder:default=503
	// +kubebuilder:validation:Minimum=400
	// +kubebuilder:validation:Maximum=599
	Status int32 `json:"status,omitempty"`
	// RetryAfter of the answer, with action Fail, rounded up to whole seconds. 0s: the answer has none.
	//
	// +optional
	// +kubebuilder:default="5s"
	RetryAfter Duration `json:"retryAfter,omitempty"`
	// Wait is how long a request waits, with action Wait.
	//
	// +optional
	// +kubebuilder:default="0s"
	Wait Duration `json:"wait,omitempty"`
}

// UnavailableAction is what happens to a session whose pod is gone.
//
// +kubebuilder:validation:Enum=Repick;Fail;Wait
type UnavailableAction string

// The actions.
const (
	UnavailableRepick UnavailableAction = "Repick"
	UnavailableFail   UnavailableAction = "Fail"
	UnavailableWait   UnavailableAction = "Wait"
)

// Rebalance says whether sessions may move to new pods of their own accord.
//
// +kubebuilder:validation:XValidation:rule="self.mode != 'OnIdle' || duration(self.afterIdle) > duration('0s')",message="mode OnIdle needs an afterIdle of more than 0s"
// +kubebuilder:validation:XValidation:rule="self.mode == 'OnIdle' || (duration(self.afterIdle) == duration('0s') && self.maxPerMinute == 0)",message="afterIdle and maxPerMinute may only be set with mode OnIdle"
type Rebalance struct {
	// Mode. Never: a session stays as long as its pod serves. OnIdle: one that was idle may move.
	//
	// +optional
	// +kubebuilder:default=Never
	Mode RebalanceMode `json:"mode,omitempty"`
	// AfterIdle is how long a session must have been idle before it may move, at least. Only sessions with a token of
	// Limpet move.
	//
	// +optional
	// +kubebuilder:default="0s"
	AfterIdle Duration `json:"afterIdle,omitempty"`
	// MaxPerMinute is how many sessions of a pool each replica of Limpet moves in a minute. 0: no bound.
	//
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000000
	MaxPerMinute int32 `json:"maxPerMinute,omitempty"`
}

// RebalanceMode says when sessions may move of their own accord.
//
// +kubebuilder:validation:Enum=Never;OnIdle
type RebalanceMode string

// The modes.
const (
	RebalanceNever  RebalanceMode = "Never"
	RebalanceOnIdle RebalanceMode = "OnIdle"
)

// Hash tunes the methods with binding Hashed.
type Hash struct {
	// BalanceFactor bounds the load of a pod, in percent of the mean number of requests in flight: with 125 no pod gets
	// a hashed request while it has more than 1.25 x the mean: such a request is counted as moved, reason full. 0: no
	// bound.
	//
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	// +kubebuilder:validation:XValidation:rule="self == 0 || self > 100",message="balanceFactor must be 0, or more than 100"
	BalanceFactor int32 `json:"balanceFactor,omitempty"`
}

// StickyBudget bounds how much busier than the others a pod may get by its sessions.
type StickyBudget struct {
	// BalanceFactor is how busy a pod may be, in percent of the mean number of requests in flight, for requests of its
	// sessions to go there. Above that they go to another pod, as long as it lasts, and come back by themselves: the session
	// keeps its pod. Each is counted as moved, reason full. For sessions of all bindings but Hashed. 0: no bound.
	//
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	// +kubebuilder:validation:XValidation:rule="self == 0 || self > 100",message="balanceFactor must be 0, or more than 100"
	BalanceFactor int32 `json:"balanceFactor,omitempty"`
	// MinRequests is how many requests a pod may have in flight in any case, however few others have.
	//
	// +optional
	// +kubebuilder:default=10
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	MinRequests int32 `json:"minRequests,omitempty"`
}

// Identity is what a pod is recognised by.
//
// +kubebuilder:validation:Enum=Pod;PodName
type Identity string

// The identities.
const (
	IdentityPod     Identity = "Pod"
	IdentityPodName Identity = "PodName"
)

// Split says how sessions and weighted splits go together.
type Split struct {
	// Sticky keeps a session on its side of a weighted split or canary, monotone as weights grow.
	//
	// +optional
	// +kubebuilder:default=false
	Sticky bool `json:"sticky,omitempty"`
}

// Adopted is another controller whose cookies are opened once, then replaced by a token.
//
// +kubebuilder:validation:Enum=IngressNginx;Traefik;NGINX
type Adopted string

// The controllers whose cookies can be adopted.
const (
	AdoptIngressNginx Adopted = "IngressNginx"
	AdoptTraefik      Adopted = "Traefik"
	AdoptNGINX        Adopted = "NGINX"
)

// Exempt names requests that are spread without stickiness. A request is exempt if any of the lists names it.
type Exempt struct {
	// Methods are request methods, such as OPTIONS.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=16
	// +kubebuilder:validation:items:MaxLength=32
	// +kubebuilder:validation:items:Pattern=`^[A-Z][A-Z-]*$`
	Methods []string `json:"methods,omitempty"`
	// Paths are path prefixes, compared by segment: /static exempts /static and /static/a, and not /statics.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MaxLength=1024
	// +kubebuilder:validation:items:Pattern=`^/[!-"$->@-~]*$`
	Paths []string `json:"paths,omitempty"`
	// UserAgents are parts of a User-Agent, compared without regard to case.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=256
	// +kubebuilder:validation:items:Pattern=`^[ -~]+$`
	UserAgents []string `json:"userAgents,omitempty"`
}
