package controllers

import (
	"context"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// Run watches the cluster, publishes what it finds to publisher, loads the affinity keys into keys, and writes
// status and Events while it is the leader.
//
// Run blocks until ctx is done and then returns nil. It returns an error if it cannot start. If the API server
// becomes unreachable later, Run keeps retrying, and the last published state stays in use.
func Run(ctx context.Context, o Options, publisher Publisher, keys *affinity.Keys) error {
	if err := o.Validate(); err != nil {
		return fmt.Errorf("controllers: %w", err)
	}
	o = o.withDefaults()
	mgr, err := newManager(&o)
	if err != nil {
		return fmt.Errorf("controllers: %w", err)
	}
	if err := wire(mgr, &o, publisher, keys); err != nil {
		return fmt.Errorf("controllers: %w", err)
	}
	return mgr.Start(ctx)
}

// wire creates the controllers and connects them to each other.
func wire(mgr ctrl.Manager, o *Options, publisher Publisher, keys *affinity.Keys) error {
	mirrors := newMirrors(len(o.readNamespaces()))
	newest := mirrors.source()
	status := newStatusWriter(mgr, o, newest.Pods)
	table := &tableReconciler{
		publisher: publisher, newest: newest, synced: synced[singleton]{mirrors}, publishService: o.PublishService,
		ready:  func() bool { return keys.Load() != nil },
		status: status,
		log:    o.Log.WithName("table"),
	}
	secret := &keyReconciler{
		client: mgr.GetClient(), name: o.keySecret(), keys: keys, shadow: o.Shadow,
		rotation:    rotation{every: o.KeyRotation, propagationDelay: o.KeyPropagationDelay},
		onFirstKeys: table.rebuild.fire,
		log:         o.Log.WithName("keys"),
	}
	writing, err := newWriting(o, status, secret, newDeletionCosts(mgr, o)...)
	if err != nil {
		return err
	}
	endpoints := &endpointReconciler{
		publisher: publisher, newest: newest, slices: &mirrors.index, onPublished: table.endpointsChanged,
		onUnknownDrain: table.podChanged, changed: serviceSource{synced: synced[types.NamespacedName]{mirrors}},
	}
	check, err := newFieldCheck(mgr.GetConfig(), o)
	if err != nil {
		return err
	}
	mirrors.pods.onChange, mirrors.slices.onChange = endpoints.podChanged, endpoints.sliceChanged
	return errors.Join(
		mgr.Add(writing),
		mgr.Add(check),
		addReflectors(mgr, mirrors, o),
		addKeySecret(mgr, secret),
		add(mgr, "table", table, 1, tableSources(mgr.GetCache(), table, o)),
		add(mgr, "endpoints", endpoints, 2, []source.TypedSource[types.NamespacedName]{&endpoints.changed}),
	)
}

// addReflectors adds the reflectors of pods and EndpointSlices.
func addReflectors(mgr ctrl.Manager, m *mirrors, o *Options) error {
	for _, namespace := range o.readNamespaces() {
		p, err := newPodReflector(mgr.GetConfig(), namespace, m.pods, o.Log.WithName("pods"))
		if err != nil {
			return err
		}
		s, err := newSliceReflector(mgr.GetConfig(), namespace, m.slices, o.Log.WithName("endpointslices"))
		if err != nil {
			return err
		}
		if err := errors.Join(mgr.Add(p), mgr.Add(s)); err != nil {
			return err
		}
	}
	return nil
}

func newStatusWriter(mgr ctrl.Manager, o *Options, pod translate.Pods) *statusWriter {
	w := &statusWriter{
		reader:    mgr.GetClient(),
		pod:       pod,
		writer:    clusterWriter{mgr.GetClient()},
		name:      v1alpha1.GroupVersion.Group + "/" + o.Namespace + "/" + o.LeaseName,
		addresses: &addresses{reader: mgr.GetClient(), service: o.PublishService, fixed: o.PublishAddresses},
		workers:   o.StatusWorkers,
		log:       o.Log.WithName("status"),
	}
	if o.Shadow {
		w.writer = shadowWriter{o.Log.WithName("shadow")}
	}
	w.events = &events{writer: w.writer, scheme: mgr.GetScheme()}
	return w
}

// newDeletionCosts returns the task of the leader that writes deletion costs, if that is enabled.
func newDeletionCosts(mgr ctrl.Manager, o *Options) []func(context.Context) {
	if o.PodSessions == nil {
		return nil
	}
	w := &deletionCostWriter{mgr.GetClient(), o.PodSessions, o.deletionCostEvery, o.Log.WithName("deletioncost")}
	return []func(context.Context){w.run}
}

// newWriting returns what writes to the API server, and connects it to the controllers: the tasks of the leader, or in
// shadow the log of what they would write. more are further tasks of the leader.
func newWriting(
	o *Options, status *statusWriter, secret *keyReconciler, more ...func(context.Context),
) (manager.Runnable, error) {
	if o.Shadow {
		secret.leading = func() bool { return false }
		return manager.RunnableFunc(func(ctx context.Context) error {
			status.run(ctx)
			return nil
		}), nil
	}
	tasks := append([]func(context.Context){status.run, func(context.Context) { secret.trigger.fire() }}, more...)
	elected, err := newLeader(o, tasks...)
	if err != nil {
		return nil, err
	}
	secret.leading = elected.leading.Load
	status.events.instance = elected.config.Lock.Identity()
	return elected, nil
}

// addKeySecret adds the controller of the key Secret, unless the keys come from elsewhere.
func addKeySecret(mgr ctrl.Manager, k *keyReconciler) error {
	if k.name.Name == "" {
		return nil
	}
	return add(mgr, "keys", k, 1, []source.TypedSource[singleton]{&k.trigger, secretSource(mgr.GetCache(), k.name)})
}

// add adds a controller that runs in every replica, whether it leads or not.
func add[K comparable](
	mgr ctrl.Manager, name string, r reconcile.TypedReconciler[K], workers int, sources []source.TypedSource[K],
) error {
	needLeaderElection, skipNameValidation := false, true
	c, err := controller.NewTyped(name, mgr, controller.TypedOptions[K]{
		Reconciler:              r,
		MaxConcurrentReconciles: workers,
		NeedLeaderElection:      &needLeaderElection,
		SkipNameValidation:      &skipNameValidation, // names must be unique only in metrics, which are not served
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
