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

// The indexes of EndpointSlices: by the Service that they belong to, and by the pods that they name.
const (
	byService = "service"
	byPod     = "pod"
)

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

// podsOf names the pods of a slice, which are in its own namespace.
func podsOf(slice *discoveryv1.EndpointSlice) []string {
	var names []string
	for i := range slice.Endpoints {
		if ref := slice.Endpoints[i].TargetRef; ref != nil && ref.Kind == "Pod" {
			names = append(names, ref.Name)
		}
	}
	return names
}

// podMetadata stands for pods of which only the metadata is watched.
func podMetadata() *metav1.PartialObjectMetadata {
	pod := &metav1.PartialObjectMetadata{}
	pod.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Pod"))
	return pod
}

// watchPods has the cache know all pods before anything is built: a drained pod must not be given new sessions by a
// Limpet that has just started.
func watchPods(ctx context.Context, c cache.Cache) error {
	_, err := c.GetInformer(ctx, podMetadata(), cache.BlockUntilSynced(false))
	return err
}

// cached gives objects from the cache, not copies: whoever gets them only reads them. It is asked only after the cache
// has synced, so that a list cannot fail; should it all the same, that is logged, and what was asked for counts as not
// there until its next event.
type cached struct {
	ctx    context.Context // of the process: the functions below are called without one
	reader client.Reader
	log    logr.Logger
}

// newCached goes on when the context ends: while we stop, connections are drained, and their endpoints stay what they
// are.
func newCached(ctx context.Context, reader client.Reader, log logr.Logger) *cached {
	return &cached{ctx: context.WithoutCancel(ctx), reader: reader, log: log}
}

func (c *cached) slicesOfService(namespace, service string) []*discoveryv1.EndpointSlice {
	return c.slices(namespace, client.MatchingFields{byService: service})
}

func (c *cached) slicesOfPod(namespace, pod string) []*discoveryv1.EndpointSlice {
	return c.slices(namespace, client.MatchingFields{byPod: pod})
}

func (c *cached) slices(namespace string, where client.MatchingFields) []*discoveryv1.EndpointSlice {
	var list discoveryv1.EndpointSliceList
	err := c.reader.List(c.ctx, &list, client.InNamespace(namespace), where, client.UnsafeDisableDeepCopy)
	if err != nil {
		c.log.Error(err, "EndpointSlices could not be listed", "namespace", namespace, "fields", where)
	}
	return pointers(list.Items)
}

func (c *cached) pod(namespace, name string) *metav1.PartialObjectMetadata {
	pod := podMetadata()
	err := c.reader.Get(c.ctx, client.ObjectKey{Namespace: namespace, Name: name}, pod, client.UnsafeDisableDeepCopy)
	if err == nil {
		return pod
	}
	if !apierrors.IsNotFound(err) {
		c.log.Error(err, "Pod could not be read", "namespace", namespace, "name", name)
	}
	return nil
}
