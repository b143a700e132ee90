package controllers

import (
	"context"
	"fmt"
	"sync"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// statusWriter tells the authors of objects what became of them: conditions on AffinityPolicies, the address on
// Ingresses, Events on both and on the Secret of the default certificate. Every replica delivers Reports to it; it writes
// only while it runs, which the leader sees to. Safe for concurrent use.
type statusWriter struct {
	client    client.Client // reads from the cache
	name      string        // of this installation, in status
	addresses *addresses
	events    *events
	log       logr.Logger

	mu      sync.Mutex
	reports map[model.Ref]*translate.Report
	queue   workqueue.TypedRateLimitingInterface[model.Ref] // nil between terms
}

// deliver takes the Reports of a table that is being served. They replace all earlier ones.
func (w *statusWriter) deliver(reports []translate.Report) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reports = make(map[model.Ref]*translate.Report, len(reports))
	for i := range reports {
		w.reports[reports[i].Ref] = &reports[i]
	}
	w.enqueueAll()
}

func (w *statusWriter) enqueueAll() {
	if w.queue == nil {
		return
	}
	for ref := range w.reports {
		w.queue.Add(ref)
	}
}

func (w *statusWriter) report(ref model.Ref) *translate.Report {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.reports[ref]
}

// run is one term: it writes what there is to say about all objects, and then what changes, until the context ends.
// Events are said once more by a new leader, since nobody tells it what the last one has said.
func (w *statusWriter) run(ctx context.Context) {
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[model.Ref]())
	w.events.forgetAll()
	w.mu.Lock()
	w.queue = queue
	w.enqueueAll()
	w.mu.Unlock()

	stop := context.AfterFunc(ctx, queue.ShutDown)
	defer stop()
	for w.next(ctx, queue) {
	}
	w.mu.Lock()
	w.queue = nil
	w.mu.Unlock()
}

// next writes the status of one object, and has it tried again later where that fails.
func (w *statusWriter) next(ctx context.Context, queue workqueue.TypedRateLimitingInterface[model.Ref]) bool {
	ref, shutdown := queue.Get()
	if shutdown {
		return false
	}
	defer queue.Done(ref)
	err := w.write(ctx, ref)
	switch {
	case err == nil:
		queue.Forget(ref)
	case ctx.Err() != nil: // the term is over
	case apierrors.IsConflict(err): // the cache is behind; not worth a line in the log
		queue.AddRateLimited(ref)
	default:
		w.log.Error(err, "Status not written", "object", ref.String())
		queue.AddRateLimited(ref)
	}
	return true
}

func (w *statusWriter) write(ctx context.Context, ref model.Ref) error {
	report := w.report(ref)
	if report == nil {
		w.events.forget(ref)
		return nil
	}
	object, err := w.writeStatus(ctx, report)
	if apierrors.IsNotFound(err) {
		return nil // gone since
	}
	if err != nil {
		return fmt.Errorf("writing the status of %s: %w", ref, err)
	}
	return w.events.tell(ctx, object, report)
}

// writeStatus also gives the object as it is in the cache.
func (w *statusWriter) writeStatus(ctx context.Context, report *translate.Report) (client.Object, error) {
	key := types.NamespacedName{Namespace: report.Ref.Namespace, Name: report.Ref.Name}
	switch report.Ref.Kind {
	case v1alpha1.Kind:
		policy := &v1alpha1.AffinityPolicy{}
		if err := w.client.Get(ctx, key, policy); err != nil {
			return nil, err
		}
		return policy, w.writePolicy(ctx, policy, report)
	case "Ingress":
		ingress := &networkingv1.Ingress{}
		if err := w.client.Get(ctx, key, ingress); err != nil {
			return nil, err
		}
		return ingress, w.writeIngress(ctx, ingress)
	case "Secret": // of the default certificate
		secret := &corev1.Secret{}
		return secret, w.client.Get(ctx, key, secret)
	}
	return nil, fmt.Errorf("a report on a kind that has no status here: %s", report.Ref.Kind)
}

// writePolicy writes the conditions of a policy. A Report on another generation says nothing about this one: the table
// that is built from it brings another.
func (w *statusWriter) writePolicy(
	ctx context.Context, policy *v1alpha1.AffinityPolicy, report *translate.Report,
) error {
	if policy.Generation != report.Generation {
		return nil
	}
	status := policyStatus(report, policy, w.name)
	if equalStatus(&policy.Status, status) {
		return nil
	}
	patch := client.MergeFromWithOptions(policy.DeepCopy(), client.MergeFromWithOptimisticLock{})
	policy.Status = *status
	return w.client.Status().Patch(ctx, policy, patch)
}

// writeIngress writes the address that Limpet can be reached at. While there is none, or none yet, what was written
// before stays: clients that find us by it are better served by an old address than by none.
func (w *statusWriter) writeIngress(ctx context.Context, ingress *networkingv1.Ingress) error {
	want, err := w.addresses.current(ctx)
	if err != nil || len(want) == 0 || equalAddresses(ingress.Status.LoadBalancer.Ingress, want) {
		return err
	}
	patch := client.MergeFromWithOptions(ingress.DeepCopy(), client.MergeFromWithOptimisticLock{})
	ingress.Status.LoadBalancer.Ingress = want
	return w.client.Status().Patch(ctx, ingress, patch)
}
