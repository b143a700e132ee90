package controllers

import (
	"context"
	"time"

	"github.com/go-logr/logr"
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
	Publish(w *translate.Snapshot, newest publish.EndpointSource, since time.Time) translate.Result
	Endpoints(namespace, service string, newest publish.EndpointSource, since time.Time)
}

// singleton is the key of controllers that reconcile a single thing, such as the table.
type singleton struct{}

// coalesce is the delay between the first of several changes and the build. Further changes do not extend it.
const coalesce = 30 * time.Millisecond

// tableReconciler builds and publishes the table when an object other than an EndpointSlice or pod has changed. It
// runs in every replica.
type tableReconciler struct {
	reader    client.Reader // the cache
	publisher Publisher
	newest    publish.EndpointSource
	// ready reports whether the affinity keys are loaded. No table is published before that.
	ready func() bool
	// deliver passes the Reports to the status writer.
	deliver func([]translate.Report)
	log     logr.Logger
	// publishService always counts as referenced, because its addresses are written to the status of Ingresses.
	publishService types.NamespacedName

	rebuild    trigger // enqueues another build
	referenced referencedObjects
	changedAt  eventTimes[singleton]
}

// changed enqueues a build.
func (t *tableReconciler) changed(queue workqueue.TypedRateLimitingInterface[singleton]) {
	t.changedAt.record(singleton{})
	queue.AddAfter(singleton{}, coalesce)
}

// Reconcile builds the table from the cache and publishes it.
func (t *tableReconciler) Reconcile(ctx context.Context, _ singleton) (reconcile.Result, error) {
	if !t.ready() {
		t.log.Info("Waiting for the affinity keys")
		return reconcile.Result{}, nil // loading the keys enqueues the table
	}
	since := t.changedAt.take(singleton{})
	t.referenced.beginBuild()
	snapshot, err := listSnapshot(ctx, t.reader)
	if err != nil {
		return reconcile.Result{}, err
	}
	result := t.publisher.Publish(snapshot, t.newest, since)
	if t.referenced.endBuild(t.addPublishService(result.Referenced)) {
		t.rebuild.fire()
	}
	t.deliver(result.Reports)
	return reconcile.Result{RequeueAfter: requeueAfter(result.Next)}, nil
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

// addPublishService adds the publish service to the referenced objects.
func (t *tableReconciler) addPublishService(set map[model.Ref]struct{}) map[model.Ref]struct{} {
	if set == nil {
		set = map[model.Ref]struct{}{}
	}
	if t.publishService.Name != "" {
		set[serviceRef(t.publishService.Namespace, t.publishService.Name)] = struct{}{}
	}
	return set
}

// endpointsChanged enqueues a build if the endpoints of the Service, or the metadata of their pods, may change the
// Reports. If the model stays equal, no new table is published.
func (t *tableReconciler) endpointsChanged(service types.NamespacedName) {
	if t.referenced.contains(model.Ref{Kind: translate.KindEndpoints, Namespace: service.Namespace, Name: service.Name}) {
		t.rebuild.fire()
	}
}

func serviceRef(namespace, name string) model.Ref {
	return model.Ref{Kind: model.KindService, Namespace: namespace, Name: name}
}

func secretRef(namespace, name string) model.Ref {
	return model.Ref{Kind: model.KindSecret, Namespace: namespace, Name: name}
}
