package affinity

import "cmp"

// defaultSessionWindow is the SessionWindow of policies without timeouts, in seconds.
const defaultSessionWindow = 30 * 60

// SessionWindow returns the time in seconds after which a session without requests no longer counts as live: the idle timeout
// or, without one, half an hour. It is never longer than the absolute timeout.
func (p *Policy) SessionWindow() int64 { return p.sessionWindow }

func (p *Policy) liveWindow() int64 {
	window := cmp.Or(p.idleTimeout, defaultSessionWindow)
	if p.absoluteTimeout > 0 {
		window = min(window, p.absoluteTimeout)
	}
	return window
}

// StartsSession reports whether the session of d starts at the endpoint of d with this request. unknown reports whether this
// replica has not seen the session there recently. It decides for hashed sessions, which have no token.
func (p *Policy) StartsSession(d *Decision, unknown bool) bool {
	switch d.Outcome {
	case OutcomeNew, OutcomeMoved, OutcomeInvalid:
		return true
	case OutcomeHit:
		return unknown && d.Method != none && p.methods[d.Method].binding == hashed
	}
	return false
}
