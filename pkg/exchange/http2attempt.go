package exchange

import (
	"errors"
	"net/http"
	"os"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/http2"
)

// usualPodBudget is far above what an honest pod does: what one does to its own connections is its own loss.
var usualPodBudget = http2.Budget{
	ResetsAtOnce: 10_000, ResetsPerSecond: 10_000,
	EmptyAtOnce: 100_000, EmptyPerSecond: 100_000,
}

// http2Attempt is one attempt at a pod that speaks HTTP/2.
type http2Attempt struct {
	*Exchange
	stream *http2.Stream
}

// tryHTTP2 makes an attempt at a pod that speaks HTTP/2.
func (x *Exchange) tryHTTP2() failure {
	block, end := x.headBlock(), x.req.Body == http1.BodyNone
	stream, err := x.endpoint.OpenHTTP2(x.dialer(), x.backend.Transport, block, end, x.OmitsBody())
	if err != nil {
		return failure{notSent, err}
	}
	defer stream.Close(http2.CodeCancel)
	stream.ChargeTo(x.Account)
	attempt := http2Attempt{x, stream}
	failed := attempt.send()
	if failed.kind == none {
		failed = attempt.receiveHead()
	}
	if failed.kind != none {
		if failed.kind != notTaken { // after which the pump goes on, for another pod
			x.abandon(podStream{stream})
		}
		return failed
	}
	attempt.relay()
	return failure{}
}

// headBlock returns the head of the request as the pod receives it.
func (x *Exchange) headBlock() []byte {
	x.out.Begin()
	x.out.Buf = x.head.appendFields(x.out.Buf)
	x.block = x.head.appendBlock(x.block[:0], x.out.Buf)
	x.out.Drop()
	return x.block
}

// send sends as much of the body as has arrived; the rest is sent while the answer is awaited.
func (x http2Attempt) send() failure {
	x.guard.Start(x.stream, x.Engine.After(x.view.Limits.ResponseTimeout))
	err := x.body.begin(x.Exchange, &http2Upload{x.Exchange, x.stream}, true)
	if err == nil {
		err = x.body.sendBuffered()
	}
	if err == nil {
		err = x.stream.Flush()
	}
	if x.guard.Stop() || x.body.failure() != nil {
		return x.failure(err, true)
	}
	x.body.sendRest() // of no use after an error, but then the answer is there, or tells why
	return failure{}
}

// receiveHead waits for the head of the final answer, and passes those of interim answers on.
func (x http2Attempt) receiveHead() failure {
	for range maxInterim {
		x.guard.Start(x.stream, x.answerBy())
		head, err := x.stream.AwaitHead()
		isLate := x.guard.Stop()
		if err != nil {
			return x.failure(err, isLate)
		}
		x.takeHead(head)
		if head.Status >= 200 {
			return x.checkHead()
		}
		if err := x.relayInterim(); err != nil {
			return failure{badBody, err}
		}
	}
	return failure{badAnswer, errInterim}
}

func (x http2Attempt) failure(err error, isLate bool) failure {
	var reset *http2.ResetError
	switch clientErr := x.body.failure(); {
	case clientErr != nil:
		return failure{badBody, clientErr}
	case isLate || errors.Is(err, os.ErrDeadlineExceeded):
		return failure{late, err}
	case errors.Is(err, http2.ErrRefused):
		return failure{notTaken, err}
	case errors.As(err, &reset) && !reset.ByPeer:
		return failure{badAnswer, err}
	}
	return failure{lost, err}
}

// takeHead makes the head that the steps of the exchange know out of what has come, which is well-formed.
func (x http2Attempt) takeHead(head *http2.Head) {
	x.resp.Reset()
	r := &x.resp.Response
	r.Minor, r.KeepAlive = 1, true
	r.Status, r.Reason = head.Status, []byte(http.StatusText(head.Status))
	for i := range head.Fields {
		r.AddField(head.Fields[i])
	}
	r.ContentLength = head.ContentLength
	if r.Has(http1.FieldTrailer) || r.Status < 200 || r.Status == 204 {
		// It would leave no room for trailers in HTTP/1.1, and has no place without content (RFC 9110 section 8.6).
		r.ContentLength = -1
	}
	switch {
	case x.OmitsBody() || r.Status < 200 || r.Status == 204 || r.Status == 304 || r.ContentLength == 0:
		r.Body = http1.BodyNone
	case r.ContentLength >= 0:
		r.Body = http1.BodyLength
	default:
		r.Body = http1.BodyChunked
	}
}

// errNoSocket says that a pod which is not asked for a WebSocket must not seem to open one: the client would take any 2xx
// for it (RFC 8441 section 5).
var errNoSocket = errors.New("pods are not asked for WebSockets over HTTP/2")

func (x http2Attempt) checkHead() failure {
	if x.accept != nil && x.resp.Status < 300 {
		return failure{badAnswer, errNoSocket}
	}
	return failure{}
}

// endWithHead is for an answer that has nothing after its head. Over HTTP/1.1 the client has to be told so.
func (x http2Attempt) endWithHead() {
	if r := &x.resp; r.Body == http1.BodyChunked {
		r.Body, r.ContentLength = http1.BodyNone, 0
	}
}

// relay passes the answer on to the client.
func (x http2Attempt) relay() {
	if x.stream.Ended() {
		x.endWithHead()
	}
	x.prepareHead()
	x.answered = true
	x.body.dropKept()
	if x.relayAnswer(x.stream, podStream{x.stream}) && x.body.isSent() {
		x.body.join()
		return
	}
	x.abandon(podStream{x.stream})
}

// podStream is the pod's side of an answer.
type podStream struct{ *http2.Stream }

// Close is part of podSide.
func (p podStream) Close() error {
	p.Abort(http2.CodeCancel)
	return nil
}
