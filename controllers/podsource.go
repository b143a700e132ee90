package controllers

import (
	"context"
	"errors"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
)

// podSource is the event source of the Services whose pods changed. It is safe for concurrent use.
type podSource struct {
	syncedPods[types.NamespacedName]

	mu    sync.Mutex
	queue serviceQueue
}

// Start implements source.TypedSource.
func (s *podSource) Start(_ context.Context, queue serviceQueue) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = queue
	return nil
}

// add enqueues a Service. It does nothing before Start: every Service is enqueued after it, because of its EndpointSlices.
func (s *podSource) add(service types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queue != nil {
		s.queue.Add(service)
	}
}

// syncedPods is an event source without events, which makes a controller wait for the first list of all pods. Otherwise a
// replica that has just started could assign new sessions to a drained pod.
type syncedPods[K comparable] struct{ cache *podCache }

// Start implements source.TypedSource.
func (s syncedPods[K]) Start(context.Context, workqueue.TypedRateLimitingInterface[K]) error {
	return nil
}

// WaitForSync implements source.TypedSyncingSource.
func (s syncedPods[K]) WaitForSync(ctx context.Context) error {
	err := s.cache.waitForSync(ctx)
	if errors.Is(err, context.Canceled) {
		return nil // the process ends
	}
	return err
}

// String names the source in messages of the controller.
func (s syncedPods[K]) String() string { return "pods" }
