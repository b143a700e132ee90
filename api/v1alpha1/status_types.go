package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// AffinityPolicyStatus is what Limpet made of a policy.
type AffinityPolicyStatus struct {
	// Conditions sum up those of the targets, as far as they are about the newest generation, for kubectl wait: see
	// Summarize.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Targets has entries for spec.targetRefs, in their order: one by each installation of Limpet that the target is for.
	// No installation touches the entries of another.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Targets []TargetStatus `json:"targets,omitempty"`
}

// TargetStatus is what Limpet made of a policy for one of its targets.
type TargetStatus struct {
	// +required
	TargetRef TargetRef `json:"targetRef"`
	// ControllerName is the installation that says so: "limpet.dev/", and the namespace and name of its lease.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=340
	ControllerName string `json:"controllerName,omitempty"`
	// Conditions are Accepted, ResolvedRefs, Conflicted, Impaired and Programmed.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=8
	Conditions []metav1.Condition `json:"conditions,omitempty"`
	// Effective is what is applied. Not set where nothing is.
	//
	// +optional
	Effective *EffectiveSettings `json:"effective,omitempty"`
}

// EffectiveSettings is what a policy comes to at one target, with every default filled in.
type EffectiveSettings struct {
	// Backends are those that the target brings the policy to, at most 64 of them.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Backends []EffectiveBackend `json:"backends,omitempty"`
	// AbsoluteTimeout is 0s where sessions do not end by it.
	//
	// +optional
	AbsoluteTimeout Duration `json:"absoluteTimeout,omitempty"`
	// IdleTimeout is 0s where sessions do not end by it.
	//
	// +optional
	IdleTimeout Duration `json:"idleTimeout,omitempty"`
	// +optional
	Pick Pick `json:"pick,omitempty"`
	// +optional
	KeepSessions bool `json:"keepSessions,omitempty"`
	// +optional
	Unavailable UnavailableAction `json:"unavailable,omitempty"`
	// +optional
	Identity Identity `json:"identity,omitempty"`
}

// EffectiveBackend is one backend that a policy is applied to.
type EffectiveBackend struct {
	// Backend is "namespace/service:port".
	//
	// +required
	// +kubebuilder:validation:MaxLength=256
	Backend string `json:"backend"`
	// Methods are "Cookie/Issued limpet-0a1b2c3d", "Header/Hashed X-Session-Id", "SourceIP/Hashed /32 /64": source,
	// binding, and the name that is read, also where it was generated.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8
	// +kubebuilder:validation:items:MaxLength=512
	Methods []string `json:"methods,omitempty"`
}
