package exchange

import (
	"bytes"
	"io"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// relay passes the answer, whose head was read, on to the client, and keeps the connection to the pod if it is fit for
// another request.
func (x http1Attempt) relay() {
	x.prepareHead()
	if x.resp.Status == 101 || x.accept != nil && x.resp.Status < 300 {
		x.switchProtocols()
		return
	}
	x.answered = true
	x.body.dropKept()
	x.respBody.Begin(x.conn.Conn, &x.resp.Message, &x.Engine.Limits)
	whole := x.relayAnswer(&x.respBody, x.conn) && x.respBody.Done()
	if whole && x.body.isSent() && x.fitForReuse() {
		x.body.join()
		x.endpoint.Keep(x.conn, x.Shard, x.start)
		return
	}
	x.abandon(x.conn)
}

// prepareHead makes the head of a pod's response, whatever protocol it came by, ready for the client: the session's token and
// the response filters.
func (x *Exchange) prepareHead() {
	x.holdSession(&x.request, &x.resp, x.endpoint)
	x.filterResponse()
}

// relayAnswer passes head and body on, and reports whether the client got them whole, and the pod's side is as good as
// before. A wait for the pod that takes too long ends by the deadline of pod.
func (x *Exchange) relayAnswer(body MessageBody, pod podSide) bool {
	if err := x.down.WriteHead(&x.resp); err != nil {
		return x.breakOff()
	}
	x.shedLarge()
	err := x.relayBody(body, pod)
	isGood := x.endFlow()
	if err != nil || x.down.End(body.Trailers()) != nil {
		return x.breakOff()
	}
	return isGood
}

// relayBody passes the body on up to its end.
func (x *Exchange) relayBody(body MessageBody, pod podSide) error {
	for {
		span, err := x.nextSpan(body, pod)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			_ = x.down.Flush() // what has come, the client gets
			return err
		}
		x.sent += int64(len(span))
		if err := x.down.WriteBody(span); err != nil {
			return err
		}
	}
}

// nextSpan gives the next span of the answer's body. Before it waits for one, what was collected goes to the client:
// a stream must not stall.
func (x *Exchange) nextSpan(body MessageBody, pod podSide) ([]byte, error) {
	span, err := body.Next(false)
	if err != http1.ErrIncomplete {
		return span, err
	}
	if err := x.down.Flush(); err != nil {
		return nil, err
	}
	x.awaitMore(pod)
	x.guard.Start(pod, x.answerBy())
	span, err = body.Next(true)
	x.guard.Stop()
	return span, err
}

// breakOff notes that the client must not take what it got for a whole answer.
func (x *Exchange) breakOff() bool {
	x.broken = true
	return false
}

// fitForReuse reports whether another request may follow on the connection.
func (x http1Attempt) fitForReuse() bool {
	return x.resp.KeepAlive && len(x.conn.Buffered()) == 0
}

// switchProtocols believes a 101 only if the client asked for a WebSocket and that is what the pod switched to: nothing
// else is tunnelled.
func (x http1Attempt) switchProtocols() {
	if !x.req.WebSocket() || !bytes.EqualFold(x.resp.Upgrade, websocket) || !x.isAccepted() {
		x.abandon(x.conn)
		x.respondFailure(failure{kind: badAnswer})
		return
	}
	x.answered = true
	if x.accept != nil {
		x.resp.WithholdAll(http1.FieldSecWebSocketAccept) // the client knows nothing of the key
	}
	if x.down.WriteHead(&x.resp) != nil || x.down.Flush() != nil {
		x.broken = true
		x.abandon(x.conn)
		return
	}
	x.shedLarge()
	x.endpoint.Begin()
	x.tunnel = &Tunnel{conn: x.conn, endpoint: x.endpoint}
}

var websocket = []byte("websocket")

// isAccepted reports whether the pod has understood the key of the handshake, as far as that is not for the client to see.
func (x *Exchange) isAccepted() bool {
	return x.accept == nil || bytes.Equal(x.resp.Get(http1.FieldSecWebSocketAccept), x.accept)
}

// relayInterim passes a 1xx answer on. A 100 is only for those who asked for it (RFC 9110 section 15.2.1).
func (x *Exchange) relayInterim() error {
	if x.resp.Status == 100 && !x.req.ExpectContinue {
		return nil
	}
	x.withholdCookies(&x.resp)
	return x.down.WriteInterim(&x.resp.Response)
}
