package controllers

import (
	"context"

	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/publish"
	"github.com/limpet-dev/limpet/pkg/translate"
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
	// onUnknownDrain is called when a pod gets or loses a drain annotation with an unknown value. A deleted pod is nil.
	onUnknownDrain func(ref model.Ref, pod *metav1.PartialObjectMetadata)
	changedAt      eventTimes[types.NamespacedName]
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

// podChanged enqueues the Services that select the pod. before is nil for a new pod.
func (e *endpointReconciler) podChanged(queue serviceQueue, before, pod *metav1.PartialObjectMetadata) {
	if translate.HasUnknownDrain(pod.Annotations) || before != nil && translate.HasUnknownDrain(before.Annotations) {
		e.onUnknownDrain(podRef(pod), pod)
	}
	for _, slice := range e.slicesOf(pod.Namespace, pod.Name) {
		e.changed(queue, slice)
	}
}

// podDeleted drops the problem of a drain annotation with an unknown value.
func (e *endpointReconciler) podDeleted(pod *metav1.PartialObjectMetadata) {
	if translate.HasUnknownDrain(pod.Annotations) {
		e.onUnknownDrain(podRef(pod), nil)
	}
}

func podRef(pod *metav1.PartialObjectMetadata) model.Ref {
	return model.Ref{Kind: model.KindPod, Namespace: pod.Namespace, Name: pod.Name}
}

// Reconcile publishes the endpoints of one Service.
func (e *endpointReconciler) Reconcile(_ context.Context, service types.NamespacedName) (reconcile.Result, error) {
	e.publisher.Endpoints(service.Namespace, service.Name, e.newest, e.changedAt.take(service))
	e.onPublished(service)
	return reconcile.Result{}, nil
}
