package exchange

import (
	"errors"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// http1Attempt is an attempt over an HTTP/1.1 connection.
type http1Attempt struct {
	*Exchange
	conn *upstream.Conn
}

// tryHTTP1 makes one attempt over an HTTP/1.1 connection.
func (x *Exchange) tryHTTP1() failure {
	conn, err := x.connect()
	if err != nil {
		return failure{dialFailed, err}
	}
	x.upstream = conn
	attempt := http1Attempt{x, conn}
	switch f := attempt.send(); f.kind {
	case noFailure:
	case staleConn:
		conn.Close()
		x.upstream = nil
		return x.tryHTTP1() // terminates: the pool has one idle connection less
	default:
		x.abortAttempt(conn)
		return f
	}
	if f := attempt.receiveHead(); f.kind != noFailure {
		// Check failure first: stopping the pump makes reads from the client fail.
		if err := x.body.failure(); err != nil {
			f = failure{requestBodyFailed, err}
		}
		x.abortAttempt(conn)
		return f
	}
	x.measureLatency()
	x.observeStatus()
	if x.prepareStatusRetry() {
		x.abortAttempt(conn)
		return failure{kind: statusRefused}
	}
	attempt.relay()
	return failure{}
}

// connect returns an idle connection, or dials one. A replay always dials. Writing the request detects an idle connection
// that the pod has closed. If a body may be written first, the connection is checked before.
func (x *Exchange) connect() (*upstream.Conn, error) {
	transport := x.backend.Transport
	if !x.attempts.isReplay {
		deferCheck := x.req.Body == http1.BodyNone
		if conn := x.takeOwned(deferCheck); conn != nil {
			return conn, nil
		}
		if conn := x.endpoint.TakeIdle(x.Shard, transport, deferCheck); conn != nil {
			return conn, nil
		}
	}
	return x.endpoint.Dial(x.dialer(), transport, x.head.preamble())
}

// send writes the head and the part of the body that has arrived. The rest of the body is sent concurrently with the wait for
// the response.
func (x http1Attempt) send() failure {
	x.out.Begin()
	x.out.Buf = x.head.appendHead(x.out.Buf)
	headBytes := len(x.out.Buf)
	x.http1Upload = http1Upload{x.Exchange, x.conn}
	_ = x.body.start(x.Exchange, &x.http1Upload, false) // after an error the next write fails, too
	x.guard.Start(x.conn, x.Engine.After(x.view.Limits.ResponseTimeout))
	err := x.body.sendBuffered()
	if err == nil {
		err = x.flush()
	}
	timedOut := x.guard.Stop()
	if err != nil {
		kind := x.sendFailure(err, timedOut)
		if kind == staleConn && !x.body.restoreBody(x.out.Buf[headBytes:]) {
			kind = connLost // another attempt would send the head without the body
		}
		x.attempts.isUnsent = kind == requestBodyFailed && !x.out.Flushed()
		x.out.Drop()
		return failure{kind, err}
	}
	x.expectContinue()
	x.body.sendRest()
	return failure{}
}

// flush writes the output. If nothing is left to send, it also waits for the response.
func (x http1Attempt) flush() error {
	if x.body.isSent() {
		return x.out.FlushAndWait(x.conn.Conn, x.Engine.Limits.HeadBytes)
	}
	return x.out.Flush(x.conn)
}

// sendFailure classifies an error of send. Only a reused connection counts as stale, so that a pod that always closes its
// connections is not retried forever.
func (x http1Attempt) sendFailure(err error, timedOut bool) failureKind {
	switch {
	case err == http1.ErrStale && x.conn.Reused && x.req.Body != http1.BodyChunked:
		return staleConn
	case x.body.failure() != nil:
		return requestBodyFailed
	case timedOut:
		return responseTimeout
	}
	return connLost
}

// maxInterim limits the interim (1xx) responses before the final one.
const maxInterim = 16

// receiveHead reads the head of the final response and forwards interim responses.
func (x http1Attempt) receiveHead() failure {
	for range maxInterim {
		if f := x.readHead(); f.kind != noFailure {
			return f
		}
		if x.resp.Status >= 200 || x.resp.Status == 101 {
			return failure{}
		}
		if err := x.relayInterim(); err != nil {
			return failure{requestBodyFailed, err}
		}
	}
	return failure{invalidResponse, errTooManyInterim}
}

var errTooManyInterim = errors.New("exchange: too many interim (1xx) responses")

// readHead reads the head of one response, interim or final.
func (x http1Attempt) readHead() failure {
	x.resp.Reset()
	x.startHeadWait(x.conn)
	for {
		n, err := http1.ParseResponse(&x.resp.Response, x.conn.Buffered(), &x.Engine.Limits, x.req.Method)
		if err == nil {
			x.conn.Consume(n)
			x.stopHeadWait()
			return failure{}
		}
		if err != http1.ErrIncomplete {
			x.stopHeadWait()
			return failure{invalidResponse, err}
		}
		if len(x.conn.Buffered()) >= http1.BufferSize && !x.chargeResponseHead() {
			x.stopHeadWait()
			return failure{requestBodyFailed, ErrBusy} // no other pod would do better
		}
		if err := x.conn.Fill(x.Engine.Limits.HeadBytes); err != nil {
			interrupted := x.stopHeadWait()
			if !interrupted || !x.resumesHeadWait() {
				return failure{x.readFailure(interrupted), err}
			}
			x.startHeadWait(x.conn)
		}
	}
}

func (x http1Attempt) readFailure(timedOut bool) failureKind {
	if timedOut {
		return responseTimeout
	}
	if len(x.conn.Buffered()) > 0 {
		return invalidResponse
	}
	return connLost
}
