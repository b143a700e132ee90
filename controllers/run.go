package controllers

import (
	"context"
	"errors"
	"fmt"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/publish"
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
	if err := indexSlices(ctx, mgr.GetCache()); err != nil {
		return fmt.Errorf("controllers: indexing EndpointSlices: %w", err)
	}
	if err := watchPods(ctx, mgr.GetCache()); err != nil {
		return fmt.Errorf("controllers: watching pods: %w", err)
	}
	if err := wire(ctx, mgr, &o, publisher, keys); err != nil {
		return fmt.Errorf("controllers: %w", err)
	}
	return mgr.Start(ctx)
}

// wire makes the controllers and hands each what it needs.
func wire(ctx context.Context, mgr ctrl.Manager, o *Options, publisher Publisher, keys *affinity.Keys) error {
	status := &statusWriter{
		client:    mgr.GetClient(),
		name:      v1alpha1.GroupVersion.Group + "/" + o.Namespace + "/" + o.LeaseName,
		addresses: &addresses{reader: mgr.GetClient(), service: o.PublishService, fixed: o.PublishAddresses},
		log:       o.Log.WithName("status"),
	}
	cached := newCached(ctx, mgr.GetClient(), o.Log)
	newest := publish.Newest{Slices: cached.slicesOfService, Pods: cached.pod}
	table := &table{
		reader: mgr.GetClient(), publisher: publisher, newest: newest, publishService: o.PublishService,
		ready:   func() bool { return keys.Load() != nil },
		deliver: status.deliver,
		log:     o.Log.WithName("table"),
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
	fast := &endpoints{
		publisher: publisher, newest: newest, slicesOf: cached.slicesOfPod, told: table.endpointsChanged,
	}
	return errors.Join(
		mgr.Add(elected),
		addKeySecret(mgr, secret),
		add(mgr, "table", table, 1, tableSources(mgr.GetCache(), table)),
		add(mgr, "endpoints", fast, 2, endpointSources(mgr.GetCache(), fast)),
	)
}

// addKeySecret does nothing where the keys come from somewhere else.
func addKeySecret(mgr ctrl.Manager, k *keySecret) error {
	if k.name.Name == "" {
		return nil
	}
	return add(mgr, "keys", k, 1, []source.TypedSource[whole]{&k.trigger, secretSource(mgr.GetCache(), k.name)})
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
