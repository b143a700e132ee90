package observe

import "github.com/limpet-dev/limpet/pkg/affinity"

// Counts are totals of a pool, or of all pools. Those of a pool begin again at zero after an hour without traffic.
type Counts struct {
	Requests uint64
	// Errors counts the requests with a 5xx status.
	Errors    uint64
	Retries   uint64
	Failures  uint64 // failed attempts, and requests without a usable endpoint
	Decisions [affinity.NumOutcomes][affinity.NumReasons]uint64
}

// Moved returns the number of sessions that have moved.
func (c *Counts) Moved() (n uint64) {
	for _, of := range c.Decisions[affinity.OutcomeMoved] {
		n += of
	}
	return n
}

// PoolCounts returns the counts of the pool in slot. isOwn is false without them: the pool had no recent traffic, or Detail or
// the limit of series counts it together with others.
func (m *Metrics) PoolCounts(slot int) (c Counts, isOwn bool) {
	of := m.groups.of(slot)
	if m.groups.detail < DetailPool || of == nil || of == m.groups.discard || !m.groups.hasOwn(of) {
		return c, false
	}
	if counts := of.counts.Load(); counts != nil {
		counts.addTo(&c)
	}
	return c, true
}

// AllCounts returns the counts of all requests of this process.
func (m *Metrics) AllCounts() (c Counts) {
	g := m.groups
	g.other.addTo(&c)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.retired.addTo(&c)
	for _, of := range g.byName {
		if counts := of.counts.Load(); counts != nil && counts != &g.other {
			counts.addTo(&c)
		}
	}
	return c
}

// addTo adds the counts of p to c.
func (p *PoolMetrics) addTo(c *Counts) {
	for i, code := range codeNames {
		n := p.codes[i].Load()
		c.Requests += n
		if code[0] == '5' {
			c.Errors += n
		}
	}
	c.Retries += p.retries.Load()
	for i := range p.failures {
		c.Failures += p.failures[i].Load()
	}
	for o := range p.decisions {
		for r := range p.decisions[o] {
			c.Decisions[o][r] += p.decisions[o][r].Load()
		}
	}
}

// add adds what other has counted.
func (p *PoolMetrics) add(other *PoolMetrics) {
	for i := range p.codes {
		p.codes[i].Add(other.codes[i].Load())
	}
	for o := range p.decisions {
		for r := range p.decisions[o] {
			p.decisions[o][r].Add(other.decisions[o][r].Load())
		}
	}
	p.retries.Add(other.retries.Load())
	for i := range p.failures {
		p.failures[i].Add(other.failures[i].Load())
	}
	p.duration.add(&other.duration)
}
