package upstream

import (
	"math/rand/v2"
	"slices"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/model"
)

// FailureKind is what ejects an endpoint.
type FailureKind uint8

// The kinds.
const (
	FailureConnect FailureKind = iota // no connection could be made
	FailureReset                      // the connection ended before a response
	FailureTimeout                    // the response was late
	FailureStatus                     // the status of the response counts as a failure
	failureKinds
)

var failureNames = [failureKinds]string{"connect", "reset", "timeout", "status"}

// String returns the name in metrics and logs.
func (k FailureKind) String() string { return failureNames[k] }

// ejection is the state of an endpoint that was ejected. It is guarded by Pool.mu.
type ejection struct {
	backoff
	settings model.Ejection
	reason   FailureKind
	// probeSet is the Set in which the endpoint is ready, for probes. It is nil until the first probe.
	probeSet *Set
}

// ejectedEndpoints are the ejected endpoints of a Set.
type ejectedEndpoints struct {
	list []*Endpoint // immutable
	due  atomic.Int64
}

// ejectionCounts counts the ejections of a pool by FailureKind.
type ejectionCounts [failureKinds]atomic.Uint64

// HealthChange is the ejection or the return of an endpoint.
type HealthChange struct {
	Pool     *Pool
	Endpoint string // its Label
	IsOut    bool
	Reason   FailureKind // of the ejection
}

// Responded records that the endpoint works. It ends a series of failures.
func (e *Endpoint) Responded() {
	if e.flags.has(flagFailing | flagRefusing) {
		e.flags.bits.And(notFailures &^ (flagFailing | flagRefusing))
	}
}

// Failed records a failure of e, which must be an endpoint of the pool, and ejects it after enough consecutive ones.
func (p *Pool) Failed(e *Endpoint, kind FailureKind, s *model.Ejection) {
	if s.Failures == 0 {
		return
	}
	if e.flags.addFailure() < s.Failures {
		return
	}
	e.flags.clearFailures() // if the endpoint stays, the pool tries again after as many failures
	p.eject(e.endpointState, kind, s, p.registry.clock())
}

// eject takes an endpoint out of the pool, unless too many are out, or no other endpoint works. It reports whether the endpoint
// is out.
func (p *Pool) eject(state *endpointState, kind FailureKind, s *model.Ejection, now int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	set := p.Set()
	if set.isEjected(state) {
		return true
	}
	e := set.readyWithState(state)
	if e == nil || !set.mayEject(state, s.MaxPercent) {
		return false
	}
	key := stateKeyOf(&e.Endpoint)
	if p.ejections == nil {
		p.ejections = map[stateKey]*ejection{}
	}
	out := p.ejections[key]
	if out == nil {
		out = &ejection{}
		p.ejections[key] = out
	}
	out.settings, out.reason = *s, kind
	out.backoff = out.fail(s, now, rand.Float64())
	e.closeIdle(farFuture)
	p.count(kind)
	p.replace(p.declared())
	p.report(HealthChange{p, e.Label(), true, kind})
	return true
}

func (s *Set) isEjected(state *endpointState) bool {
	return slices.ContainsFunc(s.Ejected(), func(e *Endpoint) bool { return e.endpointState == state })
}

// hasEjected reports whether an ejected endpoint has that key.
func (s *Set) hasEjected(identity model.Identity, key model.EndpointKey) bool {
	return slices.ContainsFunc(s.Ejected(), func(e *Endpoint) bool {
		if identity == model.IdentityPodName {
			return model.KeyOf(e.podName()) == key
		}
		return model.KeyOf(e.ID) == key
	})
}

// readyWithState returns the ready endpoint with that state, or nil.
func (s *Set) readyWithState(state *endpointState) *Endpoint {
	for _, e := range s.endpoints {
		if e.endpointState == state && e.State == model.EndpointReady {
			return e
		}
	}
	return nil
}

// mayEject reports whether one more endpoint may be ejected. Another one must be ready and without failures: if all fail, the
// cause is probably elsewhere, and sessions would move in vain.
func (s *Set) mayEject(state *endpointState, maxPercent int32) bool {
	ready, works := 0, false
	for _, e := range s.endpoints {
		if e.State != model.EndpointReady {
			continue
		}
		ready++
		works = works || e.endpointState != state && !e.flags.has(flagFailing)
	}
	out := len(s.Ejected())
	return works && isWithin(out+1, ready+out, maxPercent)
}

// isWithin reports whether so many of all endpoints may be ejected.
func isWithin(out, all int, maxPercent int32) bool {
	return out < all && out*100 <= all*int(maxPercent)
}

// Ejected returns the ejected endpoints. Endpoints does not include them. Callers must not modify the slice.
func (s *Set) Ejected() []*Endpoint {
	if s.notReady == nil || s.notReady.ejected == nil {
		return nil
	}
	return s.notReady.ejected.list
}

// withEjections returns the endpoints with the state Ejected where that applies. It forgets the ejections of endpoints that are
// gone or no longer ready, and returns endpoints to the pool if too many are out. It does not modify endpoints. p.mu must be
// held.
func (p *Pool) withEjections(endpoints []model.Endpoint) []model.Endpoint {
	if len(p.ejections) == 0 {
		return endpoints
	}
	ready := map[stateKey]bool{}
	for i := range endpoints {
		if endpoints[i].State == model.EndpointReady {
			ready[stateKeyOf(&endpoints[i])] = true
		}
	}
	p.limitEjections(ready)
	out := slices.Clone(endpoints)
	for i := range out {
		if e := p.ejections[stateKeyOf(&out[i])]; e != nil && e.isOut() {
			e.probeSet = nil
			out[i].State = model.EndpointEjected
		}
	}
	return out
}

// limitEjections removes the ejections of endpoints that are not ready, and those that end first until no more than allowed are
// left.
func (p *Pool) limitEjections(ready map[stateKey]bool) {
	out := 0
	for key, e := range p.ejections {
		switch {
		case !ready[key]:
			delete(p.ejections, key)
		case e.isOut():
			out++
		}
	}
	for out > 0 {
		first, e := p.firstEjection()
		if isWithin(out, len(ready), e.settings.MaxPercent) {
			return
		}
		delete(p.ejections, first)
		out--
	}
}

// firstEjection returns the ejection that ends first, of several the one with the lowest key.
func (p *Pool) firstEjection() (first stateKey, found *ejection) {
	for key, e := range p.ejections {
		if !e.isOut() || found != nil && (e.until > found.until || e.until == found.until && key.compare(first) > 0) {
			continue
		}
		first, found = key, e
	}
	return first, found
}

// keepEjected adds the ejected endpoints to a new Set, and their states to next: they keep their sessions and counts. p.mu must
// be held.
func (p *Pool) keepEjected(set *Set, known, next map[stateKey]*endpointState) {
	var list []*Endpoint
	for _, e := range set.NotReady() {
		key := stateKeyOf(&e)
		if e.State != model.EndpointEjected || known[key] == nil {
			continue
		}
		next[key] = known[key]
		list = append(list, &Endpoint{Endpoint: e, endpointState: known[key]})
	}
	if list != nil {
		set.notReady.ejected = &ejectedEndpoints{list: list}
		set.notReady.ejected.due.Store(p.nextProbe())
	}
}

// nextProbe returns when the first ejected endpoint is due for a probe.
func (p *Pool) nextProbe() int64 {
	first := int64(never)
	for _, e := range p.ejections {
		if e.state == healthEjected {
			first = min(first, e.until)
		}
	}
	return first
}

// declared returns the endpoints with the states that they have without marks and ejections. p.mu must be held.
func (p *Pool) declared() []model.Endpoint {
	set := p.Set()
	endpoints := make([]model.Endpoint, 0, set.Len()+len(set.NotReady()))
	for _, e := range set.Endpoints() {
		endpoint := e.Endpoint
		if p.marked[endpoint.ID] {
			endpoint.State = model.EndpointReady
		}
		endpoints = append(endpoints, endpoint)
	}
	for _, endpoint := range set.NotReady() {
		if endpoint.State == model.EndpointEjected {
			endpoint.State = model.EndpointReady
		}
		endpoints = append(endpoints, endpoint)
	}
	return endpoints
}

func (p *Pool) count(kind FailureKind) {
	counts := p.ejectionCounts.Load()
	if counts == nil {
		counts = &ejectionCounts{}
		p.ejectionCounts.Store(counts)
	}
	counts[kind].Add(1)
}

func (p *Pool) report(change HealthChange) {
	if p.registry.OnHealth != nil {
		p.registry.OnHealth(change)
	}
}

// HasEjected reports whether an endpoint of the pool was ever ejected.
func (p *Pool) HasEjected() bool { return p.ejectionCounts.Load() != nil }

// VisitEjections calls visit with the number of ejections for each reason, if there was one.
func (p *Pool) VisitEjections(visit func(reason string, n uint64)) {
	counts := p.ejectionCounts.Load()
	if counts == nil {
		return
	}
	for kind := range counts {
		visit(failureNames[kind], counts[kind].Load())
	}
}
