package controllers

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/rest"
)

// Options say how Limpet sits in its cluster. Zero values are defaults, except where a field is required.
type Options struct {
	// Config is how to reach the API server. Required. It is copied.
	Config *rest.Config
	// Log gets what the controllers and the client libraries have to say.
	Log logr.Logger
	// Namespace is where Limpet itself runs: its lease and its key Secret are there. Required.
	Namespace string
	// Identity tells the replicas apart in the lease. Empty: the host name, which is the pod's, and a random part.
	Identity string
	// LeaseName is the name of the lease that the leader holds. Empty: "limpet-leader".
	LeaseName string
	// LeaseDuration is how long after the leader's last sign of life another replica takes over. 0: 15 s.
	LeaseDuration time.Duration
	// KeySecret names the Secret with the affinity keys, in Namespace. Empty: the keys come from somewhere else, and
	// are in place before Run is called.
	KeySecret string
	// KeyRotation is how long a key seals new tokens before the leader adds the next one. 0: never replaced.
	KeyRotation time.Duration
	// KeySettle is how long a new key is known to all replicas before it seals. 0: 10 min.
	KeySettle time.Duration
	// SecretNamespaces are those whose Secrets are read, beside Namespace. Nil: all. Elsewhere there are none, as far as
	// Limpet can tell.
	SecretNamespaces []string
	// PublishService is the Service whose address is written into the status of Ingresses. Empty: none.
	PublishService types.NamespacedName
	// PublishAddresses are IP addresses and host names that are written there instead.
	PublishAddresses []string
}

// DefaultKeySecret and DefaultKeyRotation are what `limpet run` sets Options to when no flag says otherwise.
const (
	DefaultKeySecret   = "limpet-affinity-keys"
	DefaultKeyRotation = 30 * 24 * time.Hour
)

const (
	defaultLeaseName     = "limpet-leader"
	defaultLeaseDuration = 15 * time.Second
	defaultKeySettle     = 10 * time.Minute
	minKeyRotation       = time.Hour
)

// Validate returns one error for each field that has a wrong value.
func (o *Options) Validate() error {
	var errs []error
	if o.Config == nil {
		errs = append(errs, errors.New("config: required"))
	}
	if problems := validation.IsDNS1123Label(o.Namespace); len(problems) > 0 {
		errs = append(errs, fmt.Errorf("namespace %q: %s", o.Namespace, problems[0]))
	}
	for _, namespace := range o.SecretNamespaces {
		if problems := validation.IsDNS1123Label(namespace); len(problems) > 0 {
			errs = append(errs, fmt.Errorf("secret namespace %q: %s", namespace, problems[0]))
		}
	}
	if o.KeyRotation != 0 && o.KeyRotation < minKeyRotation {
		errs = append(errs, fmt.Errorf("key rotation %v: must be 0 or at least %v", o.KeyRotation, minKeyRotation))
	}
	if o.PublishService.Name != "" && len(o.PublishAddresses) > 0 {
		errs = append(errs, errors.New("publish service and publish address: only one of them may be set"))
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
		return fmt.Errorf("publish address %q: must be an IP address or a host name: %s", address, problems[0])
	}
	return nil
}

// withDefaults gives a copy in which every zero value that has a default is set to it.
func (o Options) withDefaults() Options {
	o.LeaseName = cmp.Or(o.LeaseName, defaultLeaseName)
	o.LeaseDuration = cmp.Or(o.LeaseDuration, defaultLeaseDuration)
	o.KeySettle = cmp.Or(o.KeySettle, defaultKeySettle)
	o.Config = rest.CopyConfig(o.Config)
	if o.Config.QPS == 0 { // client-go's 5 a second would take minutes for the status of a few hundred Ingresses
		o.Config.QPS, o.Config.Burst = 50, 100
	}
	return o
}

func (o *Options) keySecret() types.NamespacedName {
	return types.NamespacedName{Namespace: o.Namespace, Name: o.KeySecret}
}
