package controllers

import (
	"context"
	"maps"
	"reflect"

	corev1 "k8s.io/api/core/v1"
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
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// tableSources returns the event sources of the table controller.
func tableSources(c cache.Cache, t *tableReconciler, o *Options) []source.TypedSource[singleton] {
	sources := []source.TypedSource[singleton]{
		&t.rebuild,
		t.synced,
		source.TypedKind(c, &networkingv1.Ingress{},
			objectHandler(t, model.KindIngress, specOrAnnotationsChanged[*networkingv1.Ingress]())),
		source.TypedKind(c, &v1alpha1.AffinityPolicy{},
			objectHandler(t, v1alpha1.Kind, specOrAnnotationsChanged[*v1alpha1.AffinityPolicy]())),
		// The generation of these does not change with every update.
		source.TypedKind(c, &corev1.Service{}, objectHandler(t, model.KindService, serviceChanged())),
		source.TypedKind(c, &corev1.Secret{}, objectHandler(t, model.KindSecret, secretChanged())),
		source.TypedKind(c, &corev1.ConfigMap{}, objectHandler(t, model.KindConfigMap, configMapChanged())),
	}
	if o.WatchNamespaces != nil {
		return sources
	}
	return append(sources,
		source.TypedKind(c, &networkingv1.IngressClass{},
			objectHandler(t, translate.KindIngressClass, specOrAnnotationsChanged[*networkingv1.IngressClass]())),
		source.TypedKind(c, namespaceMetadata(), objectHandler(t, translate.KindNamespace, deletionStarted())),
	)
}

// objectHandler returns a handler that records every object as it is in the cache, so that no older one stays in memory. It
// enqueues a build if the object was created, deleted, or changed in a part that may matter.
func objectHandler[T client.Object](
	t *tableReconciler, kind string, mayMatter predicate.TypedPredicate[T],
) handler.TypedEventHandler[T, singleton] {
	type queue = workqueue.TypedRateLimitingInterface[singleton]
	refOf := func(object T) model.Ref {
		return model.Ref{Kind: kind, Namespace: object.GetNamespace(), Name: object.GetName()}
	}
	return handler.TypedFuncs[T, singleton]{
		CreateFunc: func(_ context.Context, ev event.TypedCreateEvent[T], q queue) {
			t.record(refOf(ev.Object), ev.Object)
			t.status.enqueue(refOf(ev.Object)) // its Report may equal that of its predecessor
			t.changed(q)
		},
		UpdateFunc: func(_ context.Context, ev event.TypedUpdateEvent[T], q queue) {
			t.record(refOf(ev.ObjectNew), ev.ObjectNew)
			if mayMatter.Update(ev) {
				t.status.enqueue(refOf(ev.ObjectNew))
				t.changed(q)
			}
		},
		DeleteFunc: func(_ context.Context, ev event.TypedDeleteEvent[T], q queue) {
			t.record(refOf(ev.Object), nil)
			t.changed(q)
		},
	}
}

// deletionStarted ignores all updates but the start of a deletion.
func deletionStarted() predicate.TypedPredicate[*metav1.PartialObjectMetadata] {
	return predicate.TypedFuncs[*metav1.PartialObjectMetadata]{
		UpdateFunc: func(ev event.TypedUpdateEvent[*metav1.PartialObjectMetadata]) bool {
			return (ev.ObjectOld.DeletionTimestamp == nil) != (ev.ObjectNew.DeletionTimestamp == nil)
		},
	}
}

// serviceChanged ignores updates of the status and of the metadata except annotations.
func serviceChanged() predicate.TypedPredicate[*corev1.Service] {
	return predicate.TypedFuncs[*corev1.Service]{UpdateFunc: func(ev event.TypedUpdateEvent[*corev1.Service]) bool {
		return !maps.Equal(ev.ObjectOld.Annotations, ev.ObjectNew.Annotations) ||
			!reflect.DeepEqual(&ev.ObjectOld.Spec, &ev.ObjectNew.Spec)
	}}
}

// secretChanged ignores updates of the metadata.
func secretChanged() predicate.TypedPredicate[*corev1.Secret] {
	return predicate.TypedFuncs[*corev1.Secret]{UpdateFunc: func(ev event.TypedUpdateEvent[*corev1.Secret]) bool {
		return !reflect.DeepEqual(ev.ObjectOld.Data, ev.ObjectNew.Data)
	}}
}

// configMapChanged ignores updates of the metadata.
func configMapChanged() predicate.TypedPredicate[*corev1.ConfigMap] {
	return predicate.TypedFuncs[*corev1.ConfigMap]{UpdateFunc: func(ev event.TypedUpdateEvent[*corev1.ConfigMap]) bool {
		return !maps.Equal(ev.ObjectOld.Data, ev.ObjectNew.Data)
	}}
}

// secretSource returns the events of the Secret with the affinity keys.
func secretSource(c cache.Cache, name types.NamespacedName) source.TypedSource[singleton] {
	add := func(queue workqueue.TypedRateLimitingInterface[singleton]) { queue.Add(singleton{}) }
	return source.TypedKind(c, &corev1.Secret{}, onChange[*corev1.Secret](add),
		resourceVersionChanged[*corev1.Secret](), matching(func(s *corev1.Secret) bool {
			return s.Namespace == name.Namespace && s.Name == name.Name
		}))
}

// onChange returns a handler that calls enqueue for every event.
func onChange[T client.Object](
	enqueue func(workqueue.TypedRateLimitingInterface[singleton]),
) handler.TypedEventHandler[T, singleton] {
	type queue = workqueue.TypedRateLimitingInterface[singleton]
	return handler.TypedFuncs[T, singleton]{
		CreateFunc: func(_ context.Context, _ event.TypedCreateEvent[T], q queue) { enqueue(q) },
		UpdateFunc: func(_ context.Context, _ event.TypedUpdateEvent[T], q queue) { enqueue(q) },
		DeleteFunc: func(_ context.Context, _ event.TypedDeleteEvent[T], q queue) { enqueue(q) },
	}
}

// specOrAnnotationsChanged ignores updates of the status, most of which are Limpet's own.
func specOrAnnotationsChanged[T client.Object]() predicate.TypedPredicate[T] {
	return predicate.Or[T](predicate.TypedGenerationChangedPredicate[T]{},
		predicate.TypedAnnotationChangedPredicate[T]{})
}

// resourceVersionChanged ignores the periodic resync, which brings no changes.
func resourceVersionChanged[T client.Object]() predicate.TypedPredicate[T] {
	return predicate.TypedResourceVersionChangedPredicate[T]{}
}

// matching ignores the events of objects for which keep returns false.
func matching[T client.Object](keep func(T) bool) predicate.TypedPredicate[T] {
	return predicate.NewTypedPredicateFuncs(keep)
}
