package exchange

import (
	"errors"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// http1Attempt is one attempt at a pod that speaks HTTP/1.1.
type http1Attempt struct {
	*Exchange
	conn *upstream.Conn
}

// tryHTTP1 makes an attempt at a pod that speaks HTTP/1.1.
func (x *Exchange) tryHTTP1() failure {
	conn, err := x.connect()
	if err != nil {
		return failure{notSent, err}
	}
	attempt := http1Attempt{x, conn}
	switch failed := attempt.send(); failed.kind {
	case none:
	case stale:
		conn.Close()
		return x.tryHTTP1() // there is one idle connection less
	default:
		x.abandon(conn)
		return failed
	}
	if failed := attempt.receiveHead(); failed.kind != none {
		// Asked before the pump is stopped, which fails it.
		if err := x.body.failure(); err != nil {
			failed = failure{badBody, err}
		}
		x.abandon(conn)
		return failed
	}
	attempt.relay()
	return failure{}
}

// connect returns an idle connection, or dials one. After a lost attempt it does not reuse idle ones. Writing the request shows
// whether an idle connection has ended; if there is a body, which may be sent first, it is checked before that.
func (x *Exchange) connect() (*upstream.Conn, error) {
	transport := x.backend.Transport
	if !x.tried.replayed {
		if conn := x.endpoint.Idle(x.Shard, transport, x.req.Body == http1.BodyNone); conn != nil {
			return conn, nil
		}
	}
	return x.endpoint.Dial(x.dialer(), transport, x.head.preamble())
}

// send writes the head, and as much of the body as has arrived. The rest is sent while the response is awaited.
func (x http1Attempt) send() failure {
	x.out.Begin()
	x.out.Buf = x.head.appendHead(x.out.Buf)
	head := len(x.out.Buf)
	x.toHTTP1 = http1Upload{x.Exchange, x.conn}
	_ = x.body.begin(x.Exchange, &x.toHTTP1, false) // sends nothing: nothing is kept
	x.guard.Start(x.conn, x.Engine.After(x.view.Limits.ResponseTimeout))
	err := x.body.sendBuffered()
	if err == nil {
		err = x.flush()
	}
	isLate := x.guard.Stop()
	if err != nil {
		kind := x.sendFailure(err, isLate)
		if kind == stale {
			x.body.takeBack(x.out.Buf[head:])
		}
		x.out.Drop()
		return failure{kind, err}
	}
	x.body.sendRest()
	return failure{}
}

// flush also waits for the response if there is nothing more to send.
func (x http1Attempt) flush() error {
	if x.body.isSent() {
		return x.out.FlushAndAsk(x.conn.Conn, x.Engine.Limits.HeadBytes)
	}
	return x.out.Flush(x.conn)
}

// sendFailure counts only reused connections as stale, so that a pod that always hangs up is not tried for ever.
func (x http1Attempt) sendFailure(err error, isLate bool) failureKind {
	switch {
	case err == http1.ErrStale && x.conn.Reused && x.req.Body != http1.BodyChunked:
		return stale
	case x.body.failure() != nil:
		return badBody
	case isLate:
		return late
	}
	return lost
}

// maxInterim bounds the interim (1xx) responses before the final one: a pod that sends them for ever is broken.
const maxInterim = 16

// receiveHead reads the head of the final response, and passes interim ones on.
func (x http1Attempt) receiveHead() failure {
	for range maxInterim {
		if failed := x.readHead(); failed.kind != none {
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
func (x http1Attempt) readHead() failure {
	x.resp.Reset()
	x.guard.Start(x.conn, x.answerBy())
	for {
		n, err := http1.ParseResponse(&x.resp.Response, x.conn.Buffered(), &x.Engine.Limits, x.req.Method)
		if err == nil {
			x.conn.Consume(n)
			x.guard.Stop()
			return failure{}
		}
		if err != http1.ErrIncomplete {
			x.guard.Stop()
			return failure{badAnswer, err}
		}
		if err := x.conn.Fill(x.Engine.Limits.HeadBytes); err != nil {
			return failure{x.readFailure(), err}
		}
	}
}

func (x http1Attempt) readFailure() failureKind {
	if x.guard.Stop() {
		return late
	}
	if len(x.conn.Buffered()) > 0 {
		return badAnswer
	}
	return lost
}
