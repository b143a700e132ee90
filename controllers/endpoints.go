package controllers

import (
	"context"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/limpet-dev/limpet/pkg/publish"
)

// endpoints is the fast path: when an EndpointSlice or one of its pods has changed, the pools of its Service get their
// endpoints at once. It runs in every replica; different Services may be reconciled at the same time.
type endpoints struct {
	publisher Publisher
	newest    publish.Newest
	// slicesOf gives the EndpointSlices that name a pod.
	slicesOf func(namespace, pod string) []*discoveryv1.EndpointSlice
	// told hears of each Service whose endpoints were made live.
	told func(service types.NamespacedName)
	seen seen[types.NamespacedName]
}

// changed enqueues the Service that a slice belongs to.
func (e *endpoints) changed(queue serviceQueue, slice *discoveryv1.EndpointSlice) {
	service := slice.Labels[discoveryv1.LabelServiceName]
	if service == "" {
		return // made by hand for something else than a Service
	}
	key := types.NamespacedName{Namespace: slice.Namespace, Name: service}
	e.seen.mark(key)
	queue.Add(key)
}

// podChanged enqueues the Services that a pod is behind.
func (e *endpoints) podChanged(queue serviceQueue, pod *metav1.PartialObjectMetadata) {
	for _, slice := range e.slicesOf(pod.Namespace, pod.Name) {
		e.changed(queue, slice)
	}
}

// Reconcile makes the endpoints of one Service live.
func (e *endpoints) Reconcile(_ context.Context, service types.NamespacedName) (reconcile.Result, error) {
	e.publisher.Endpoints(service.Namespace, service.Name, e.newest, e.seen.take(service))
	e.told(service)
	return reconcile.Result{}, nil
}
