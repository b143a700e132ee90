package v1alpha1

// Drain configures how pods are drained. A pod drains while it is terminating but still serving, or while it has
// the annotation limpet.dev/drain with the value "true".
//
// +kubebuilder:validation:XValidation:rule="self.keepSessions || duration(self.timeout) == duration('0s')",message="timeout may only be set with keepSessions"
// +kubebuilder:validation:XValidation:rule="self.keepSessions || !has(self.handoff)",message="handoff may only be set with keepSessions"
type Drain struct {
	// KeepSessions lets a draining pod keep its sessions. It never gets new ones, unless all pods drain.
	//
	// +optional
	// +kubebuilder:default=true
	KeepSessions *bool `json:"keepSessions,omitempty"`
	// Timeout is the time for which a draining pod keeps its sessions. 0s means as long as it serves.
	//
	// +optional
	// +kubebuilder:default="0s"
	Timeout Duration `json:"timeout,omitempty"`
	// Handoff moves idle sessions to other pods while their pod drains, and informs the app where the state of the session
	// is. If it is not set, a draining pod keeps its sessions.
	//
	// +optional
	Handoff *Handoff `json:"handoff,omitempty"`
}

// Handoff moves idle sessions away from a draining pod. Requests of a session that moves have a header that names the old pod,
// so that the app can fetch the state of the session from it. It applies to sessions with a token issued by Limpet.
type Handoff struct {
	// AfterIdle is the time for which a session must have been idle before it moves. Limpet may wait for up to one and a half
	// times as long. A session with a request or stream in flight is not idle.
	//
	// +optional
	// +kubebuilder:default="5s"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s')",message="afterIdle must be at least 1s"
	AfterIdle Duration `json:"afterIdle,omitempty"`
	// Header is the name of the request header that names the old pod, such as
	// pod="cart-7d9f", address="10.0.0.7:8080". Clients cannot send it to any backend in the namespace of the policy.
	//
	// +optional
	// +kubebuilder:default=X-Session-Handoff
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern="^[Xx]-[A-Za-z0-9-]+$"
	// +kubebuilder:validation:XValidation:rule="!self.lowerAscii().startsWith('x-forwarded-') && !(self.lowerAscii() in ['x-real-ip', 'x-request-id'])",message="header must not be one that proxies set"
	Header string `json:"header,omitempty"`
	// MaxPerMinute is the maximum number of sessions per pool that each replica of Limpet moves in a minute. 0
	// means no limit.
	//
	// +optional
	// +kubebuilder:default=0
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000000
	MaxPerMinute int32 `json:"maxPerMinute,omitempty"`
}
