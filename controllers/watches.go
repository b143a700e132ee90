package controllers

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/limpet-dev/limpet/api/v1alpha1"
)

// tableSources are the events that may change the table.
func tableSources(c cache.Cache, t *table) []source.TypedSource[whole] {
	return []source.TypedSource[whole]{
		&t.again,
		source.TypedKind(c, &networkingv1.Ingress{}, onChange[*networkingv1.Ingress](t.changed),
			specOrAnnotations[*networkingv1.Ingress]()),
		source.TypedKind(c, &networkingv1.IngressClass{}, onChange[*networkingv1.IngressClass](t.changed),
			specOrAnnotations[*networkingv1.IngressClass]()),
		source.TypedKind(c, &v1alpha1.AffinityPolicy{}, onChange[*v1alpha1.AffinityPolicy](t.changed),
			specOrAnnotations[*v1alpha1.AffinityPolicy]()),
		// Updates of these two need not move a generation.
		source.TypedKind(c, &corev1.Service{}, onChange[*corev1.Service](t.changed),
			anything[*corev1.Service](), that(func(s *corev1.Service) bool {
				return t.referenced.has(serviceRef(s.Namespace, s.Name))
			})),
		source.TypedKind(c, &corev1.Secret{}, onChange[*corev1.Secret](t.changed),
			anything[*corev1.Secret](), that(func(s *corev1.Secret) bool {
				return t.referenced.has(secretRef(s.Namespace, s.Name))
			})),
	}
}

// endpointSources are the events of the fast path.
func endpointSources(c cache.Cache, e *endpoints) []source.TypedSource[types.NamespacedName] {
	return []source.TypedSource[types.NamespacedName]{sliceSource(c, e), podSource(c, e)}
}

func sliceSource(c cache.Cache, e *endpoints) source.TypedSource[types.NamespacedName] {
	return source.TypedKind(c, &discoveryv1.EndpointSlice{},
		handler.TypedFuncs[*discoveryv1.EndpointSlice, types.NamespacedName]{
			CreateFunc: func(_ context.Context, ev event.TypedCreateEvent[*discoveryv1.EndpointSlice], q serviceQueue) {
				e.changed(q, ev.Object)
			},
			UpdateFunc: func(_ context.Context, ev event.TypedUpdateEvent[*discoveryv1.EndpointSlice], q serviceQueue) {
				e.changed(q, ev.ObjectOld) // its label may have named another Service
				e.changed(q, ev.ObjectNew)
			},
			DeleteFunc: func(_ context.Context, ev event.TypedDeleteEvent[*discoveryv1.EndpointSlice], q serviceQueue) {
				e.changed(q, ev.Object)
			},
		}, anything[*discoveryv1.EndpointSlice]())
}

// podSource is the events by which pods say something else of themselves. That a pod is gone is for the slices to say:
// until they do, it is what it was.
func podSource(c cache.Cache, e *endpoints) source.TypedSource[types.NamespacedName] {
	type pod = *metav1.PartialObjectMetadata
	return source.TypedKind(c, podMetadata(), handler.TypedFuncs[pod, types.NamespacedName]{
		CreateFunc: func(_ context.Context, ev event.TypedCreateEvent[pod], q serviceQueue) { e.podChanged(q, ev.Object) },
		UpdateFunc: func(_ context.Context, ev event.TypedUpdateEvent[pod], q serviceQueue) { e.podChanged(q, ev.ObjectNew) },
	}, predicate.Or[pod](predicate.TypedLabelChangedPredicate[pod]{}, predicate.TypedAnnotationChangedPredicate[pod]{}))
}

// secretSource is the events of the one Secret that holds the affinity keys.
func secretSource(c cache.Cache, name types.NamespacedName) source.TypedSource[whole] {
	add := func(queue workqueue.TypedRateLimitingInterface[whole]) { queue.Add(whole{}) }
	return source.TypedKind(c, &corev1.Secret{}, onChange[*corev1.Secret](add),
		anything[*corev1.Secret](), that(func(s *corev1.Secret) bool {
			return s.Namespace == name.Namespace && s.Name == name.Name
		}))
}

type serviceQueue = workqueue.TypedRateLimitingInterface[types.NamespacedName]

// onChange calls enqueue for every event of a kind, whichever it is.
func onChange[T client.Object](
	enqueue func(workqueue.TypedRateLimitingInterface[whole]),
) handler.TypedEventHandler[T, whole] {
	type queue = workqueue.TypedRateLimitingInterface[whole]
	return handler.TypedFuncs[T, whole]{
		CreateFunc: func(_ context.Context, _ event.TypedCreateEvent[T], q queue) { enqueue(q) },
		UpdateFunc: func(_ context.Context, _ event.TypedUpdateEvent[T], q queue) { enqueue(q) },
		DeleteFunc: func(_ context.Context, _ event.TypedDeleteEvent[T], q queue) { enqueue(q) },
	}
}

// specOrAnnotations leaves out updates of the status, which are our own in most cases.
func specOrAnnotations[T client.Object]() predicate.TypedPredicate[T] {
	return predicate.Or[T](predicate.TypedGenerationChangedPredicate[T]{},
		predicate.TypedAnnotationChangedPredicate[T]{})
}

// anything leaves out only the periodic resync, which brings nothing new.
func anything[T client.Object]() predicate.TypedPredicate[T] {
	return predicate.TypedResourceVersionChangedPredicate[T]{}
}

func that[T client.Object](keep func(T) bool) predicate.TypedPredicate[T] {
	return predicate.NewTypedPredicateFuncs(keep)
}
