package proxy

import (
	"errors"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// maxAttempts bounds how often one request is tried, in all.
const maxAttempts = 5

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
)

// decideNext is the rule of retries. Nothing sent means safe to send elsewhere, whatever the method. Otherwise a
// request is sent once more, to the same pod, if it may be: its method is safe (RFC 9110 section 9.2.1) and it has no
// body. Not more than once, because a request that kills pods must not be offered to all of them.
func decideNext(kind failureKind, replayable bool, a *attempts) next {
	if a.count >= maxAttempts {
		return giveUp
	}
	switch kind {
	case notSent:
		return otherEndpoint
	case lost:
		if replayable && !a.replayed {
			return sameEndpoint
		}
	}
	return giveUp
}

// attempt sends the request to the endpoint that was decided on, and to others where the rule allows, until one has
// answered or none is left.
func (x *exchange) attempt() {
	for {
		x.endpoint = x.set.Endpoint(x.decision.Endpoint)
		x.tried.count++
		failed := x.tryEndpoint()
		if failed.kind == none {
			return
		}
		if !x.tryAgain(failed) {
			x.answerFailure(failed)
			return
		}
		x.server.Metrics.Pool(x.backend.Pool.Slot).Retry()
	}
}

// tryAgain prepares the next attempt. It returns false if there is to be none.
func (x *exchange) tryAgain(failed failure) bool {
	switch decideNext(failed.kind, x.replayable(), &x.tried) {
	case sameEndpoint:
		x.tried.replayed = true
		return true
	case otherEndpoint:
		return x.nextEndpoint()
	}
	return false
}

// replayable reports whether the request may be sent again although a pod may have acted on it.
func (x *exchange) replayable() bool {
	if x.req.Body != http1.BodyNone {
		return false
	}
	switch string(x.req.Method) {
	case "GET", "HEAD", "OPTIONS":
		return true
	}
	return false
}

// tryEndpoint makes one attempt, from the connection to the end of the answer.
func (x *exchange) tryEndpoint() failure {
	x.endpoint.Begin()
	defer x.endpoint.End()
	conn, err := x.connect()
	if err != nil {
		return failure{notSent, err}
	}
	if failed := x.send(conn); failed.kind != none {
		x.abandon(conn)
		return failed
	}
	if failed := x.receiveHead(conn); failed.kind != none {
		// Asked before the pump is stopped, which fails it.
		if err := x.body.failure(); err != nil {
			failed = failure{badBody, err}
		}
		x.abandon(conn)
		return failed
	}
	x.relay(conn)
	return failure{}
}

// connect takes an idle connection, or makes one. After a lost attempt it does not trust idle ones again.
func (x *exchange) connect() (*upstream.Conn, error) {
	if !x.tried.replayed {
		if conn := x.endpoint.Idle(x.shard); conn != nil {
			return conn, nil
		}
	}
	return x.endpoint.Dial(&x.server.dialer)
}

// send writes the head, and as much of the body as has arrived; the rest is sent while the answer is awaited.
func (x *exchange) send(conn *upstream.Conn) failure {
	x.out.Begin()
	x.out.Buf = x.appendHead(x.out.Buf)
	x.body.begin(x, conn)
	x.guard.start(conn, x.server.after(x.server.Timeouts.Answer))
	err := x.body.sendBuffered()
	if err == nil {
		err = x.flush(conn)
	}
	isLate := x.guard.stop()
	if err != nil {
		x.out.Drop()
		return failure{x.sendFailure(isLate), err}
	}
	x.body.sendRest()
	return failure{}
}

// flush also waits for the answer if there is nothing more to send.
func (x *exchange) flush(conn *upstream.Conn) error {
	if x.body.isSent() {
		return x.out.FlushAndAsk(conn.Conn, x.server.Limits.HeadBytes)
	}
	return x.out.Flush(conn)
}

func (x *exchange) sendFailure(isLate bool) failureKind {
	switch {
	case x.body.failure() != nil:
		return badBody
	case isLate:
		return late
	}
	return lost
}

// answerBy is when a pod that stays silent will have taken too long. While the client still sends, the pod may have
// reason to wait.
func (x *exchange) answerBy() int64 {
	patience := x.server.Timeouts.Answer
	if !x.body.isRead() {
		patience += x.server.Timeouts.Body
	}
	return x.server.after(patience)
}

// maxInterim bounds the 1xx answers before the real one: a pod that sends them for ever is broken.
const maxInterim = 16

// receiveHead reads the head of the final answer, and passes those of interim answers on.
func (x *exchange) receiveHead(conn *upstream.Conn) failure {
	for range maxInterim {
		if failed := x.readHead(conn); failed.kind != none {
			return failed
		}
		if x.resp.Status >= 200 || x.resp.Status == 101 {
			return failure{}
		}
		if err := x.relayInterim(); err != nil {
			return failure{badBody, err}
		}
	}
	return failure{badAnswer, errInterim}
}

var errInterim = errors.New("more interim answers than are believable")

// readHead reads one head, final or not.
func (x *exchange) readHead(conn *upstream.Conn) failure {
	x.resp.Reset()
	x.guard.start(conn, x.answerBy())
	for {
		n, err := http1.ParseResponse(&x.resp, conn.Buffered(), &x.server.Limits, x.req.Method)
		if err == nil {
			conn.Consume(n)
			x.guard.stop()
			return failure{}
		}
		if err != http1.ErrIncomplete {
			x.guard.stop()
			return failure{badAnswer, err}
		}
		if err := conn.Fill(x.server.Limits.HeadBytes); err != nil {
			return failure{x.readFailure(conn), err}
		}
	}
}

func (x *exchange) readFailure(conn *upstream.Conn) failureKind {
	if x.guard.stop() {
		return late
	}
	if len(conn.Buffered()) > 0 {
		return badAnswer
	}
	return lost
}

// relayInterim passes a 1xx answer on. A 100 is only for those who asked for it (RFC 9110 section 15.2.1).
func (x *exchange) relayInterim() error {
	if x.resp.Status == 100 && !x.req.ExpectContinue {
		return nil
	}
	return x.down.writeInterim(&x.resp)
}

// abandon gives up an attempt: nothing of it may come back.
func (x *exchange) abandon(conn *upstream.Conn) {
	conn.Close()
	x.body.stop()
}
