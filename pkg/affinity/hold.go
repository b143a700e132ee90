package affinity

// Hold is how firmly a client's session belongs to a backend, in rising order.
type Hold uint8

// The holds.
const (
	HoldNone  Hold = iota // nothing says that it does
	HoldLost              // it did, and its endpoint is gone
	HoldAlive             // one of the backend's endpoints has it
)

// StickySplit reports whether a session keeps its side of a weighted split.
func (p *Policy) StickySplit() bool { return p.stickySplit }

// Refuses reports whether a session is refused, rather than moved, when its endpoint is gone.
func (p *Policy) Refuses() bool { return p.strict }

// Holds finds out whether the session of a client belongs behind this policy, where it might as well belong behind
// another one, and since when, in Unix seconds, if a token says so. Hashing says nothing about that: every backend has a
// place for every value.
func (p *Policy) Holds(req Request, set Set, keys *Keyring, m *Memory, now int64) (hold Hold, since int64) {
	var d Decision
	d.reset(now, m)
	c := call{Policy: p, d: &d, req: req, set: set, keys: keys, mem: m, probes: true}
	for i := range p.methods {
		switch p.methods[i].binding {
		case hashed:
			continue
		case issued:
			c.askIssued(i)
		default:
			c.askOwn(i)
		}
		if d.Endpoint != none {
			return HoldAlive, max(d.Token.Bound, d.bound)
		}
	}
	if c.kept || c.settled && p.methods[d.Method].binding != named {
		return HoldLost, max(d.Token.Bound, d.bound)
	}
	return HoldNone, 0
}

// Side is a number that is always the same for a client whom a hashed method knows, spread evenly over all numbers.
func (p *Policy) Side(req Request, m *Memory) (number uint64, ok bool) {
	for i := range p.methods {
		if p.methods[i].binding != hashed {
			continue
		}
		if key, ok := p.methods[i].hash(req, m); ok {
			return rank(key, sideSeed), true
		}
	}
	return 0, false
}

// sideSeed keeps the side of a client independent of its endpoint.
const sideSeed = 0x736964652d736565
