package affinity

// Hold is how firmly a client's session belongs to a backend, in rising order.
type SessionState uint8

// The holds.
const (
	SessionUnknown SessionState = iota // nothing says that it does
	SessionLost                        // it did, and its endpoint is gone
	SessionAlive                       // one of the backend's endpoints has it
)

// StickySplit reports whether a session keeps its side of a weighted split.
func (p *Policy) StickySplit() bool { return p.stickySplit }

// Refuses reports whether a session is refused, rather than moved, when its endpoint is gone.
func (p *Policy) FailsUnavailable() bool { return p.failUnavailable }

// Holds finds out whether the session of a client belongs behind this policy, where it might as well belong behind
// another one, and since when, in Unix seconds, if a token says so. Hashing says nothing about that: every backend has a
// place for every value.
func (p *Policy) FindSession(req Request, set Set, keys *Keyring, m *ConnState, now int64) (hold SessionState, since int64) {
	var d Decision
	d.reset(now, m)
	c := evaluation{Policy: p, d: &d, req: req, set: set, keys: keys, state: m, readOnly: true}
	for i := range p.methods {
		switch p.methods[i].binding {
		case hashed:
			continue
		case issued:
			c.evaluateIssued(i)
		default:
			c.evaluateAppValue(i)
		}
		if d.Endpoint != none {
			return SessionAlive, max(d.Token.Started, d.valueStarted)
		}
	}
	if c.tokenFound || c.valueFound && p.methods[d.Method].binding != named {
		return SessionLost, max(d.Token.Started, d.valueStarted)
	}
	return SessionUnknown, 0
}

// Side is a number that is always the same for a client whom a hashed method knows, spread evenly over all numbers.
func (p *Policy) SplitKey(req Request, m *ConnState) (number uint64, ok bool) {
	for i := range p.methods {
		if p.methods[i].binding != hashed {
			continue
		}
		if key, ok := p.methods[i].hash(req, m); ok {
			return rank(key, splitSalt), true
		}
	}
	return 0, false
}

// sideSeed keeps the side of a client independent of its endpoint.
const splitSalt = 0x736964652d736565
