package controllers

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// statusKind is how the authors of objects of one kind are told what translation found out.
type statusKind struct {
	// read returns an object of the cache.
	read func(w *statusWriter, ctx context.Context, key types.NamespacedName) (client.Object, error)
	// write writes the status of an object from the cache, if it differs. Events follow for every kind.
	write func(ctx context.Context, w *statusWriter, object client.Object, report *translate.Report) error
}

// statusKinds are the kinds that there may be Reports on.
var statusKinds = map[string]statusKind{
	v1alpha1.Kind:       statusOf((*statusWriter).writePolicy),
	model.KindIngress:   statusOf((*statusWriter).writeIngress),
	model.KindSecret:    eventsOnly[corev1.Secret](),    // that of the default certificate
	model.KindConfigMap: eventsOnly[corev1.ConfigMap](), // that of ingress-nginx
	model.KindService:   eventsOnly[corev1.Service](),   // the default backend
	model.KindPod: { // with a drain annotation that has no effect
		read:  (*statusWriter).readPod,
		write: func(context.Context, *statusWriter, client.Object, *translate.Report) error { return nil },
	},
}

// statusOf returns the entry of a kind whose status is written by a method of statusWriter.
func statusOf[T any, P interface {
	*T
	client.Object
}](write func(*statusWriter, context.Context, P, *translate.Report) error,
) statusKind {
	return statusKind{
		read: func(w *statusWriter, ctx context.Context, key types.NamespacedName) (client.Object, error) {
			object := P(new(T))
			return object, w.reader.Get(ctx, key, object)
		},
		write: func(ctx context.Context, w *statusWriter, object client.Object, report *translate.Report) error {
			return write(w, ctx, object.(P), report)
		},
	}
}

// eventsOnly returns the entry of a kind without a status of ours.
func eventsOnly[T any, P interface {
	*T
	client.Object
}]() statusKind {
	return statusOf(func(*statusWriter, context.Context, P, *translate.Report) error { return nil })
}

// readPod returns the metadata of a pod. Its error is that of a client if the pod does not exist.
func (w *statusWriter) readPod(_ context.Context, key types.NamespacedName) (client.Object, error) {
	pod := w.pod(key.Namespace, key.Name)
	if pod == nil {
		return nil, apierrors.NewNotFound(corev1.Resource("pods"), key.Name)
	}
	return pod, nil
}
