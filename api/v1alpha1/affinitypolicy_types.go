package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// AffinityPolicy defines how Limpet recognizes the clients of its targets, and how it returns each client to its
// own pod.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=afp,categories=limpet
// +kubebuilder:printcolumn:name="Target",type=string,JSONPath=`.spec.targetRefs[0].name`,description="The first target."
// +kubebuilder:printcolumn:name="Source",type=string,JSONPath=`.spec.methods[0].source`,description="Where the first method looks."
// +kubebuilder:printcolumn:name="Binding",type=string,JSONPath=`.spec.methods[0].binding`,description="How the first method leads to a pod."
// +kubebuilder:printcolumn:name="Accepted",type=string,JSONPath=`.status.conditions[?(@.type=="Accepted")].status`
// +kubebuilder:printcolumn:name="Programmed",type=string,JSONPath=`.status.conditions[?(@.type=="Programmed")].status`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type AffinityPolicy struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec defines the desired behavior.
	//
	// +required
	Spec AffinityPolicySpec `json:"spec"`
	// Status is the observed state, written by Limpet.
	//
	// +optional
	Status AffinityPolicyStatus `json:"status,omitzero"`
}

// AffinityPolicyList is a list of AffinityPolicy.
//
// +kubebuilder:object:root=true
type AffinityPolicyList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []AffinityPolicy `json:"items"`
}

// The default of a struct sets every field that the CEL rules of that struct read. The API server validates a default
// before it fills in the defaults of nested fields.
//
// The rules compare with size(x) == 0 instead of an empty string literal, because gofmt rewrites two single quotes in a
// comment to one double quote.

// AffinityPolicySpec defines the desired behavior of an AffinityPolicy.
//
// +kubebuilder:validation:XValidation:rule="!self.methods.exists(m, has(m.cookie) && m.cookie.lifetimeType == 'Permanent') || (has(self.absoluteTimeout) && duration(self.absoluteTimeout) > duration('0s'))",message="cookie.lifetimeType Permanent needs an absoluteTimeout of more than 0s"
// +kubebuilder:validation:XValidation:rule="!has(self.idleTimeout) || !has(self.absoluteTimeout) || duration(self.absoluteTimeout) == duration('0s') || duration(self.idleTimeout) <= duration(self.absoluteTimeout)",message="idleTimeout must not be longer than absoluteTimeout"
// +kubebuilder:validation:XValidation:rule="!has(self.adopt) || self.adopt.size() == 0 || self.methods.exists(m, m.source == 'Cookie' && m.binding == 'Issued')",message="adopt needs a method with source Cookie and binding Issued: an adopted cookie is replaced by its token"
// +kubebuilder:validation:XValidation:rule="self.stickyBudget.balanceFactor == 0 || self.unavailable.action != 'Fail'",message="stickyBudget.balanceFactor may not be set with unavailable.action Fail: Fail forbids other pods, but the budget sends requests to them"
// +kubebuilder:validation:XValidation:rule="!has(self.learned) || !has(self.learned.from) || self.learned.from.size() == 0 || self.methods.exists(m, m.binding == 'Learned')",message="learned.from needs a method with binding Learned"
type AffinityPolicySpec struct {
	// TargetRefs lists the Services and Ingresses that the policy applies to. Targets are in the namespace of the
	// policy. A policy on a Service takes precedence over a policy on an Ingress. If several policies select the
	// same target, the oldest one wins, and the others get the condition Conflicted.
	//
	// +required
	// +listType=map
	// +listMapKey=group
	// +listMapKey=kind
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	TargetRefs []TargetRef `json:"targetRefs"`

	// Methods lists the ways to recognize a client, in order of precedence. The first method that recognizes the
	// client decides. A new client is bound by the first method that can bind it.
	//
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:XValidation:rule="self.filter(m, m.source == 'SourceIP').size() <= (self[size(self) - 1].source == 'SourceIP' ? 1 : 0)",message="source SourceIP must be the last method: it recognizes every client, so later methods would never apply"
	// +kubebuilder:validation:XValidation:rule="self.filter(m, has(m.composite) && m.composite.parts.all(p, p.source in ['Host', 'Path', 'URI', 'Method', 'SourceIP'])).size() <= (has(self[size(self) - 1].composite) && self[size(self) - 1].composite.parts.all(p, p.source in ['Host', 'Path', 'URI', 'Method', 'SourceIP']) ? 1 : 0)",message="a Composite of parts that every request has must be the last method: later methods would never apply"
	Methods []Method `json:"methods"`

	// Learned configures the methods with binding Learned.
	//
	// +optional
	// +kubebuilder:default={}
	Learned Learned `json:"learned,omitzero"`

	// AbsoluteTimeout is the maximum lifetime of a session, measured from the time it was bound. If unset or 0s,
	// sessions have no maximum lifetime. It applies to the bindings Issued, Learned and Wrapped. Sessions of the other
	// bindings have no start, so they never end.
	//
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) == duration('0s') || duration(self) >= duration('1s')",message="absoluteTimeout must be 0s or at least 1s"
	AbsoluteTimeout *Duration `json:"absoluteTimeout,omitempty"`

	// IdleTimeout is the time after its last request at which a session ends. A token is renewed at most once per
	// half of this time. If unset or 0s, idle sessions do not end, except for learned ones: without any timeout, those
	// end after the time of the flag --session-store-idle. It applies to the bindings Issued and Learned.
	//
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) == duration('0s') || duration(self) >= duration('1s')",message="idleTimeout must be 0s or at least 1s"
	IdleTimeout *Duration `json:"idleTimeout,omitempty"`

	// NewSession configures how the pod of a new session is chosen.
	//
	// +optional
	// +kubebuilder:default={overflow: Spill}
	NewSession NewSession `json:"newSession,omitzero"`

	// Drain configures how pods are drained. A pod drains while it is terminating but still serving, or while it
	// has the annotation limpet.dev/drain with the value "true".
	//
	// +optional
	// +kubebuilder:default={keepSessions: true}
	Drain Drain `json:"drain,omitzero"`

	// Unavailable configures how requests are handled when the pod of their session is gone or not ready.
	//
	// +optional
	// +kubebuilder:default={action: Repick, status: 503, retryAfter: "5s", wait: "0s", notReady: Move}
	Unavailable Unavailable `json:"unavailable,omitzero"`

	// Ejection configures when requests avoid a pod that fails them. Its sessions are handled as unavailable.notReady
	// defines. If it is not set, the annotations of the Ingress apply, and otherwise the defaults of its fields.
	//
	// +optional
	Ejection *Ejection `json:"ejection,omitempty"`

	// CircuitBreaker limits concurrent requests. The annotations of the Ingress apply if no field is set.
	//
	// +optional
	CircuitBreaker CircuitBreaker `json:"circuitBreaker,omitzero"`

	// Rebalance configures whether idle sessions may move to less loaded pods.
	//
	// +optional
	// +kubebuilder:default={mode: Never, afterIdle: "0s", maxPerMinute: 0}
	Rebalance Rebalance `json:"rebalance,omitzero"`

	// Hash configures the methods with binding Hashed.
	//
	// +optional
	// +kubebuilder:default={}
	Hash Hash `json:"hash,omitzero"`

	// StickyBudget allows requests of a session to be sent to another pod while the session's own pod is
	// overloaded.
	//
	// +optional
	// +kubebuilder:default={balanceFactor: 0, minRequests: 10}
	StickyBudget StickyBudget `json:"stickyBudget,omitzero"`

	// Identity defines when two pods count as the same pod. Pod compares the UID, so that a replacement pod is a
	// different one. PodName compares the name, so that a pod of a StatefulSet keeps its sessions when it restarts.
	//
	// +optional
	// +kubebuilder:default=Pod
	Identity Identity `json:"identity,omitempty"`

	// Group shares sessions between Services. Policies in the same namespace with the same group form one binding.
	// Their Services should select the same pods. Empty means no group.
	//
	// +optional
	// +kubebuilder:default=""
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$`
	Group string `json:"group,omitempty"`

	// Split configures how sessions are combined with weighted backends.
	//
	// +optional
	// +kubebuilder:default={}
	Split Split `json:"split,omitzero"`

	// Adopt lists other controllers whose session cookies are accepted once and then replaced by a token of Limpet.
	// Their cookies must have the name of the method with source Cookie and binding Issued.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=3
	Adopt []Adopted `json:"adopt,omitempty"`

	// MovedHeader is the name of a request header that notifies the app that the session has just moved. Its value
	// is the reason: gone, expired, failed, rebalanced, full, lent or handoff. Empty means that no header is added.
	//
	// +optional
	// +kubebuilder:default=""
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern="^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]*$"
	// +kubebuilder:validation:XValidation:rule="!(self.lowerAscii() in ['connection', 'content-length', 'cookie', 'expect', 'host', 'keep-alive', 'proxy-connection', 'set-cookie', 'te', 'trailer', 'transfer-encoding', 'upgrade'])",message="movedHeader must not be a header that frames or routes the message"
	MovedHeader string `json:"movedHeader,omitempty"`

	// Exempt selects requests that are load balanced without stickiness.
	//
	// +optional
	// +kubebuilder:default={}
	Exempt Exempt `json:"exempt,omitzero"`
}

// TargetRef identifies a target in the namespace of the policy.
//
// +kubebuilder:validation:XValidation:rule="(self.kind == 'Service' && size(self.group) == 0) || (self.kind == 'Ingress' && self.group == 'networking.k8s.io')",message="a target must be a Service (group \"\") or an Ingress (group networking.k8s.io)"
type TargetRef struct {
	// Group is the API group of the target: "" for a Service, networking.k8s.io for an Ingress.
	//
	// +optional
	// +kubebuilder:default=""
	// +kubebuilder:validation:Enum="";networking.k8s.io
	Group string `json:"group"`
	// Kind is the kind of the target: Service or Ingress.
	//
	// +required
	// +kubebuilder:validation:Enum=Service;Ingress
	Kind string `json:"kind"`
	// Name is the name of the target.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Name string `json:"name"`
}
