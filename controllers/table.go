package controllers

import (
	"context"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/publish"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// Publisher makes changes live. It is implemented by *publish.Publisher.
type Publisher interface {
	Apply(changes []translate.Change, newest publish.EndpointSource, since time.Time) *translate.Update
	Endpoints(namespace, service string, newest publish.EndpointSource, since time.Time)
}

// singleton is the key of controllers that reconcile a single thing, such as the table.
type singleton struct{}

// coalesce is the delay between the first of several changes and the build. Further changes do not extend it.
const coalesce = 30 * time.Millisecond

// tableReconciler passes changed objects other than EndpointSlices and pods to the Publisher. It runs in every replica.
type tableReconciler struct {
	publisher Publisher
	newest    publish.EndpointSource
	// synced makes the table wait for the first lists of pods and EndpointSlices.
	synced synced[singleton]
	// ready reports whether the affinity keys are loaded. No table is published before that.
	ready  func() bool
	status statusQueue
	log    logr.Logger
	// publishService is the Service whose addresses are written to the status of Ingresses.
	publishService types.NamespacedName

	rebuild   trigger // enqueues another build
	pending   pendingChanges
	changedAt eventTimes[singleton]
}

// statusQueue is the part of the status writer that the table uses.
type statusQueue interface {
	// deliver passes the Reports that changed.
	deliver(*translate.Update)
	// enqueue writes the status of an object again, if it has a Report.
	enqueue(model.Ref)
	// enqueueKind does so for all objects of a kind.
	enqueueKind(string)
}

// record records the new state of an object, nil if it was deleted.
func (t *tableReconciler) record(ref model.Ref, object client.Object) {
	t.pending.put(ref, object)
	isPublishService := t.publishService == types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}
	if ref.Kind == model.KindService && isPublishService {
		t.status.enqueueKind(model.KindIngress) // its addresses may have changed
	}
}

// podChanged records a pod whose drain annotation is or was invalid, nil if it was deleted, and enqueues a build.
func (t *tableReconciler) podChanged(ref model.Ref, pod *metav1.PartialObjectMetadata) {
	if pod == nil {
		t.record(ref, nil)
	} else {
		t.record(ref, pod)
	}
	t.status.enqueue(ref)
	t.changedAt.record(singleton{})
	t.rebuild.fire()
}

// changed enqueues a build.
func (t *tableReconciler) changed(queue workqueue.TypedRateLimitingInterface[singleton]) {
	t.changedAt.record(singleton{})
	queue.AddAfter(singleton{}, coalesce)
}

// Reconcile applies the changes since the last call.
func (t *tableReconciler) Reconcile(context.Context, singleton) (reconcile.Result, error) {
	if !t.ready() {
		t.log.Info("Waiting for the affinity keys")
		return reconcile.Result{}, nil // loading the keys enqueues the table
	}
	since := t.changedAt.take(singleton{})
	update := t.publisher.Apply(t.pending.begin(), t.newest, since)
	t.pending.end(update.Referenced)
	t.status.deliver(update)
	return reconcile.Result{RequeueAfter: requeueAfter(update.Next)}, nil
}

// requeueAfter returns the time until the next problem appears without an event, such as an expiring certificate.
// It returns 0 if no problem is expected. The maximum is one day, because a certificate may be valid for longer than the
// maximum time.Duration.
func requeueAfter(next time.Time) time.Duration {
	if next.IsZero() {
		return 0
	}
	return min(max(time.Until(next), time.Second), 24*time.Hour)
}

// endpointsChanged enqueues a build if the endpoints of the Service, or the metadata of their pods, may change the
// Reports. If the model stays equal, no new table is published.
func (t *tableReconciler) endpointsChanged(service types.NamespacedName) {
	if t.pending.putEndpoints(model.Ref{Kind: translate.KindEndpoints, Namespace: service.Namespace, Name: service.Name}) {
		t.rebuild.fire()
	}
}
