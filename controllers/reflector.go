package controllers

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// reflector fills a mirror with the objects of a namespace. It is a Runnable of the manager.
type reflector struct {
	name     string
	expected any // of the type that a watch sends
	requests toolscache.ListerWatcher
	store    toolscache.ReflectorStore
	log      logr.Logger
}

// newPodReflector returns the reflector of the metadata of the pods of a namespace. An empty namespace means all.
func newPodReflector(config *rest.Config, namespace string, m *mirror[cachedPod], log logr.Logger) (*reflector, error) {
	var values sharedValues
	by := reducer[*metav1.PartialObjectMetadata, cachedPod]{"PartialObjectMetadata", values.read, values.reduce}
	w := watched{corev1.SchemeGroupVersion, "pods", namespace, ";as=PartialObjectMetadata%s;g=meta.k8s.io;v=v1"}
	return newReflector(config, w, &metav1.PartialObjectMetadataList{}, by, m, log)
}

// newSliceReflector returns the reflector of the EndpointSlices of a namespace. An empty namespace means all.
func newSliceReflector(config *rest.Config, namespace string, m *mirror[cachedSlice], log logr.Logger) (*reflector, error) {
	by := reducer[*discoveryv1.EndpointSlice, cachedSlice]{"EndpointSlice", readSlice, reduceSlice}
	return newReflector(config, watched{discoveryv1.SchemeGroupVersion, "endpointslices", namespace, ""},
		&discoveryv1.EndpointSliceList{}, by, m, log)
}

// watched selects the objects of a reflector.
type watched struct {
	version   schema.GroupVersion
	resource  string
	namespace string // empty for all
	// as has the parameters of the accepted media types, with "List" or "" in place of %s.
	as string
}

func newReflector[O client.Object, T reduced[T]](
	config *rest.Config, w watched, list client.ObjectList, by reducer[O, T], m *mirror[T], log logr.Logger,
) (*reflector, error) {
	config = rest.CopyConfig(config)
	config.ContentType = runtime.ContentTypeProtobuf
	config.GroupVersion, config.APIPath = &w.version, "/apis"
	if w.version.Group == "" {
		config.APIPath = "/api"
	}
	config.NegotiatedSerializer = &reducingSerializer[O, T]{watchCodecs, by}
	c, err := rest.RESTClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("creating a client for %s: %w", w.resource, err)
	}
	return &reflector{
		name: w.resource, log: log, expected: &received[T]{},
		store:    &mirrorStore[O, T]{mirror: m, namespace: w.namespace, reduce: by.reduce},
		requests: w.requests(c, list),
	}, nil
}

// requests returns the requests of a reflector. list is an empty list.
func (w *watched) requests(c rest.Interface, list client.ObjectList) *toolscache.ListWatch {
	get := func(options metav1.ListOptions, as string) *rest.Request {
		accept := runtime.ContentTypeProtobuf + as + "," + runtime.ContentTypeJSON + as
		return c.Get().NamespaceIfScoped(w.namespace, w.namespace != "").Resource(w.resource).SetHeader("Accept", accept).
			VersionedParams(&options, watchParameters).Timeout(time.Duration(ptr.Deref(options.TimeoutSeconds, 0)) * time.Second)
	}
	return &toolscache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			into := list.DeepCopyObject()
			return into, get(options, strings.Replace(w.as, "%s", "List", 1)).Do(ctx).Into(into)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.Watch = true
			return get(options, strings.Replace(w.as, "%s", "", 1)).Watch(ctx)
		},
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
		if r, ok := object.(*received[T]); ok {
			return r.reduced, nil
		}
		return object, nil
	}
}

// reducedOf returns the reduced part of an object of a list, which is an O, or of a watch.
func (s *mirrorStore[O, T]) reducedOf(object any) (*T, error) {
	switch object := object.(type) {
	case *received[T]:
		return object.reduced, nil
	case *T: // from the Transformer
		return object, nil
	case O:
		return s.reduce(object), nil
	}
	return nil, fmt.Errorf("unexpected object %T", object)
}

// Add adds an object.
func (s *mirrorStore[O, T]) Add(object any) error {
	r, err := s.reducedOf(object)
	if err == nil {
		s.mirror.put(r)
	}
	return err
}

// Update replaces an object.
func (s *mirrorStore[O, T]) Update(object any) error { return s.Add(object) }

// Delete removes an object.
func (s *mirrorStore[O, T]) Delete(object any) error {
	r, err := s.reducedOf(object)
	if err == nil {
		s.mirror.remove((*r).objectKey())
	}
	return err
}

// Replace replaces all objects of the namespace.
func (s *mirrorStore[O, T]) Replace(objects []any, _ string) error {
	exist := make(map[types.NamespacedName]bool, len(objects))
	for _, object := range objects {
		r, err := s.reducedOf(object)
		if err != nil {
			return err
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
