package controllers

import (
	"context"
	"sync"

	"k8s.io/client-go/util/workqueue"
)

// trigger is an event source that enqueues the single key of a controller on demand.
//
// It also enqueues the key once at the start. Otherwise the controller would never run in a cluster without objects
// to watch. It is safe for concurrent use.
type trigger struct {
	mu    sync.Mutex
	queue workqueue.TypedRateLimitingInterface[singleton]
}

// Start implements source.TypedSource.
func (t *trigger) Start(_ context.Context, queue workqueue.TypedRateLimitingInterface[singleton]) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue = queue
	queue.Add(singleton{})
	return nil
}

// fire enqueues the key. It does nothing before Start, which enqueues the key anyway.
func (t *trigger) fire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.queue != nil {
		t.queue.Add(singleton{})
	}
}
