package exchange

import (
	"net/http"
	"time"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// continueTimeout limits the wait of a client for the pod's 100 (Continue). Many apps never send it, and some clients wait for it
// without limit. A client may send its body without it (RFC 9110 section 10.1.1), so Limpet may send it.
const continueTimeout = time.Second

// continueHead is the 100 (Continue) response.
var continueHead = http1.Response{Status: http.StatusContinue, Reason: []byte("Continue")}

// expectContinue sets the time at which Limpet sends a 100 (Continue), unless the client has begun to send the body.
func (x *Exchange) expectContinue() {
	if x.req.ExpectContinue && !x.body.isRunning() && !x.body.isRead() && x.bodyBytes == 0 {
		x.continueAt.Store(x.Engine.After(continueTimeout))
	}
}

// startHeadWait starts the guard of a wait for a response head. If a 100 (Continue) is due before the deadline, it interrupts the
// wait then, but only reads, because body may be writing to the pod.
func (x *Exchange) startHeadWait(pod Deadliner) {
	x.headDeadline, x.continueDue = x.responseDeadline(), x.continueAt.Load()
	until := x.headDeadline
	if x.continueDue != 0 {
		until = min(until, x.continueDue)
		x.guard.readOnly = until < x.headDeadline
	}
	x.guard.Start(pod, until)
}

// stopHeadWait undoes startHeadWait. It reports whether the wait was interrupted.
func (x *Exchange) stopHeadWait() (interrupted bool) {
	interrupted = x.guard.Stop()
	x.guard.readOnly = false
	return interrupted
}

// resumesHeadWait is called after a wait for a response head was interrupted. It returns true if the wait was interrupted only
// because a 100 (Continue) was due. If the client still waits for that, resumesHeadWait sends it. The caller must continue to
// wait for the response then. A wait is also interrupted when the client is gone.
func (x *Exchange) resumesHeadWait() bool {
	now := x.Engine.Clock()
	if x.continueDue == 0 || now < x.continueDue || now >= x.headDeadline || x.downstream.IsClientGone() {
		return false
	}
	if x.continueAt.Swap(0) != 0 {
		x.req.ExpectContinue = false                 // so that the one of the pod is not forwarded
		_ = x.downstream.WriteInterim(&continueHead) // if the client is gone, reading its body fails, too
	}
	return true
}

// extendResponseWait moves the deadline of the wait for the response after a part of the body was sent. It is called by the
// goroutine of body.
func (x *Exchange) extendResponseWait() {
	if x.continueAt.Load() == 0 {
		x.guard.extend(x.responseDeadline())
	}
}
