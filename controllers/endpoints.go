package controllers

import (
	"cmp"
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/publish"
)

// endpointReconciler implements the fast path. When an EndpointSlice or one of its pods changes, it publishes the
// endpoints of the Service without building a table. It runs in every replica and may reconcile different Services
// concurrently.
type endpointReconciler struct {
	publisher Publisher
	newest    publish.EndpointSource
	slices    *sliceIndex
	changed   serviceSource
	// onPublished is called after the endpoints of a Service were published.
	onPublished func(service types.NamespacedName)
	// onUnknownDrain is called when a pod gets or loses a drain annotation with an unknown value. A deleted pod is nil.
	onUnknownDrain func(ref model.Ref, pod *metav1.PartialObjectMetadata)
	changedAt      eventTimes[types.NamespacedName]
}

// enqueue enqueues a Service.
func (e *endpointReconciler) enqueue(service types.NamespacedName) {
	e.changedAt.record(service)
	e.changed.add(service)
}

// sliceChanged enqueues the Services that own the slice, before and after the change. A slice that does not exist is nil.
func (e *endpointReconciler) sliceChanged(before, after *cachedSlice) {
	for _, slice := range []*cachedSlice{before, after} {
		if slice != nil && slice.service != "" {
			e.enqueue(slice.serviceKey())
		}
	}
}

// podChanged enqueues the Services that select the pod. before is nil for a new pod, and pod for a deleted one. A deletion
// publishes no endpoints: a pod counts as gone when its EndpointSlice no longer has it.
func (e *endpointReconciler) podChanged(before, pod *cachedPod) {
	if before.hasUnknownDrain() || pod.hasUnknownDrain() {
		e.onUnknownDrain(cmp.Or(pod, before).ref(), pod.object())
	}
	if pod == nil {
		return
	}
	for _, service := range e.slices.servicesOf(pod.key) {
		e.enqueue(types.NamespacedName{Namespace: pod.key.Namespace, Name: service})
	}
}

// Reconcile publishes the endpoints of one Service.
func (e *endpointReconciler) Reconcile(_ context.Context, service types.NamespacedName) (reconcile.Result, error) {
	e.publisher.Endpoints(service.Namespace, service.Name, e.newest, e.changedAt.take(service))
	e.onPublished(service)
	return reconcile.Result{}, nil
}
