package affinity

// SessionState describes the session of a client in one backend, in rising order of preference.
type SessionState uint8

// The session states.
const (
	SessionUnknown SessionState = iota // the client has no known session in this backend
	SessionLost                        // it has a session, but its endpoint is gone
	SessionAlive                       // it has a session on an available endpoint
)

// StickySplit reports whether a session keeps its backend in a weighted split.
func (p *Policy) StickySplit() bool { return p.stickySplit }

// FailsUnavailable reports whether a session is refused, rather than moved, when its endpoint is gone.
func (p *Policy) FailsUnavailable() bool { return p.failUnavailable }

// FindSession returns the state of the client's session in the backend of p, for choosing between several backends. It
// also returns when the session started, in Unix seconds, or zero if no token contains that. It ignores hashed
// methods, because a hash selects an endpoint in every backend.
func (p *Policy) FindSession(
	req Request, set Set, keys *Keyring, state *ConnState, now int64,
) (session SessionState, started int64) {
	var d Decision
	d.reset(now, state)
	e := evaluation{Policy: p, d: &d, req: req, set: set, keys: keys, state: state, readOnly: true}
	for i := range p.methods {
		switch p.methods[i].binding {
		case hashed:
			continue
		case issued:
			e.evaluateIssued(i)
		default:
			e.evaluateAppValue(i)
		}
		if d.Endpoint != none {
			return SessionAlive, max(d.Token.Started, d.valueStarted)
		}
	}
	if d.Outcome == OutcomeLent && set.Len() > 0 {
		return SessionAlive, max(d.Token.Started, d.valueStarted)
	}
	if e.found == sessionFromToken || e.found == sessionFromApp && p.methods[d.Method].binding != named {
		return SessionLost, max(d.Token.Started, d.valueStarted)
	}
	return SessionUnknown, 0
}

// SplitKey returns a number for choosing a backend in a weighted split. It is derived from the value of the first
// hashed method, and is uniform over all uint64 values. It returns false if no hashed method recognizes the client.
func (p *Policy) SplitKey(req Request, state *ConnState) (number uint64, ok bool) {
	for i := range p.methods {
		if p.methods[i].binding != hashed {
			continue
		}
		if key, ok := p.methods[i].hash(req, state); ok {
			return rank(key, splitSalt), true
		}
	}
	return 0, false
}

// splitSalt makes the choice of the backend independent of the choice of the endpoint.
const splitSalt = 0x736964652d736565
