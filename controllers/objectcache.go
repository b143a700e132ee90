package controllers

import (
	"context"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Names of the field indexes of EndpointSlices.
const (
	byService = "service" // by the Service that owns the slice
	byPod     = "pod"     // by each pod that the slice references
)

// indexSlices adds the indexes of EndpointSlices to the cache.
func indexSlices(ctx context.Context, c cache.Cache) error {
	err := c.IndexField(ctx, &discoveryv1.EndpointSlice{}, byService, func(o client.Object) []string {
		return []string{o.GetLabels()[discoveryv1.LabelServiceName]}
	})
	if err != nil {
		return err
	}
	return c.IndexField(ctx, &discoveryv1.EndpointSlice{}, byPod, func(o client.Object) []string {
		slice, _ := o.(*discoveryv1.EndpointSlice)
		return podsOf(slice)
	})
}

// podsOf returns the names of the pods that a slice references. They are in the namespace of the slice.
func podsOf(slice *discoveryv1.EndpointSlice) []string {
	var names []string
	for i := range slice.Endpoints {
		if ref := slice.Endpoints[i].TargetRef; ref != nil && ref.Kind == "Pod" {
			names = append(names, ref.Name)
		}
	}
	return names
}

// podMetadata returns an empty object that makes the cache watch pods as metadata only.
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

// watchPods makes the cache sync all pods before the first table is built. Otherwise a replica that has just
// started could assign new sessions to a drained pod.
func watchPods(ctx context.Context, c cache.Cache) error {
	_, err := c.GetInformer(ctx, podMetadata(), cache.BlockUntilSynced(false))
	return err
}

// objectCache reads EndpointSlices and pods from the informer cache. The objects are not copied, so callers must
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
	return c.slices(namespace, client.MatchingFields{byService: service})
}

func (c *objectCache) slicesOfPod(namespace, pod string) []*discoveryv1.EndpointSlice {
	return c.slices(namespace, client.MatchingFields{byPod: pod})
}

func (c *objectCache) slices(namespace string, where client.MatchingFields) []*discoveryv1.EndpointSlice {
	var list discoveryv1.EndpointSliceList
	err := c.reader.List(c.ctx, &list, client.InNamespace(namespace), where, client.UnsafeDisableDeepCopy)
	if err != nil {
		c.log.Error(err, "Failed to list EndpointSlices", "namespace", namespace, "selector", where)
	}
	return pointers(list.Items)
}

func (c *objectCache) pod(namespace, name string) *metav1.PartialObjectMetadata {
	pod := podMetadata()
	err := c.reader.Get(c.ctx, client.ObjectKey{Namespace: namespace, Name: name}, pod, client.UnsafeDisableDeepCopy)
	if err == nil {
		return pod
	}
	if !apierrors.IsNotFound(err) {
		c.log.Error(err, "Failed to get pod", "namespace", namespace, "name", name)
	}
	return nil
}

// pointers returns a pointer to each item.
func pointers[T any](items []T) []*T {
	out := make([]*T, len(items))
	for i := range items {
		out[i] = &items[i]
	}
	return out
}
