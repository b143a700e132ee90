package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/affinity"
)

// Run watches the cluster and keeps what is served, and what the cluster is told about it, up to date. It returns when
// the context ends, or with an error where it could not start. An API server that goes away later stops nothing: what
// was published goes on being served.
func Run(ctx context.Context, o Options, publisher Publisher, keys *affinity.Keys) error {
	if err := o.Validate(); err != nil {
		return fmt.Errorf("controllers: %w", err)
	}
	o = o.withDefaults()
	mgr, err := newManager(&o)
	if err != nil {
		return fmt.Errorf("controllers: %w", err)
	}
	if err := indexByService(ctx, mgr.GetCache()); err != nil {
		return fmt.Errorf("controllers: indexing EndpointSlices: %w", err)
	}
	if err := wire(ctx, mgr, &o, publisher, keys); err != nil {
		return fmt.Errorf("controllers: %w", err)
	}
	return mgr.Start(ctx)
}

// newManager makes a manager that serves nothing itself and elects no leader: pkg/admin and leader do.
func newManager(o *Options) (ctrl.Manager, error) {
	scheme := runtime.NewScheme()
	utilruntime.Must(clientgoscheme.AddToScheme(scheme))
	utilruntime.Must(v1alpha1.AddToScheme(scheme))
	return ctrl.NewManager(o.Config, ctrl.Options{
		Scheme:                 scheme,
		Logger:                 o.Log,
		Metrics:                server.Options{BindAddress: "0"},
		HealthProbeBindAddress: "0",
		Cache: cache.Options{
			DefaultTransform: cache.TransformStripManagedFields(),
			ByObject: map[client.Object]cache.ByObject{
				&corev1.Secret{}: {Field: usefulSecrets, Transform: stripSecrets(o.keySecret())},
			},
		},
	})
}

// wire makes the controllers and hands each what it needs.
func wire(ctx context.Context, mgr ctrl.Manager, o *Options, publisher Publisher, keys *affinity.Keys) error {
	status := &statusWriter{
		client:    mgr.GetClient(),
		addresses: &addresses{reader: mgr.GetClient(), service: o.PublishService, fixed: o.PublishAddresses},
		log:       o.Log.WithName("status"),
	}
	slices := cachedSlices(ctx, mgr.GetClient(), o.Log)
	table := &table{
		reader: mgr.GetClient(), publisher: publisher, slices: slices,
		ready:   func() bool { return keys.Load() != nil },
		deliver: status.deliver,
		log:     o.Log.WithName("table"), publishService: o.PublishService,
	}
	secret := &keySecret{
		client: mgr.GetClient(), name: o.keySecret(), keys: keys,
		rotation: rotation{every: o.KeyRotation, settle: o.KeySettle},
		stored:   table.again.fire,
		log:      o.Log.WithName("keys"),
	}
	elected, err := newLeader(o, status.run, func(context.Context) { secret.trigger.fire() })
	if err != nil {
		return err
	}
	secret.leading = elected.leading.Load
	status.events = &events{client: mgr.GetClient(), scheme: mgr.GetScheme(), instance: elected.config.Lock.Identity()}
	if err := mgr.Add(elected); err != nil {
		return err
	}
	if o.KeySecret != "" {
		sources := []source.TypedSource[whole]{&secret.trigger, secretSource(mgr.GetCache(), secret.name)}
		if err := add(mgr, "keys", secret, 1, sources); err != nil {
			return err
		}
	}
	if err := add(mgr, "table", table, 1, tableSources(mgr.GetCache(), table)); err != nil {
		return err
	}
	fast := &endpoints{publisher: publisher, slices: slices}
	return add(mgr, "endpoints", fast, 2, endpointSources(mgr.GetCache(), fast))
}

// add starts a controller with the manager, in every replica.
func add[K comparable](
	mgr ctrl.Manager, name string, r reconcile.TypedReconciler[K], workers int, sources []source.TypedSource[K],
) error {
	everywhere, unchecked := false, true
	c, err := controller.NewTyped(name, mgr, controller.TypedOptions[K]{
		Reconciler:              r,
		MaxConcurrentReconciles: workers,
		NeedLeaderElection:      &everywhere,
		SkipNameValidation:      &unchecked, // names need only be unique in one process's metrics, which are not served
	})
	if err != nil {
		return fmt.Errorf("controller %s: %w", name, err)
	}
	for _, s := range sources {
		if err := c.Watch(s); err != nil {
			return fmt.Errorf("controller %s: %w", name, err)
		}
	}
	return nil
}

func (o *Options) keySecret() types.NamespacedName {
	return types.NamespacedName{Namespace: o.Namespace, Name: o.KeySecret}
}

// usefulSecrets leaves out, at the API server, the types that hold neither certificates nor keys of ours. Clusters have
// thousands of them, some of a megabyte.
var usefulSecrets = fields.ParseSelectorOrDie("type!=helm.sh/release.v1" +
	",type!=" + string(corev1.SecretTypeServiceAccountToken) +
	",type!=" + string(corev1.SecretTypeDockerConfigJson) +
	",type!=" + string(corev1.SecretTypeDockercfg) +
	",type!=" + string(corev1.SecretTypeBootstrapToken))

// stripSecrets drops what Limpet has no use for before it is kept in memory: all but certificates and their keys, and
// the key Secret.
func stripSecrets(keep types.NamespacedName) func(any) (any, error) {
	return func(object any) (any, error) {
		secret, ok := object.(*corev1.Secret)
		if !ok {
			return object, nil // a tombstone
		}
		secret.ManagedFields = nil
		if secret.Namespace == keep.Namespace && secret.Name == keep.Name {
			return secret, nil
		}
		for name := range secret.Data {
			if name != corev1.TLSCertKey && name != corev1.TLSPrivateKeyKey {
				delete(secret.Data, name)
			}
		}
		return secret, nil
	}
}
