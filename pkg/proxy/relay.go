package proxy

import (
	"bytes"
	"io"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// relay passes the answer, whose head was read, on to the client, and keeps the connection to the pod if it is fit for
// another request.
func (x *exchange) relay(conn *upstream.Conn) {
	x.ownAnswer()
	if x.resp.Status == 101 || x.accept != nil && x.resp.Status < 300 {
		x.switchProtocols(conn)
		return
	}
	x.answered = true
	x.body.dropKept()
	x.respBody.Begin(conn.Conn, &x.resp.Message, &x.server.Limits)
	whole := x.relayAnswer(&x.respBody, conn) && x.respBody.Done()
	if whole && x.body.isSent() && x.fitForReuse(conn) {
		x.body.join()
		x.endpoint.Keep(conn, x.shard, x.start)
		return
	}
	x.abandon(conn)
}

// ownAnswer adds what is Limpet's to the head of a pod's answer, whatever protocol it came by.
func (x *exchange) ownAnswer() {
	x.holdSession()
	x.addTransportSecurity()
	x.addAltSvc()
}

// relayAnswer passes head and body on, and reports whether the client got them whole, and the pod's side is as good as
// before. A wait for the pod that takes too long ends by the deadline of pod.
func (x *exchange) relayAnswer(body messageBody, pod podSide) bool {
	if err := x.down.writeHead(x); err != nil {
		return x.breakOff()
	}
	x.shedLarge()
	err := x.relayBody(body, pod)
	isGood := x.endFlow()
	if err != nil || x.down.end(body.Trailers()) != nil {
		return x.breakOff()
	}
	return isGood
}

// relayBody passes the body on up to its end.
func (x *exchange) relayBody(body messageBody, pod podSide) error {
	for {
		span, err := x.nextSpan(body, pod)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			_ = x.down.flush() // what has come, the client gets
			return err
		}
		x.sent += int64(len(span))
		if err := x.down.writeBody(span); err != nil {
			return err
		}
	}
}

// nextSpan gives the next span of the answer's body. Before it waits for one, what was collected goes to the client:
// a stream must not stall.
func (x *exchange) nextSpan(body messageBody, pod podSide) ([]byte, error) {
	span, err := body.Next(false)
	if err != http1.ErrIncomplete {
		return span, err
	}
	if err := x.down.flush(); err != nil {
		return nil, err
	}
	x.awaitMore(pod)
	x.guard.start(pod, x.answerBy())
	span, err = body.Next(true)
	x.guard.stop()
	return span, err
}

// breakOff notes that the client must not take what it got for a whole answer.
func (x *exchange) breakOff() bool {
	x.broken = true
	return false
}

// fitForReuse reports whether another request may follow on conn.
func (x *exchange) fitForReuse(conn *upstream.Conn) bool {
	return x.resp.KeepAlive && len(conn.Buffered()) == 0
}

// switchProtocols believes a 101 only if the client asked for a WebSocket and that is what the pod switched to: nothing
// else is tunnelled.
func (x *exchange) switchProtocols(conn *upstream.Conn) {
	if !x.req.WebSocket() || !bytes.EqualFold(x.resp.Upgrade, websocket) || !x.isAccepted() {
		x.abandon(conn)
		x.answerFailure(failure{kind: badAnswer})
		return
	}
	x.answered = true
	if x.accept != nil {
		x.resp.WithholdAll(http1.FieldSecWebSocketAccept) // the client knows nothing of the key
	}
	if x.down.writeHead(x) != nil || x.down.flush() != nil {
		x.broken = true
		x.abandon(conn)
		return
	}
	x.shedLarge()
	x.endpoint.Begin()
	x.tunnel = &tunnel{conn: conn, endpoint: x.endpoint}
}

var websocket = []byte("websocket")

// isAccepted reports whether the pod has understood the key of the handshake, as far as that is not for the client to see.
func (x *exchange) isAccepted() bool {
	return x.accept == nil || bytes.Equal(x.resp.Get(http1.FieldSecWebSocketAccept), x.accept)
}

// relayInterim passes a 1xx answer on. A 100 is only for those who asked for it (RFC 9110 section 15.2.1).
func (x *exchange) relayInterim() error {
	if x.resp.Status == 100 && !x.req.ExpectContinue {
		return nil
	}
	x.withholdCookies()
	return x.down.writeInterim(&x.resp)
}
