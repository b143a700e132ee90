package controllers

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
)

// serviceQueue is the work queue of the fast path.
type serviceQueue = workqueue.TypedRateLimitingInterface[types.NamespacedName]

// serviceSource is the event source of the Services whose endpoints or pods changed. It is safe for concurrent use.
type serviceSource struct {
	synced[types.NamespacedName]

	mu    sync.Mutex
	queue serviceQueue
}

// Start implements source.TypedSource. It enqueues all Services, because add did nothing before.
func (s *serviceSource) Start(_ context.Context, queue serviceQueue) error {
	s.mu.Lock()
	s.queue = queue
	s.mu.Unlock()
	for _, service := range s.mirrors.index.services() {
		queue.Add(service)
	}
	return nil
}

// add enqueues a Service. It does nothing before Start.
func (s *serviceSource) add(service types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queue != nil {
		s.queue.Add(service)
	}
}

// services returns the Services that have EndpointSlices.
func (x *sliceIndex) services() []types.NamespacedName {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return slices.Collect(maps.Keys(x.byService))
}

// synced is an event source without events, which makes a controller wait until mirrors have their first lists. Otherwise a
// replica that has just started could assign new sessions to a drained pod.
type synced[K comparable] struct{ mirrors *mirrors }

// Start implements source.TypedSource.
func (s synced[K]) Start(context.Context, workqueue.TypedRateLimitingInterface[K]) error { return nil }

// WaitForSync implements source.TypedSyncingSource.
func (s synced[K]) WaitForSync(ctx context.Context) error {
	if err := s.mirrors.waitForSync(ctx); !errors.Is(err, context.Canceled) {
		return err
	}
	return nil // the process ends
}

// String names the source in messages of the controller.
func (s synced[K]) String() string { return "pods and EndpointSlices" }
