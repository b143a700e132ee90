package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// AffinityPolicyStatus describes the observed state of an AffinityPolicy.
type AffinityPolicyStatus struct {
	// Conditions summarizes the conditions of all targets, for use with kubectl wait. Only conditions of the latest
	// generation are included.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Targets describes each target, in the order of spec.targetRefs. Each installation of Limpet that serves a
	// target has its own entry and does not change the entries of others.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Targets []TargetStatus `json:"targets,omitempty"`
}

// TargetStatus describes the observed state of the policy for one target.
type TargetStatus struct {
	// TargetRef is the target.
	//
	// +required
	TargetRef TargetRef `json:"targetRef"`
	// ControllerName is the installation that wrote this entry: "limpet.dev/" followed by the namespace and name of
	// its lease.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=340
	ControllerName string `json:"controllerName,omitempty"`
	// Conditions contains Accepted, ResolvedRefs, Conflicted, Impaired and Programmed.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Effective is the configuration in use. It is unset if the policy is not applied to this target.
	//
	// +optional
	Effective *EffectiveSettings `json:"effective,omitempty"`
}

// EffectiveSettings describes the configuration in use for one target, with all defaults filled in.
type EffectiveSettings struct {
	// Backends lists the backends of the target that the policy applies to, at most 64.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Backends []EffectiveBackend `json:"backends,omitempty"`
	// AbsoluteTimeout is spec.absoluteTimeout, or 0s if sessions have no maximum lifetime.
	//
	// +optional
	AbsoluteTimeout Duration `json:"absoluteTimeout,omitempty"`
	// IdleTimeout is spec.idleTimeout, or 0s if idle sessions do not end.
	//
	// +optional
	IdleTimeout Duration `json:"idleTimeout,omitempty"`
	// Pick is spec.newSession.pick.
	//
	// +optional
	Pick Pick `json:"pick,omitempty"`
	// KeepSessions is spec.drain.keepSessions.
	//
	// +optional
	KeepSessions bool `json:"keepSessions,omitempty"`
	// Unavailable is spec.unavailable.action.
	//
	// +optional
	Unavailable UnavailableAction `json:"unavailable,omitempty"`
	// Identity is spec.identity.
	//
	// +optional
	Identity Identity `json:"identity,omitempty"`
}

// EffectiveBackend describes a backend that a policy applies to.
type EffectiveBackend struct {
	// Backend is the Service port, as "namespace/service:port".
	//
	// +required
	// +kubebuilder:validation:MaxLength=256
	Backend string `json:"backend"`
	// Methods lists the methods in use: source, binding, and the name that is read, including generated names.
	// Examples: "Cookie/Issued limpet-0a1b2c3d", "Header/Hashed X-Session-Id", "SourceIP/Hashed /32 /64".
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=512
	Methods []string `json:"methods,omitempty"`
}
