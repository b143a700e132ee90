package controllers

import (
	"context"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/limpet-dev/limpet/pkg/publish"
)

// endpointReconciler implements the fast path. When an EndpointSlice or one of its pods changes, it publishes the
// endpoints of the Service without building a table. It runs in every replica and may reconcile different Services
// concurrently.
type endpointReconciler struct {
	publisher Publisher
	newest    publish.EndpointSource
	// slicesOf returns the EndpointSlices that reference a pod.
	slicesOf func(namespace, pod string) []*discoveryv1.EndpointSlice
	// onPublished is called after the endpoints of a Service were published.
	onPublished func(service types.NamespacedName)
	changedAt   eventTimes[types.NamespacedName]
}

// changed enqueues the Service that owns the slice.
func (e *endpointReconciler) changed(queue serviceQueue, slice *discoveryv1.EndpointSlice) {
	service := slice.Labels[discoveryv1.LabelServiceName]
	if service == "" {
		return // created by hand, not for a Service
	}
	key := types.NamespacedName{Namespace: slice.Namespace, Name: service}
	e.changedAt.record(key)
	queue.Add(key)
}

// podChanged enqueues the Services that select the pod.
func (e *endpointReconciler) podChanged(queue serviceQueue, pod *metav1.PartialObjectMetadata) {
	for _, slice := range e.slicesOf(pod.Namespace, pod.Name) {
		e.changed(queue, slice)
	}
}

// Reconcile publishes the endpoints of one Service.
func (e *endpointReconciler) Reconcile(_ context.Context, service types.NamespacedName) (reconcile.Result, error) {
	e.publisher.Endpoints(service.Namespace, service.Name, e.newest, e.changedAt.take(service))
	e.onPublished(service)
	return reconcile.Result{}, nil
}
