package controllers

import (
	"context"
	"fmt"
	"sync"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
)

// podReflector fills a podCache with the metadata of the pods of a namespace. It is a Runnable of the manager.
type podReflector struct {
	pods   metadata.ResourceInterface
	client metadata.Interface
	store  *podStore
	log    logr.Logger
}

// newPodReflector returns a podReflector. An empty namespace means all.
func newPodReflector(config *rest.Config, namespace string, c *podCache, log logr.Logger) (*podReflector, error) {
	client, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("creating a client for pods: %w", err)
	}
	return &podReflector{
		pods:   client.Resource(corev1.SchemeGroupVersion.WithResource("pods")).Namespace(namespace),
		client: client, log: log, store: &podStore{cache: c, namespace: namespace},
	}, nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: every replica watches pods.
func (p *podReflector) NeedLeaderElection() bool { return false }

// Start watches the pods until ctx is done. It implements manager.Runnable.
func (p *podReflector) Start(ctx context.Context) error {
	requests := toolscache.ToListWatcherWithWatchListSemantics(&toolscache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return p.pods.List(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			return p.pods.Watch(ctx, options)
		},
	}, p.client)
	toolscache.NewReflectorWithOptions(requests, &metav1.PartialObjectMetadata{}, p.store, toolscache.ReflectorOptions{
		Logger: &p.log, Name: "pods",
	}).RunWithContext(ctx)
	return nil
}

// podStore is where a Reflector puts the pods of a namespace.
type podStore struct {
	cache     *podCache
	namespace string // empty for all

	first   sync.Once
	listing map[string]*podValues // of the pods of the current list
}

// Transformer implements toolscache.TransformingStore: it reduces the pods of a list while they arrive.
func (s *podStore) Transformer() toolscache.TransformFunc {
	return func(object any) (any, error) {
		pod, ok := object.(*metav1.PartialObjectMetadata)
		if !ok {
			return object, nil
		}
		p := newCachedPod(pod, s.listing)
		if s.listing == nil {
			s.listing = map[string]*podValues{}
		}
		s.listing[p.values.key] = p.values
		return p, nil
	}
}

// Add implements toolscache.ReflectorStore.
func (s *podStore) Add(object any) error {
	pod, ok := object.(*metav1.PartialObjectMetadata)
	if !ok {
		return fmt.Errorf("unexpected object %T instead of a pod", object)
	}
	s.cache.put(pod)
	return nil
}

// Update implements toolscache.ReflectorStore.
func (s *podStore) Update(object any) error { return s.Add(object) }

// Delete implements toolscache.ReflectorStore.
func (s *podStore) Delete(object any) error {
	pod, ok := object.(*metav1.PartialObjectMetadata)
	if !ok {
		return fmt.Errorf("unexpected object %T instead of a pod", object)
	}
	s.cache.remove(types.NamespacedName{Namespace: pod.Namespace, Name: pod.Name})
	return nil
}

// Replace implements toolscache.ReflectorStore: objects are all pods of the namespace.
func (s *podStore) Replace(objects []any, _ string) error {
	exist := make(map[types.NamespacedName]bool, len(objects))
	for _, object := range objects {
		p, ok := object.(*cachedPod)
		if pod, whole := object.(*metav1.PartialObjectMetadata); whole {
			p, ok = newCachedPod(pod, s.listing), true
		}
		if !ok {
			return fmt.Errorf("unexpected object %T instead of a pod", object)
		}
		exist[p.key] = true
		s.cache.adopt(p)
	}
	for _, key := range s.cache.keys(s.namespace) {
		if !exist[key] {
			s.cache.remove(key)
		}
	}
	s.listing = nil
	s.first.Do(s.cache.listed)
	return nil
}

// Resync implements toolscache.ReflectorStore. It does nothing.
func (s *podStore) Resync() error { return nil }
