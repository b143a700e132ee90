package controllers

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	discovery "k8s.io/client-go/kubernetes/typed/discovery/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// reflector fills a mirror with the objects of a namespace. It is a Runnable of the manager.
type reflector struct {
	name     string
	expected client.Object // of the type that the API server sends
	requests toolscache.ListerWatcher
	store    toolscache.ReflectorStore
	log      logr.Logger
}

// newPodReflector returns the reflector of the metadata of the pods of a namespace. An empty namespace means all.
func newPodReflector(config *rest.Config, namespace string, m *mirror[cachedPod], log logr.Logger) (*reflector, error) {
	c, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("creating a client for pods: %w", err)
	}
	pods := c.Resource(corev1.SchemeGroupVersion.WithResource("pods")).Namespace(namespace)
	var shared sharedValues
	return &reflector{
		name: "pods", log: log, expected: &metav1.PartialObjectMetadata{},
		store:    &mirrorStore[*metav1.PartialObjectMetadata, cachedPod]{mirror: m, namespace: namespace, reduce: shared.reduce},
		requests: toolscache.ToListWatcherWithWatchListSemantics(listWatch(pods.List, pods.Watch), c),
	}, nil
}

// newSliceReflector returns the reflector of the EndpointSlices of a namespace. An empty namespace means all.
func newSliceReflector(config *rest.Config, namespace string, m *mirror[cachedSlice], log logr.Logger) (*reflector, error) {
	config = rest.CopyConfig(config)
	config.ContentType, config.AcceptContentTypes = runtime.ContentTypeProtobuf, runtime.ContentTypeProtobuf
	c, err := discovery.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("creating a client for EndpointSlices: %w", err)
	}
	slices := c.EndpointSlices(namespace)
	return &reflector{
		name: "endpointslices", log: log, expected: &discoveryv1.EndpointSlice{},
		store:    &mirrorStore[*discoveryv1.EndpointSlice, cachedSlice]{mirror: m, namespace: namespace, reduce: reduceSlice},
		requests: toolscache.ToListWatcherWithWatchListSemantics(listWatch(slices.List, slices.Watch), c),
	}, nil
}

// listWatch returns the requests of a reflector.
func listWatch[L runtime.Object](
	list func(context.Context, metav1.ListOptions) (L, error),
	watch func(context.Context, metav1.ListOptions) (watch.Interface, error),
) *toolscache.ListWatch {
	return &toolscache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			return list(ctx, options)
		},
		WatchFuncWithContext: watch,
	}
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: every replica watches.
func (*reflector) NeedLeaderElection() bool { return false }

// watchBackoff limits how often a reflector tries to reach an API server that is away. The default of client-go waits for up to a
// minute after an outage. Sessions must not be sent to pods that are gone for that long.
var watchBackoff = wait.Backoff{Duration: 200 * time.Millisecond, Factor: 2, Jitter: 0.5, Cap: 5 * time.Second, Steps: 20}

// Start watches until ctx is done. It implements manager.Runnable.
func (r *reflector) Start(ctx context.Context) error {
	toolscache.NewReflectorWithOptions(r.requests, r.expected, r.store, toolscache.ReflectorOptions{
		Logger: &r.log, Name: r.name, Backoff: &watchBackoff,
	}).RunWithContext(klog.NewContext(ctx, r.log)) // otherwise its messages bypass the log of Limpet
	return nil
}

// mirrorStore is the store to which a Reflector writes the objects of a namespace. It implements toolscache.TransformingStore,
// whose methods a Reflector calls one after another.
type mirrorStore[O client.Object, T reduced[T]] struct {
	mirror    *mirror[T]
	namespace string // empty for all
	reduce    func(O) *T
	first     sync.Once
}

// Transformer returns a function that reduces the objects of a list while they arrive.
func (s *mirrorStore[O, T]) Transformer() toolscache.TransformFunc {
	return func(object any) (any, error) {
		if whole, ok := object.(O); ok {
			return s.reduce(whole), nil
		}
		return object, nil
	}
}

// Add adds an object.
func (s *mirrorStore[O, T]) Add(object any) error {
	whole, ok := object.(O)
	if !ok {
		return fmt.Errorf("unexpected object %T instead of %T", object, whole)
	}
	s.mirror.put(s.reduce(whole))
	return nil
}

// Update replaces an object.
func (s *mirrorStore[O, T]) Update(object any) error { return s.Add(object) }

// Delete removes an object.
func (s *mirrorStore[O, T]) Delete(object any) error {
	whole, ok := object.(O)
	if !ok {
		return fmt.Errorf("unexpected object %T instead of %T", object, whole)
	}
	s.mirror.remove(types.NamespacedName{Namespace: whole.GetNamespace(), Name: whole.GetName()})
	return nil
}

// Replace replaces all objects of the namespace.
func (s *mirrorStore[O, T]) Replace(objects []any, _ string) error {
	exist := make(map[types.NamespacedName]bool, len(objects))
	for _, object := range objects {
		r, ok := object.(*T)
		if whole, isWhole := object.(O); isWhole { // of a list that did not arrive by a watch
			r, ok = s.reduce(whole), true
		}
		if !ok {
			return fmt.Errorf("unexpected object %T in a list", object)
		}
		exist[(*r).objectKey()] = true
		s.mirror.put(r)
	}
	for _, key := range s.mirror.keys(s.namespace) {
		if !exist[key] {
			s.mirror.remove(key)
		}
	}
	s.first.Do(s.mirror.listed)
	return nil
}

// Resync does nothing.
func (*mirrorStore[O, T]) Resync() error { return nil }
