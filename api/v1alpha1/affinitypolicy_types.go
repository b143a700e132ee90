package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// AffinityPolicy says how the clients of its targets are recognised, and how they are brought back to their own pod.
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

	// +required
	Spec AffinityPolicySpec `json:"spec"`
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

// The defaults of structs hold the fields that the rules of the struct read: the API server checks a default against
// the rules before it fills in the defaults below it. Rules ask size(x) == 0 of an empty string, since gofmt turns two
// single quotes in a comment into one double one.

// AffinityPolicySpec is what the author of a policy asks for.
//
// +kubebuilder:validation:XValidation:rule="!self.methods.exists(m, has(m.cookie) && m.cookie.lifetimeType == 'Permanent') || (has(self.absoluteTimeout) && duration(self.absoluteTimeout) > duration('0s'))",message="cookie.lifetimeType Permanent needs an absoluteTimeout of more than 0s"
// +kubebuilder:validation:XValidation:rule="!has(self.idleTimeout) || !has(self.absoluteTimeout) || duration(self.absoluteTimeout) == duration('0s') || duration(self.idleTimeout) <= duration(self.absoluteTimeout)",message="idleTimeout must not be longer than absoluteTimeout"
// +kubebuilder:validation:XValidation:rule="!has(self.adopt) || self.adopt.size() == 0 || self.methods.exists(m, m.source == 'Cookie' && m.binding == 'Issued')",message="adopt needs a method with source Cookie and binding Issued: what was adopted is replaced by its token"
// +kubebuilder:validation:XValidation:rule="self.stickyBudget.balanceFactor == 0 || self.unavailable.action != 'Fail'",message="stickyBudget.balanceFactor may not be set with unavailable.action Fail: a session cannot be refused at other pods and served there"
type AffinityPolicySpec struct {
	// TargetRefs are the Services and Ingresses that the policy applies to, in its own namespace. A policy on a
	// Service beats one on an Ingress. Of two policies on one target the oldest wins, and the other is Conflicted.
	//
	// +required
	// +listType=map
	// +listMapKey=group
	// +listMapKey=kind
	// +listMapKey=name
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=16
	TargetRefs []TargetRef `json:"targetRefs"`

	// Methods are tried in order. The first that recognises the client decides; a new client is bound by the first
	// method that can bind it.
	//
	// +required
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:XValidation:rule="self.filter(m, m.source == 'SourceIP').size() <= (self[size(self) - 1].source == 'SourceIP' ? 1 : 0)",message="source SourceIP must be the last method: it recognises every client, so none after it would be asked"
	Methods []Method `json:"methods"`

	// AbsoluteTimeout ends a session so long after it was bound. Not set, or 0s: never.
	//
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) == duration('0s') || duration(self) >= duration('1s')",message="absoluteTimeout must be 0s or at least 1s"
	AbsoluteTimeout *Duration `json:"absoluteTimeout,omitempty"`

	// IdleTimeout ends a session so long after its last request. It slides: a token is renewed at most once per half
	// of it. Not set, or 0s: never.
	//
	// +optional
	// +kubebuilder:validation:XValidation:rule="duration(self) == duration('0s') || duration(self) >= duration('1s')",message="idleTimeout must be 0s or at least 1s"
	IdleTimeout *Duration `json:"idleTimeout,omitempty"`

	// NewSession says which pod a new session goes to.
	//
	// +optional
	// +kubebuilder:default={overflow: Spill}
	NewSession NewSession `json:"newSession,omitzero"`

	// Drain says what a pod may keep that is being drained: one that terminates and still serves, or that has the
	// annotation limpet.dev/drain with the value "true".
	//
	// +optional
	// +kubebuilder:default={keepSessions: true}
	Drain Drain `json:"drain,omitzero"`

	// Unavailable says what happens to a session whose pod is gone.
	//
	// +optional
	// +kubebuilder:default={action: Repick, status: 503, retryAfter: "5s", wait: "0s"}
	Unavailable Unavailable `json:"unavailable,omitzero"`

	// Rebalance says whether sessions may move to new pods of their own accord.
	//
	// +optional
	// +kubebuilder:default={mode: Never, afterIdle: "0s", maxPerMinute: 0}
	Rebalance Rebalance `json:"rebalance,omitzero"`

	// Hash tunes the methods with binding Hashed.
	//
	// +optional
	// +kubebuilder:default={}
	Hash Hash `json:"hash,omitzero"`

	// StickyBudget lets requests of sessions go to another pod while their own is much busier than the others.
	//
	// +optional
	// +kubebuilder:default={balanceFactor: 0, minRequests: 10}
	StickyBudget StickyBudget `json:"stickyBudget,omitzero"`

	// Identity is what a pod is recognised by. Pod: its UID, so that a new pod is a stranger. PodName: its name, so that
	// a StatefulSet's pod keeps its sessions over a restart.
	//
	// +optional
	// +kubebuilder:default=Pod
	Identity Identity `json:"identity,omitempty"`

	// Group joins policies: the same group on several policies of a namespace is one binding for several Services that
	// select the same pods.
	//
	// +optional
	// +kubebuilder:default=""
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$`
	Group string `json:"group,omitempty"`

	// Split says how sessions and weighted splits go together.
	//
	// +optional
	// +kubebuilder:default={}
	Split Split `json:"split,omitzero"`

	// Adopt names other controllers whose cookies are opened once, then replaced by a token. They are looked for under the
	// name of the method with source Cookie and binding Issued.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=3
	Adopt []Adopted `json:"adopt,omitempty"`

	// MovedHeader is a request header that tells the app that its session has just moved, and why: gone, expired, failed,
	// rebalanced or full. Empty: none.
	//
	// +optional
	// +kubebuilder:default=""
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern="^[A-Za-z0-9!#$%&'*+\\-.^_\\x60|~]*$"
	// +kubebuilder:validation:XValidation:rule="!(self.lowerAscii() in ['connection', 'content-length', 'cookie', 'expect', 'host', 'keep-alive', 'proxy-connection', 'set-cookie', 'te', 'trailer', 'transfer-encoding', 'upgrade'])",message="movedHeader must not be a header that frames or routes the message"
	MovedHeader string `json:"movedHeader,omitempty"`

	// Exempt names requests that are spread without stickiness.
	//
	// +optional
	// +kubebuilder:default={}
	Exempt Exempt `json:"exempt,omitzero"`
}

// TargetRef names one target, in the namespace of the policy.
//
// +kubebuilder:validation:XValidation:rule="(self.kind == 'Service' && size(self.group) == 0) || (self.kind == 'Ingress' && self.group == 'networking.k8s.io')",message="a target is a Service (group \"\") or an Ingress (group networking.k8s.io)"
type TargetRef struct {
	// Group is "" for a Service, networking.k8s.io for an Ingress.
	//
	// +optional
	// +kubebuilder:default=""
	// +kubebuilder:validation:Enum="";networking.k8s.io
	Group string `json:"group"`
	// +required
	// +kubebuilder:validation:Enum=Service;Ingress
	Kind string `json:"kind"`
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Name string `json:"name"`
}
