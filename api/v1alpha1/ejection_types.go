package v1alpha1

// Ejection configures when requests avoid a pod that fails them, although it is ready.
//
// +kubebuilder:validation:XValidation:rule="duration(self.maxBackoff) >= duration(self.backoff)",message="maxBackoff must be at least backoff"
type Ejection struct {
	// Failures is the number of consecutive failures after which a pod is ejected. Failed connection attempts always
	// count. 0 means that no pod is ejected.
	//
	// +optional
	// +kubebuilder:default=5
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	Failures *int32 `json:"failures,omitempty"`
	// Events lists further events that count as failures. Reset: the connection ends before a response. Timeout: the
	// response is late. Clients may be able to cause both.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=2
	Events []EjectionEvent `json:"events,omitempty"`
	// Statuses lists status codes of responses that count as failures: 500, 502, 503 or 504. Clients may be able to
	// cause them.
	//
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=4
	// +kubebuilder:validation:items:Enum=500;502;503;504
	Statuses []int32 `json:"statuses,omitempty"`
	// Backoff is the time after which one request probes an ejected pod. It doubles with each ejection in a row, and
	// up to a quarter is added at random.
	//
	// +optional
	// +kubebuilder:default="10s"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('1h')",message="backoff must be from 1s to 1h"
	Backoff Duration `json:"backoff,omitempty"`
	// MaxBackoff is the longest time.
	//
	// +optional
	// +kubebuilder:default="5m"
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('24h')",message="maxBackoff must be from 1s to 24h"
	MaxBackoff Duration `json:"maxBackoff,omitempty"`
	// MaxPercent is the maximum share of the ready pods that may be ejected at the same time. At least one pod always
	// stays.
	//
	// +optional
	// +kubebuilder:default=50
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	MaxPercent int32 `json:"maxPercent,omitempty"`
}

// EjectionEvent is an event that counts as a failure of a pod.
//
// +kubebuilder:validation:Enum=Reset;Timeout
type EjectionEvent string

// The values of EjectionEvent.
const (
	EjectOnReset   EjectionEvent = "Reset"
	EjectOnTimeout EjectionEvent = "Timeout"
)
