package controllers

import (
	"context"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// byService is the name of the index of EndpointSlices by their Service.
const byService = "service"

// indexSlices adds the index of EndpointSlices to the cache.
func indexSlices(ctx context.Context, c cache.Cache) error {
	return c.IndexField(ctx, &discoveryv1.EndpointSlice{}, byService, func(o client.Object) []string {
		return []string{o.GetLabels()[discoveryv1.LabelServiceName]}
	})
}

// podMetadata returns an empty object with the metadata of a pod.
func podMetadata() *metav1.PartialObjectMetadata {
	pod := &metav1.PartialObjectMetadata{}
	pod.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Pod"))
	return pod
}

// namespaceMetadata returns an empty object that makes the cache watch namespaces as metadata only.
func namespaceMetadata() *metav1.PartialObjectMetadata {
	namespace := &metav1.PartialObjectMetadata{}
	namespace.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	return namespace
}

// objectCache reads EndpointSlices from the informer cache. The objects are not copied, so callers must
// not modify them.
//
// It must be used only after the cache has synced; reads then do not fail. If one fails anyway, the error is logged
// and the objects count as missing until their next event.
type objectCache struct {
	ctx    context.Context // the callers of the methods below have no context
	reader client.Reader
	log    logr.Logger
}

// newObjectCache returns an objectCache. It keeps working after ctx is done: connections are drained during
// shutdown, and their endpoints must not disappear.
func newObjectCache(ctx context.Context, reader client.Reader, log logr.Logger) *objectCache {
	return &objectCache{ctx: context.WithoutCancel(ctx), reader: reader, log: log}
}

func (c *objectCache) slicesOfService(namespace, service string) []*discoveryv1.EndpointSlice {
	var list discoveryv1.EndpointSliceList
	err := c.reader.List(c.ctx, &list, client.InNamespace(namespace), client.MatchingFields{byService: service},
		client.UnsafeDisableDeepCopy)
	if err != nil {
		c.log.Error(err, "Failed to list EndpointSlices", "namespace", namespace, "service", service)
	}
	out := make([]*discoveryv1.EndpointSlice, len(list.Items))
	for i := range list.Items {
		out[i] = &list.Items[i]
	}
	return out
}
