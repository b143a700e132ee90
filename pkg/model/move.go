package model

// SessionMove describes a session on a draining endpoint that may move to another one.
type SessionMove struct {
	// From and To are the draining endpoint and the one to move to, as indexes in a set of endpoints. A negative To means that
	// there is none.
	From, To int
	Session  uint64
	// Start allows the session to move. If it is false, the request only follows a session that has moved before.
	Start bool
	// AfterIdle is the time in seconds for which From must not have served the session. Zero moves the session even during its
	// requests, and regardless of PerMinute.
	AfterIdle int64
	// PerMinute is the maximum number of sessions of the pool that move in a minute. Zero sets no maximum.
	PerMinute int64
	// Now is the time in Unix seconds.
	Now int64
	// DryRun decides without an effect.
	DryRun bool
}
