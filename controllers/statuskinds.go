package controllers

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// statusKind is how the authors of objects of one kind are told what translation found out.
type statusKind struct {
	// newObject returns an empty object for client.Get.
	newObject func() client.Object
	// write writes the status of an object from the cache, if it differs. Events follow for every kind.
	write func(ctx context.Context, w *statusWriter, object client.Object, report *translate.Report) error
}

// statusKinds are the kinds that there may be Reports on.
var statusKinds = map[string]statusKind{
	v1alpha1.Kind:       statusOf((*statusWriter).writePolicy),
	model.KindIngress:   statusOf((*statusWriter).writeIngress),
	model.KindSecret:    eventsOnly(func() client.Object { return &corev1.Secret{} }),    // that of the default certificate
	model.KindConfigMap: eventsOnly(func() client.Object { return &corev1.ConfigMap{} }), // that of ingress-nginx
	model.KindService:   eventsOnly(func() client.Object { return &corev1.Service{} }),   // the default backend
	model.KindPod:       eventsOnly(func() client.Object { return podMetadata() }),       // with an unknown drain annotation
}

// eventsOnly returns the entry of a kind without a status of ours.
func eventsOnly(newObject func() client.Object) statusKind {
	return statusKind{
		newObject: newObject,
		write:     func(context.Context, *statusWriter, client.Object, *translate.Report) error { return nil },
	}
}

// statusOf returns the entry of a kind whose status is written by a method of statusWriter.
func statusOf[T any, P interface {
	*T
	client.Object
}](write func(*statusWriter, context.Context, P, *translate.Report) error,
) statusKind {
	return statusKind{
		newObject: func() client.Object { return P(new(T)) },
		write: func(ctx context.Context, w *statusWriter, object client.Object, report *translate.Report) error {
			return write(w, ctx, object.(P), report)
		},
	}
}
