package proxy

import "time"

// Connections that are one too many are answered, so that clients and load balancers know what has happened and when to
// come back, as long as that costs little: in clear, in HTTP/1.1, a few at a time, and not for long. All others are closed:
// a TLS handshake would cost more than the request that the limit is there to keep away.
const (
	mostTurnedAway = 64 // at a time, beyond the limit of all connections
	turnAwayTime   = 2 * time.Second
)

// beginTurningAway reports whether one more may be turned away with an answer. Then endTurningAway is called in the end.
func (a *admission) beginTurningAway(from service) bool {
	if !from.answers {
		return false
	}
	if a.turnedAway.Add(1) <= mostTurnedAway {
		return true
	}
	a.endTurningAway()
	return false
}

func (a *admission) endTurningAway() { a.turnedAway.Add(-1) }

// turnAway answers the first request with 503, if it comes soon and is none of HTTP/2.
func (c *client) turnAway() {
	_ = c.raw.SetDeadline(time.Now().Add(turnAwayTime)) // fails on a connection that is closed, and so does what follows
	c.speak(c.raw)
	c.idleSince.Store(c.server.Clock())
	if c.wait(c.idleUntil()) && !c.speaksHTTP2() {
		c.follow(c.serveNext())
	}
}
