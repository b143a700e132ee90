package upstream

import (
	"math/rand/v2"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Probe is the permit to send one request to an ejected endpoint. Exactly one of Succeeded, Failed and Abandon must be called.
// Further calls have no effect.
type Probe struct {
	// Set has the endpoints that are available, and the one to probe as a ready one.
	Set *Set

	pool  *Pool
	state *endpointState
	key   stateKey
	of    *ejection // nil after the end
}

// Probe returns a permit to probe an ejected endpoint, or nil if none is due. There is at most one permit for an endpoint.
func (s *Set) Probe() *Probe {
	if len(s.Ejected()) == 0 {
		return nil
	}
	now := s.pool.registry.clock()
	if now < s.notReady.ejected.due.Load() {
		return nil
	}
	return s.pool.startProbe(now)
}

// NextProbe returns the time until an ejected endpoint is due for a probe. ok is false if none will be, or a probe decides that.
func (s *Set) NextProbe() (wait time.Duration, ok bool) {
	if len(s.Ejected()) == 0 {
		return 0, false
	}
	due := s.notReady.ejected.due.Load()
	if due == never {
		return 0, false
	}
	return time.Duration(max(due-s.pool.registry.clock(), 0)) * time.Millisecond, true
}

func (p *Pool) startProbe(now int64) *Probe {
	p.mu.Lock()
	defer p.mu.Unlock()
	set := p.Set()
	for _, e := range set.Ejected() {
		key := stateKeyOf(&e.Endpoint)
		out := p.ejections[key]
		next, ok := out.startProbe(now)
		if !ok {
			continue
		}
		out.backoff = next
		set.notReady.ejected.due.Store(p.nextProbe())
		if out.probeSet == nil {
			out.probeSet = p.newProbeSet(set, e)
		}
		return &Probe{out.probeSet, p, e.endpointState, key, out}
	}
	return nil
}

// newProbeSet returns a copy of set in which an ejected endpoint is ready.
func (p *Pool) newProbeSet(set *Set, e *Endpoint) *Set {
	probed := *e
	probed.State = model.EndpointReady
	members := append(make([]*Endpoint, 0, set.Len()+1), &probed)
	out := newSet(append(members, set.Endpoints()...), p)
	out.notReady, out.removed = set.notReady, set.removed
	return out
}

// IsFor reports whether e is the endpoint to probe. It returns false for a nil Probe, and after the end of p.
func (p *Probe) IsFor(e *Endpoint) bool { return p != nil && p.of != nil && e.endpointState == p.state }

// Succeeded returns the endpoint to its pool.
func (p *Probe) Succeeded() {
	p.end(func(out *ejection, now int64) {
		out.backoff = out.succeed(&out.settings, now)
		p.state.flags.bits.And(notFailures &^ (flagFailing | flagRefusing))
		p.state.stateSince.Store(time.Now().Unix()) // for a slow start
		p.pool.replace(p.pool.declared())
		p.pool.report(HealthChange{p.pool, p.label(), false, out.reason})
	})
}

// Failed ejects the endpoint again, for longer.
func (p *Probe) Failed(kind FailureKind) {
	p.end(func(out *ejection, now int64) {
		out.reason = kind
		out.backoff = out.fail(&out.settings, now, rand.Float64())
		p.pool.count(kind)
	})
}

// Abandon returns the permit. The next request can get it.
func (p *Probe) Abandon() { p.end(func(out *ejection, _ int64) { out.backoff = out.abandon() }) }

// end applies the outcome, unless the endpoint has left the pool or its ejection has ended otherwise.
func (p *Probe) end(apply func(out *ejection, now int64)) {
	if p == nil || p.of == nil {
		return
	}
	pool, out := p.pool, p.of
	p.of = nil
	pool.mu.Lock()
	defer pool.mu.Unlock()
	if pool.ejections[p.key] != out || out.state != healthProbing {
		return
	}
	apply(out, pool.registry.clock())
	if set := pool.Set(); len(set.Ejected()) > 0 {
		set.notReady.ejected.due.Store(pool.nextProbe())
	}
	pool.broadcast()
}

func (p *Probe) label() string {
	for _, e := range p.Set.Endpoints() {
		if e.endpointState == p.state {
			return e.Label()
		}
	}
	return p.key.address
}
