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

// Publisher makes changes live. *publish.Publisher is one.
type Publisher interface {
	Publish(w *translate.World, newest publish.Newest, since time.Time) translate.Result
	Endpoints(namespace, service string, newest publish.Newest, since time.Time)
}

// whole is the one key of the table's queue.
type whole struct{}

// coalesce is how long the first of several changes waits for the others. Later ones do not prolong it.
const coalesce = 30 * time.Millisecond

// table rebuilds the whole table when anything but endpoints has changed. It runs in every replica.
type table struct {
	reader    client.Reader // the cache
	publisher Publisher
	newest    publish.Newest
	// ready says whether the affinity keys are there: no table before that.
	ready func() bool
	// deliver hands the Reports on.
	deliver func([]translate.Report)
	log     logr.Logger
	// publishService is a Service that counts as referenced: its address goes into the status of Ingresses.
	publishService types.NamespacedName

	again      trigger
	referenced referenced
	seen       seen[whole]
}

// changed enqueues the table: something that it is built from is not as it was.
func (t *table) changed(queue workqueue.TypedRateLimitingInterface[whole]) {
	t.seen.mark(whole{})
	queue.AddAfter(whole{}, coalesce)
}

// Reconcile builds and publishes the table from what the cache holds.
func (t *table) Reconcile(ctx context.Context, _ whole) (reconcile.Result, error) {
	if !t.ready() {
		t.log.Info("Waiting for the affinity keys before the first table is published")
		return reconcile.Result{}, nil // the keys' arrival enqueues the table
	}
	since := t.seen.take(whole{})
	t.referenced.begin()
	world, err := listWorld(ctx, t.reader)
	if err != nil {
		return reconcile.Result{}, err
	}
	result := t.publisher.Publish(world, t.newest, since)
	if t.referenced.end(t.withPublishService(result.Referenced)) {
		t.again.fire()
	}
	t.deliver(result.Reports)
	return reconcile.Result{RequeueAfter: untilNext(result.Next)}, nil
}

// untilNext is how long to wait for what there will be to report then: 0, for nothing, or a day at most, since a
// certificate may be good for longer than a Duration can be.
func untilNext(next time.Time) time.Duration {
	if next.IsZero() {
		return 0
	}
	return min(max(time.Until(next), time.Second), 24*time.Hour)
}

func (t *table) withPublishService(set map[model.Ref]struct{}) map[model.Ref]struct{} {
	if set == nil {
		set = map[model.Ref]struct{}{}
	}
	if t.publishService.Name != "" {
		set[serviceRef(t.publishService.Namespace, t.publishService.Name)] = struct{}{}
	}
	return set
}

// endpointsChanged builds once more where the endpoints of a Service, or what their pods say, may change what there is
// to report. Equal models lead to no new table.
func (t *table) endpointsChanged(service types.NamespacedName) {
	if t.referenced.has(model.Ref{Kind: translate.KindEndpoints, Namespace: service.Namespace, Name: service.Name}) {
		t.again.fire()
	}
}

func serviceRef(namespace, name string) model.Ref {
	return model.Ref{Kind: "Service", Namespace: namespace, Name: name}
}

func secretRef(namespace, name string) model.Ref {
	return model.Ref{Kind: "Secret", Namespace: namespace, Name: name}
}
