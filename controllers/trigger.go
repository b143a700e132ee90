package controllers

import (
	"context"
	"sync"

	"k8s.io/client-go/util/workqueue"
)

// trigger enqueues the one key of a controller for reasons that are no event of a watched object. As a source it does so
// once at the start, without which a controller never runs in a cluster that has nothing to watch. Safe for concurrent
// use.
type trigger struct {
	mu    sync.Mutex
	queue workqueue.TypedRateLimitingInterface[whole]
}

// Start is called by the controller. It implements source.TypedSource.
func (t *trigger) Start(_ context.Context, queue workqueue.TypedRateLimitingInterface[whole]) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue = queue
	queue.Add(whole{})
	return nil
}

// fire does nothing before the start, which enqueues the key anyway.
func (t *trigger) fire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.queue != nil {
		t.queue.Add(whole{})
	}
}
