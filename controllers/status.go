package controllers

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// statusWriter writes what translation found to the API server: conditions of AffinityPolicies, addresses of
// Ingresses, and Events on both and on the objects that flags name, such as the Secret of the default certificate.
//
// Every replica delivers Reports to it. Only the leader calls run, so only the leader writes. With Options.Shadow, every
// replica calls run, and its writer only logs. It is safe for concurrent use.
type statusWriter struct {
	// Immutable after wire.
	reader    client.Reader // the cache
	writer    objectWriter
	pod       translate.Pods
	name      string // controllerName of this installation in status.targets
	addresses *addresses
	events    *events
	workers   int // objects that are written concurrently
	log       logr.Logger

	mu      sync.Mutex // guards the fields below
	reports map[model.Ref]*translate.Report
	queue   workqueue.TypedRateLimitingInterface[model.Ref] // nil while another replica leads
}

// deliver takes over the Reports that changed in the table that is now served, and enqueues their objects.
func (w *statusWriter) deliver(u *translate.Update) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.reports == nil {
		w.reports = map[model.Ref]*translate.Report{}
	}
	for i := range u.Reports {
		w.reports[u.Reports[i].Ref] = &u.Reports[i]
		w.add(u.Reports[i].Ref)
	}
	for _, ref := range u.RemovedReports {
		delete(w.reports, ref)
		w.add(ref)
	}
}

// add enqueues an object if this replica leads. w.mu must be held.
func (w *statusWriter) add(ref model.Ref) {
	if w.queue != nil {
		w.queue.Add(ref)
	}
}

// enqueue enqueues an object if it has a Report: it may have been created again, or changed by others.
func (w *statusWriter) enqueue(ref model.Ref) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.reports[ref] != nil {
		w.add(ref)
	}
}

// enqueueKind enqueues all objects of a kind with a Report. An empty kind means all kinds.
func (w *statusWriter) enqueueKind(kind string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.addKind(kind)
}

// addKind is enqueueKind with w.mu held.
func (w *statusWriter) addKind(kind string) {
	for ref := range w.reports {
		if kind == "" || ref.Kind == kind {
			w.add(ref)
		}
	}
}

// report returns the current Report on an object, or nil.
func (w *statusWriter) report(ref model.Ref) *translate.Report {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.reports[ref]
}

// run writes status and Events until ctx is done. It first writes all objects, then those whose Reports change.
//
// A new leader emits all Events again, because it does not know which ones its predecessor emitted.
func (w *statusWriter) run(ctx context.Context) {
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[model.Ref]())
	w.events.reset()
	w.mu.Lock()
	w.queue = queue
	w.addKind("")
	w.mu.Unlock()

	stop := context.AfterFunc(ctx, queue.ShutDown)
	defer stop()
	var running sync.WaitGroup
	for range w.workers { // the queue never returns an object that another worker writes
		running.Go(func() {
			for w.next(ctx, queue) {
			}
		})
	}
	running.Wait()
	w.mu.Lock()
	w.queue = nil
	w.mu.Unlock()
}

// next writes the status of the next object in the queue and requeues it on an error. It returns false after the
// queue was shut down.
func (w *statusWriter) next(ctx context.Context, queue workqueue.TypedRateLimitingInterface[model.Ref]) bool {
	ref, shutdown := queue.Get()
	if shutdown {
		return false
	}
	defer queue.Done(ref)
	wait, err := w.write(ctx, ref)
	switch {
	case err == nil:
		queue.Forget(ref)
		if wait > 0 {
			queue.AddAfter(ref, wait)
		}
	case ctx.Err() != nil: // the lease was lost
	case apierrors.IsConflict(err): // the cache is outdated; expected, so not logged
		queue.AddRateLimited(ref)
	default:
		w.log.Error(err, "Failed to write status", "object", ref.String())
		queue.AddRateLimited(ref)
	}
	return true
}

// write writes the status and the Events of one object. If Events have to wait, it returns for how long.
func (w *statusWriter) write(ctx context.Context, ref model.Ref) (wait time.Duration, err error) {
	report := w.report(ref)
	if report == nil {
		w.events.forget(ref)
		return 0, nil
	}
	object, err := w.writeStatus(ctx, report)
	if apierrors.IsNotFound(err) {
		return 0, nil // deleted in the meantime
	}
	if err != nil {
		return 0, fmt.Errorf("writing the status of %s: %w", ref, err)
	}
	return w.events.emit(ctx, object, report)
}

// writeStatus writes the status of the object of a Report. It returns the object as it is in the cache.
func (w *statusWriter) writeStatus(ctx context.Context, report *translate.Report) (client.Object, error) {
	key := types.NamespacedName{Namespace: report.Ref.Namespace, Name: report.Ref.Name}
	kind, known := statusKinds[report.Ref.Kind]
	if !known {
		return nil, fmt.Errorf("unexpected kind %q in a report", report.Ref.Kind)
	}
	object, err := kind.read(w, ctx, key)
	if err != nil {
		return nil, err
	}
	return object, kind.write(ctx, w, object, report)
}

// writePolicy patches the status of a policy. It ignores a Report for another generation: the next table has a
// Report for the current one.
func (w *statusWriter) writePolicy(
	ctx context.Context, policy *v1alpha1.AffinityPolicy, report *translate.Report,
) error {
	if policy.Generation != report.Generation {
		return nil
	}
	status := policyStatus(report, policy, w.name)
	if equalPolicyStatus(&policy.Status, status) {
		return nil
	}
	patch := client.MergeFromWithOptions(policy.DeepCopy(), client.MergeFromWithOptimisticLock{})
	policy.Status = *status
	return w.writer.patchStatus(ctx, report.Ref, policy, patch)
}

// writeIngress patches the addresses of an Ingress. While no address is known, the previous addresses stay: an
// outdated address serves clients better than none. An Ingress without a route in effect gets no address, and loses Limpet's
// own. Addresses of others stay.
func (w *statusWriter) writeIngress(ctx context.Context, ingress *networkingv1.Ingress, report *translate.Report) error {
	want, err := w.addresses.current(ctx)
	if err != nil || len(want) == 0 {
		return err
	}
	hasOurs := equalAddresses(ingress.Status.LoadBalancer.Ingress, want)
	if hasOurs == report.HasRoutes {
		return nil
	}
	if !report.HasRoutes {
		want = nil
	}
	patch := client.MergeFromWithOptions(ingress.DeepCopy(), client.MergeFromWithOptimisticLock{})
	ingress.Status.LoadBalancer.Ingress = want
	return w.writer.patchStatus(ctx, report.Ref, ingress, patch)
}
