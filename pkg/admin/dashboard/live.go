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
	liveTimeout  = 3 * time.Second // of the other replicas
	liveLifetime = time.Minute
)

// liveCache keeps the last report about each pool that a client views, because a report sends a request to every other replica.
type liveCache struct {
	// Immutable:
	total func(ctx context.Context, q sessions.Query) *sessions.Report

	mu    sync.Mutex
	pools map[string]*liveReport // by name
}

// liveReport is the last report about one pool.
type liveReport struct {
	mu     sync.Mutex // also held while the report is made, so that concurrent clients make one
	report *sessions.Report
	made   time.Time
}

// get returns a report about the pool that is at most liveAge old. Callers must not modify it.
func (c *liveCache) get(pool string) *sessions.Report {
	c.mu.Lock()
	of := c.pools[pool]
	if of == nil {
		of = &liveReport{}
		c.pools[pool] = of
	}
	c.mu.Unlock()
	of.mu.Lock()
	defer of.mu.Unlock()
	if of.report == nil || time.Since(of.made) >= liveAge {
		ctx, cancel := context.WithTimeout(context.Background(), liveTimeout)
		defer cancel()
		of.report, of.made = c.total(ctx, sessions.Query{Pool: pool}), time.Now()
	}
	return of.report
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
