package dashboard

import (
	"context"
	"sync"
	"time"

	"github.com/limpet-dev/limpet/pkg/sessions"
)

// The bounds of reports about all replicas.
const (
	liveAge      = 2 * time.Second // a newer report is used again
	replicasAge  = 5 * time.Second
	liveTimeout  = 3 * time.Second // of the other replicas
	liveLifetime = time.Minute
)

// recent is a value that several clients share while it is recent, because making it sends requests to all replicas.
type recent[T any] struct {
	mu    sync.Mutex // also held while the value is made, so that concurrent clients make one
	value T
	made  time.Time
}

// get returns a value that is at most age old. Callers must not modify it.
func (r *recent[T]) get(age time.Duration, load func(context.Context) T) T {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.made.IsZero() || time.Since(r.made) >= age {
		ctx, cancel := context.WithTimeout(context.Background(), liveTimeout)
		defer cancel()
		r.value, r.made = load(ctx), time.Now()
	}
	return r.value
}

// liveCache keeps the last report about each pool that a client views.
type liveCache struct {
	// Immutable:
	total func(ctx context.Context, q sessions.Query) *sessions.Report

	mu    sync.Mutex
	pools map[string]*recent[*sessions.Report] // by name
}

// get returns a report about the pool that is at most liveAge old. Callers must not modify it.
func (c *liveCache) get(pool string) *sessions.Report {
	c.mu.Lock()
	of := c.pools[pool]
	if of == nil {
		of = &recent[*sessions.Report]{}
		c.pools[pool] = of
	}
	c.mu.Unlock()
	return of.get(liveAge, func(ctx context.Context) *sessions.Report { return c.total(ctx, sessions.Query{Pool: pool}) })
}

// expire drops the reports about pools that no client views.
func (c *liveCache) expire(now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for pool, of := range c.pools {
		if of.mu.TryLock() {
			if now.Sub(of.made) > liveLifetime {
				delete(c.pools, pool)
			}
			of.mu.Unlock()
		}
	}
}
