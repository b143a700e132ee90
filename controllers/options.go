package controllers

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/limpet-dev/limpet/config/crd"
)

// Options configures Run. Unless a field is required, its zero value selects the default.
type Options struct {
	// Config is the client configuration for the API server. Required. Run uses a copy.
	Config *rest.Config
	// Log receives the messages of the controllers and of the client libraries.
	Log logr.Logger
	// Namespace is the namespace of Limpet itself, which has the lease and the key Secret. Required.
	Namespace string
	// Leading is true while this replica is the leader. Nil is allowed.
	Leading *atomic.Bool
	// Shadow writes no status, no Events and no lease. What the leader would write is logged by each replica. The key Secret
	// is created if it is missing, and its keys are not rotated.
	Shadow bool
	// Identity identifies this replica in the lease. The default is the host name with a random suffix.
	Identity string
	// LeaseName is the name of the Lease for leader election. The default is "limpet-leader".
	LeaseName string
	// LeaseDuration is how long a lease is valid after its last renewal. Then another replica may acquire it. The
	// default is 15 seconds.
	LeaseDuration time.Duration
	// KeySecret is the name of the Secret with the affinity keys, in Namespace. If empty, the keys come from
	// elsewhere, and the caller must load them before it calls Run.
	KeySecret string
	// KeyRotation is how long a key seals new tokens before the leader replaces it. Zero disables rotation.
	KeyRotation time.Duration
	// KeyPropagationDelay is the time between adding a key and sealing with it. All replicas must load the key
	// within this time. The default is 10 minutes.
	KeyPropagationDelay time.Duration
	// SecretNamespaces are the namespaces whose Secrets are read, in addition to Namespace. If nil, all Secrets are
	// read. Secrets in other namespaces count as missing.
	SecretNamespaces []string
	// WatchNamespaces are the namespaces whose Ingresses are served. If nil, all are. Otherwise only objects of these namespaces
	// and of Namespace are read: no IngressClasses and namespaces, which are not in a namespace.
	WatchNamespaces []string
	// NginxConfigMap is the ConfigMap of ingress-nginx, which is read whole. The zero value reads none.
	NginxConfigMap types.NamespacedName
	// PublishService is the Service whose addresses are written to the status of Ingresses. The zero value writes
	// none.
	PublishService types.NamespacedName
	// PublishAddresses are IP addresses and host names to write to the status of Ingresses. It must be empty if
	// PublishService is set.
	PublishAddresses []string
	// KubeAPIQPS is the maximum rate of requests to the API server, per second. The requests for the lease do not count.
	// The default is DefaultKubeAPIQPS.
	KubeAPIQPS int
	// KubeAPIBurst is the number of requests that may exceed KubeAPIQPS for a moment. The default is DefaultKubeAPIBurst.
	KubeAPIBurst int
	// PodSessions counts the sessions of pods over all replicas. If it is set, the leader writes the number into the annotation
	// controller.kubernetes.io/pod-deletion-cost of the pods, which needs the permission to patch pods. Nil writes none.
	PodSessions func(context.Context) ([]PodSessions, error)
	// deletionCostEvery is the time between two writes of PodSessions. The default is a minute.
	deletionCostEvery time.Duration
	// MissingFields receives the fields of AffinityPolicy that the installed CustomResourceDefinition does not have, when Run
	// starts and every ten minutes. Nil is allowed.
	MissingFields func(fields []string)
	// definition is the CustomResourceDefinition of this version in YAML, and fieldCheckEvery the time between two checks.
	definition      []byte
	fieldCheckEvery time.Duration
	// StatusWorkers is the number of objects whose status the leader writes concurrently. The default is DefaultStatusWorkers.
	StatusWorkers int
}

// Defaults of the flags of `limpet run`. With these rates, the first statuses of 10,000 Ingresses take 48 seconds.
const (
	DefaultKeySecret     = "limpet-affinity-keys"
	DefaultKeyRotation   = 30 * 24 * time.Hour
	DefaultKubeAPIQPS    = 200
	DefaultKubeAPIBurst  = 400
	DefaultStatusWorkers = 8
)

const (
	defaultLeaseName           = "limpet-leader"
	defaultLeaseDuration       = 15 * time.Second
	defaultKeyPropagationDelay = 10 * time.Minute
	minKeyRotation             = time.Hour
)

// Validate returns an error that joins one error for each invalid field, or nil.
func (o *Options) Validate() error {
	var errs []error
	if o.Config == nil {
		errs = append(errs, errors.New("controllers: Config is required"))
	}
	if problems := validation.IsDNS1123Label(o.Namespace); len(problems) > 0 {
		errs = append(errs, fmt.Errorf("invalid value %q for --namespace: must be the namespace of Limpet (default $POD_NAMESPACE): %s",
			o.Namespace, problems[0]))
	}
	for _, list := range []struct {
		flag       string
		namespaces []string
	}{{"--secret-namespaces", o.SecretNamespaces}, {"--watch-namespace", o.WatchNamespaces}} {
		for _, namespace := range list.namespaces {
			if problems := validation.IsDNS1123Label(namespace); len(problems) > 0 {
				errs = append(errs, fmt.Errorf("invalid value %q in %s: %s", namespace, list.flag, problems[0]))
			}
		}
	}
	if o.KeyRotation != 0 && o.KeyRotation < minKeyRotation {
		errs = append(errs, fmt.Errorf("invalid value %q for --key-rotation: must be 0 or at least %v", o.KeyRotation, minKeyRotation))
	}
	if o.PodSessions != nil && o.Shadow {
		errs = append(errs, errors.New("--pod-deletion-cost and --shadow exclude each other: with --shadow, Limpet writes nothing"))
	}
	if o.PodSessions != nil && o.PublishService.Name == "" {
		errs = append(errs, errors.New("--pod-deletion-cost needs --publish-service, to count the sessions of all replicas"))
	}
	if o.PublishService.Name != "" && len(o.PublishAddresses) > 0 {
		errs = append(errs, errors.New("--publish-service and --publish-address exclude each other: set only one"))
	}
	for _, address := range o.PublishAddresses {
		errs = append(errs, validateAddress(address))
	}
	return errors.Join(errs...)
}

func validateAddress(address string) error {
	if _, err := netip.ParseAddr(address); err == nil {
		return nil
	}
	if problems := validation.IsDNS1123Subdomain(address); len(problems) > 0 {
		return fmt.Errorf("invalid value %q for --publish-address: must be an IP address or a host name: %s", address, problems[0])
	}
	return nil
}

// withDefaults returns a copy of o in which zero values are replaced by their defaults.
func (o Options) withDefaults() Options {
	o.LeaseName = cmp.Or(o.LeaseName, defaultLeaseName)
	o.LeaseDuration = cmp.Or(o.LeaseDuration, defaultLeaseDuration)
	o.KeyPropagationDelay = cmp.Or(o.KeyPropagationDelay, defaultKeyPropagationDelay)
	o.deletionCostEvery = cmp.Or(o.deletionCostEvery, defaultDeletionCostEvery)
	o.StatusWorkers = cmp.Or(o.StatusWorkers, DefaultStatusWorkers)
	o.fieldCheckEvery = cmp.Or(o.fieldCheckEvery, defaultFieldCheckEvery)
	if o.definition == nil {
		o.definition = crd.AffinityPolicy
	}
	if o.MissingFields == nil {
		o.MissingFields = func([]string) {}
	}
	qps, burst := cmp.Or(o.KubeAPIQPS, DefaultKubeAPIQPS), cmp.Or(o.KubeAPIBurst, DefaultKubeAPIBurst)
	o.Config = rest.CopyConfig(o.Config)
	// controller-runtime creates a client for each kind. They share one limiter, so that the limit applies to their sum.
	o.Config.RateLimiter = flowcontrol.NewTokenBucketRateLimiter(float32(qps), burst)
	return o
}

// leaseConfig returns the client configuration for the lease. It has no limiter: a renewal that waits for statuses could come
// too late. Leader election sends a few requests in each lease duration.
func (o *Options) leaseConfig() *rest.Config {
	config := rest.CopyConfig(o.Config)
	config.RateLimiter, config.QPS = nil, -1
	return config
}

// Watches reports whether objects of a namespace are read.
func (o *Options) Watches(namespace string) bool {
	return o.WatchNamespaces == nil || namespace == o.Namespace || slices.Contains(o.WatchNamespaces, namespace)
}

func (o *Options) keySecret() types.NamespacedName {
	return types.NamespacedName{Namespace: o.Namespace, Name: o.KeySecret}
}
