package exchange

import (
	"io"
)

// attempts is what has been tried for one request.
type attempts struct {
	count    int
	replayed bool // the request was sent a second time already
}

// failure says why an attempt came to nothing. Its kind carries the decision whether there may be another.
type failure struct {
	kind failureKind
	err  error
}

type failureKind uint8

const (
	// none: the pod answered, and the answer is on its way or was delivered.
	none failureKind = iota
	// notSent: no connection could be made, so that no pod has seen the request.
	notSent
	// stale: the idle connection that was taken had ended, before anything of the request came to the pod.
	stale
	// notTaken: the pod says that it has not begun with the request (RFC 9113 section 8.7).
	notTaken
	// lost: the connection ended before the first byte of an answer. The pod may have acted on the request.
	lost
	// late: the pod did not answer in time.
	late
	// badAnswer: what came is no HTTP, or breaks it.
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
	// replay sends to the same endpoint what it may have acted on already.
	replay
)

// decideNext is the rule of retries. Nothing sent means safe to send elsewhere, whatever the method. Otherwise a
// request is sent once more, to the same pod, if it may be: its method is safe (RFC 9110 section 9.2.1) and it has no
// body. Not more than once, because a request that kills pods must not be offered to all of them (docs/adr/0011). most
// bounds how often it is tried in all.
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

// attempt sends the request to the endpoint that was decided on, and to others where the rule allows, until one has
// answered or none is left.
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

// endReplay gives back what tryAgain was given leave for.
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

// tryEndpoint makes one attempt, from the connection to the end of the answer.
func (x *Exchange) tryEndpoint() failure {
	x.beginAttempt()
	defer x.endpoint.End()
	if x.backend.Transport.HTTP2 {
		return x.tryHTTP2()
	}
	return x.tryHTTP1()
}

// abandon gives up an attempt: nothing of it may come back.
func (x *Exchange) abandon(pod io.Closer) {
	pod.Close()
	x.body.stop()
}

// answerBy is when a pod that stays silent will have taken too long. While the client still sends, the pod may have
// reason to wait.
func (x *Exchange) answerBy() int64 {
	patience := x.view.Limits.AnswerTimeout
	if !x.body.isRead() {
		patience += x.view.Limits.BodyTimeout
	}
	return x.Engine.After(patience)
}
