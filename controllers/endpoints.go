package controllers

import (
	"cmp"
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
	services  podServices
	pods      podSource
	// onPublished is called after the endpoints of a Service were published.
	onPublished func(service types.NamespacedName)
	// onUnknownDrain is called when a pod gets or loses a drain annotation with an unknown value. A deleted pod is nil.
	onUnknownDrain func(ref model.Ref, pod *metav1.PartialObjectMetadata)
	changedAt      eventTimes[types.NamespacedName]
}

// sliceChanged enqueues the Services that own the slice, before and after the change. A slice that does not exist is nil.
func (e *endpointReconciler) sliceChanged(queue serviceQueue, before, after *discoveryv1.EndpointSlice) {
	e.services.replace(before, after)
	for _, slice := range []*discoveryv1.EndpointSlice{before, after} {
		if slice == nil || serviceOf(slice) == "" {
			continue // created by hand, not for a Service
		}
		key := types.NamespacedName{Namespace: slice.Namespace, Name: serviceOf(slice)}
		e.changedAt.record(key)
		queue.Add(key)
	}
}

// podChanged enqueues the Services that select the pod. before is nil for a new pod, and pod for a deleted one. A deletion
// publishes no endpoints: a pod counts as gone when its EndpointSlice says so.
func (e *endpointReconciler) podChanged(before, pod *cachedPod) {
	if before.hasUnknownDrain() || pod.hasUnknownDrain() {
		e.onUnknownDrain(cmp.Or(pod, before).ref(), pod.object())
	}
	if pod == nil {
		return
	}
	for _, service := range e.services.of(pod.key) {
		key := types.NamespacedName{Namespace: pod.key.Namespace, Name: service}
		e.changedAt.record(key)
		e.pods.add(key)
	}
}

func (p *cachedPod) hasUnknownDrain() bool {
	return p != nil && translate.HasUnknownDrain(p.values.annotations)
}

func (p *cachedPod) ref() model.Ref {
	return model.Ref{Kind: model.KindPod, Namespace: p.key.Namespace, Name: p.key.Name}
}

// Reconcile publishes the endpoints of one Service.
func (e *endpointReconciler) Reconcile(_ context.Context, service types.NamespacedName) (reconcile.Result, error) {
	e.publisher.Endpoints(service.Namespace, service.Name, e.newest, e.changedAt.take(service))
	e.onPublished(service)
	return reconcile.Result{}, nil
}
