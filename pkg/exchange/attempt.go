package exchange

import (
	"io"
)

// attempts counts what has been tried for one request.
type attempts struct {
	count    int
	replayed bool // the request was sent a second time already
}

// failure says why an attempt failed. Its kind decides whether there may be another.
type failure struct {
	kind failureKind
	err  error
}

type failureKind uint8

const (
	// none: the pod sent a response, which is on its way or was delivered.
	none failureKind = iota
	// notSent: no connection could be made, so that no pod has seen the request.
	notSent
	// stale: the idle connection that was reused had ended before anything of the request reached the pod.
	stale
	// notTaken: the pod says that it has not begun with the request (RFC 9113 section 8.7).
	notTaken
	// lost: the connection ended before the first byte of a response. The pod may have acted on the request.
	lost
	// late: the pod did not respond in time.
	late
	// badAnswer: the response is not valid HTTP.
	badAnswer
	// badBody: the client's body is malformed, came too slowly or ended early.
	badBody
)

// next is what to do after a failed attempt.
type next uint8

const (
	giveUp next = iota
	sameEndpoint
	otherEndpoint
	// replay sends the request again to the endpoint that may have acted on it already.
	replay
)

// decideNext is the rule of retries.
//
// If no pod has seen the request, it is safe to send elsewhere, whatever its method. Otherwise it is sent once more, to the same
// pod, if it is replayable: its method is safe (RFC 9110 section 9.2.1) and it has no body. It is not sent a third time, because
// a request that kills pods must not be offered to all of them (docs/adr/0011). most is how often it is tried in all.
func decideNext(kind failureKind, replayable bool, a *attempts, most int) next {
	if a.count >= most {
		return giveUp
	}
	switch kind {
	case notSent:
		return otherEndpoint
	case notTaken:
		return sameEndpoint
	case lost:
		if replayable && !a.replayed {
			return replay
		}
	}
	return giveUp
}

// attempt sends the request to the endpoint that was decided on, and to others where decideNext allows, until one has responded
// or none is left.
func (x *Exchange) attempt() {
	for {
		x.endpoint = x.set.Endpoint(x.decision.Endpoint)
		x.tried.count++
		failed := x.tryEndpoint()
		if failed.kind == none {
			return
		}
		if !x.tryAgain(failed) {
			x.body.stop()
			x.respondFailure(failed)
			return
		}
		x.Engine.Metrics.Pool(x.backend.Pool.Slot).Retry()
	}
}

// endReplay returns the permit for a replay that tryAgain took from the pool.
func (x *Exchange) endReplay() {
	if x.tried.replayed {
		x.backend.Pool.EndReplay()
	}
}

// tryAgain prepares the next attempt. It returns false if there is to be none.
func (x *Exchange) tryAgain(failed failure) bool {
	switch decideNext(failed.kind, x.replayable(), &x.tried, x.view.Limits.Attempts) {
	case sameEndpoint:
		return x.body.keepForAnother()
	case replay:
		x.tried.replayed = x.backend.Pool.BeginReplay()
		return x.tried.replayed
	case otherEndpoint:
		return x.body.keepForAnother() && x.nextEndpoint()
	}
	return false
}

// tryEndpoint makes one attempt, from the connection to the end of the response.
func (x *Exchange) tryEndpoint() failure {
	x.beginAttempt()
	defer x.endpoint.End()
	if x.backend.Transport.HTTP2 {
		return x.tryHTTP2()
	}
	return x.tryHTTP1()
}

// abandon gives up an attempt. Its connection is not used again.
func (x *Exchange) abandon(pod io.Closer) {
	pod.Close()
	x.body.stop()
}

// answerBy returns when a silent pod will have taken too long. While the client still sends, the pod may have reason to wait.
func (x *Exchange) answerBy() int64 {
	patience := x.view.Limits.ResponseTimeout
	if !x.body.isRead() {
		patience += x.view.Limits.BodyTimeout
	}
	return x.Engine.After(patience)
}
