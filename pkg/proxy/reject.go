package proxy

import "time"

// Connections over a limit receive a 503 with Retry-After where that is cheap: in cleartext HTTP/1.1, a few at a time and
// for a short time. All others are closed. A TLS handshake would cost more than the request that the limit keeps out.
const (
	maxRejecting  = 64 // rejected connections at a time, in addition to ConnectionLimits.Total
	rejectTimeout = 2 * time.Second
)

// beginReject reports whether one more connection may be rejected with a response. If so, callers must call endReject.
func (a *admission) beginReject(t transport) bool {
	if !t.canReject {
		return false
	}
	if a.rejecting.Add(1) <= maxRejecting {
		return true
	}
	a.endReject()
	return false
}

// endReject undoes beginReject.
func (a *admission) endReject() { a.rejecting.Add(-1) }

// reject responds to the first request with 503 if it arrives within rejectTimeout and is not HTTP/2.
func (c *client) reject() {
	_ = c.raw.SetDeadline(time.Now().Add(rejectTimeout)) // fails if the connection is closed, and so do the reads below
	c.startHTTP(c.raw)
	c.idleSince.Store(c.server.Clock())
	if c.waitForRequest(c.idleUntil()) && !c.hasHTTP2Preface() {
		c.perform(c.serveNext())
	}
}
