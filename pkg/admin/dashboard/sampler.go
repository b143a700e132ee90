package dashboard

import (
	"sync"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// The bounds of what has a history. A pool takes 3 KB and an endpoint 1 KB, so all of them take at most 7 MB.
const (
	maxPoolHistories = 1000
	maxPodHistories  = 4000
)

// sampler records the history of pools with traffic. It is safe for concurrent use.
type sampler struct {
	// Immutable:
	registry *upstream.Registry
	metrics  *observe.Metrics

	mu        sync.Mutex
	tick      uint64 // number of samples
	total     traffic
	counted   counted // by all pools
	pools     map[*upstream.Pool]*sampled
	histories int // pools with a traffic
	pods      int // number of podTraffic
}

// sampled is a pool that has counters. Its traffic is nil if the pool is idle, or if there are too many.
type sampled struct {
	counted counted
	seen    uint64 // the last tick
	active  uint64 // the last tick with traffic
	traffic *traffic
	pods    map[podKey]*podTraffic
}

// podKey identifies an endpoint of a pool.
type podKey struct{ id, address string }

func newSampler(registry *upstream.Registry, metrics *observe.Metrics) *sampler {
	return &sampler{registry: registry, metrics: metrics, pools: map[*upstream.Pool]*sampled{}}
}

// sample records one sample of each pool.
func (s *sampler) sample() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tick++
	var sessions, inFlight int64
	s.registry.Visit(func(p *upstream.Pool) {
		counts, isOwn := s.metrics.PoolCounts(p.Slot)
		poolSessions, poolInFlight := load(p.Set())
		sessions, inFlight = sessions+poolSessions, inFlight+poolInFlight
		if isOwn {
			s.samplePool(p, &counts, poolSessions, poolInFlight)
		}
	})
	all := s.metrics.AllCounts()
	s.total.add(s.tick, s.counted.advance(&all), sessions, inFlight)
	for p, of := range s.pools {
		if of.seen != s.tick {
			s.forget(of)
			delete(s.pools, p)
		}
	}
}

// load returns the numbers of sessions and requests in flight of all endpoints.
func load(set *upstream.Set) (sessions, inFlight int64) {
	for _, e := range set.Endpoints() {
		sessions, inFlight = sessions+e.Sessions(), inFlight+e.InFlight()
	}
	return sessions, inFlight
}

func (s *sampler) samplePool(p *upstream.Pool, counts *observe.Counts, sessions, inFlight int64) {
	of := s.pools[p]
	if of == nil {
		of = &sampled{}
		s.pools[p] = of
	}
	d := of.counted.advance(counts)
	of.seen = s.tick
	if d.requests > 0 || inFlight > 0 {
		of.active = s.tick
	}
	switch {
	case of.active+historyLength < s.tick:
		s.forget(of)
	case of.traffic == nil && s.histories < maxPoolHistories:
		s.histories++
		of.traffic, of.pods = &traffic{since: s.tick - 1}, map[podKey]*podTraffic{}
	}
	if of.traffic != nil {
		of.traffic.add(s.tick, d, sessions, inFlight)
		s.samplePods(of, p.Set())
	}
}

func (s *sampler) samplePods(of *sampled, set *upstream.Set) {
	for _, e := range set.Endpoints() {
		key := podKey{e.ID, e.Address}
		pod := of.pods[key]
		if pod == nil {
			if s.pods >= maxPodHistories {
				continue
			}
			s.pods++
			pod = &podTraffic{since: s.tick - 1}
			of.pods[key] = pod
		}
		pod.seen = s.tick
		pod.sessions.set(s.tick, uint64(max(e.Sessions(), 0)))
		pod.inFlight.set(s.tick, uint64(max(e.InFlight(), 0)))
	}
	for key, pod := range of.pods {
		if pod.seen != s.tick {
			delete(of.pods, key)
			s.pods--
		}
	}
}

// forget drops the history of a pool.
func (s *sampler) forget(of *sampled) {
	if of.traffic != nil {
		s.histories--
		s.pods -= len(of.pods)
		of.traffic, of.pods = nil, nil
	}
}

// totals returns the history of all pools.
func (s *sampler) totals() *history {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.total.describe(s.tick)
}

// pool returns the history of a pool, or nil.
func (s *sampler) pool(p *upstream.Pool) *history {
	s.mu.Lock()
	defer s.mu.Unlock()
	if of := s.pools[p]; of != nil && of.traffic != nil {
		return of.traffic.describe(s.tick)
	}
	return nil
}

// pod returns the history of an endpoint, or nil.
func (s *sampler) pod(p *upstream.Pool, e *upstream.Endpoint) *podHistory {
	s.mu.Lock()
	defer s.mu.Unlock()
	if of := s.pools[p]; of != nil {
		if pod := of.pods[podKey{e.ID, e.Address}]; pod != nil {
			return pod.describe(s.tick)
		}
	}
	return nil
}

// counted has the totals at the last sample.
type counted struct{ requests, errors, started, moved uint64 }

// delta has the numbers of one interval.
type delta counted

// advance sets the totals and returns what was added. Totals that are lower than before have begun again at zero.
func (c *counted) advance(counts *observe.Counts) delta {
	now := counted{counts.Requests, counts.Errors, counts.Decisions[affinity.OutcomeNew][affinity.ReasonNone], counts.Moved()}
	before := *c
	*c = now
	return delta{grown(before.requests, now.requests), grown(before.errors, now.errors), grown(before.started, now.started),
		grown(before.moved, now.moved)}
}

func grown(before, now uint64) uint64 {
	if now < before {
		return now
	}
	return now - before
}
