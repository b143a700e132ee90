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

// tryHTTP2 makes an attempt at a pod that speaks HTTP/2.
func (x *Exchange) tryHTTP2() failure {
	block, end := x.headBlock(), x.req.Body == http1.BodyNone
	stream, err := x.endpoint.OpenHTTP2(x.dialer(), x.backend.Transport, block, end, x.OmitsBody())
	if err != nil {
		return failure{notSent, err}
	}
	defer stream.Close(http2.CodeCancel)
	failed := x.sendHTTP2(stream)
	if failed.kind == none {
		failed = x.receiveHTTP2(stream)
	}
	if failed.kind != none {
		if failed.kind != notTaken { // after which the pump goes on, for another pod
			x.abandon(podStream{stream})
		}
		return failed
	}
	x.relayHTTP2(stream)
	return failure{}
}

// headBlock is the head of the request as the pod gets it.
func (x *Exchange) headBlock() []byte {
	x.out.Begin()
	x.out.Buf = x.head.appendFields(x.out.Buf)
	b := http2.AppendRequest(x.block[:0], x.req.Method, x.backend.Transport.TLS, x.req.Host)
	b = http2.AppendPath(b, x.view.Forward.Path, x.view.Forward.Query, x.view.Forward.HasQuery)
	b = http2.AppendLines(b, x.out.Buf)
	x.out.Drop()
	if x.req.TakesTrailers {
		b = http2.AppendField(b, teName, "trailers")
	}
	if x.req.ContentLength >= 0 {
		b = http2.AppendLength(b, x.req.ContentLength)
	}
	x.block = b
	return b
}

var teName = []byte("te")

// sendHTTP2 sends as much of the body as has arrived; the rest is sent while the answer is awaited.
func (x *Exchange) sendHTTP2(stream *http2.Stream) failure {
	x.guard.Start(stream, x.Engine.After(x.view.Limits.AnswerTimeout))
	err := x.body.begin(x, &http2Upload{x, stream}, true)
	if err == nil {
		err = x.body.sendBuffered()
	}
	if err == nil {
		err = stream.Flush()
	}
	if x.guard.Stop() || x.body.failure() != nil {
		return x.http2Failure(err, true)
	}
	x.body.sendRest() // of no use after an error, but then the answer is there, or tells why
	return failure{}
}

// receiveHTTP2 waits for the head of the final answer, and passes those of interim answers on.
func (x *Exchange) receiveHTTP2(stream *http2.Stream) failure {
	for range maxInterim {
		x.guard.Start(stream, x.answerBy())
		head, err := stream.AwaitHead()
		isLate := x.guard.Stop()
		if err != nil {
			return x.http2Failure(err, isLate)
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

func (x *Exchange) http2Failure(err error, isLate bool) failure {
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
func (x *Exchange) takeHead(head *http2.Head) {
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

func (x *Exchange) checkHead() failure {
	if x.accept != nil && x.resp.Status < 300 {
		return failure{badAnswer, errNoSocket}
	}
	return failure{}
}

// endWithHead is for an answer that has nothing after its head. Over HTTP/1.1 the client has to be told so.
func (x *Exchange) endWithHead() {
	if r := &x.resp; r.Body == http1.BodyChunked {
		r.Body, r.ContentLength = http1.BodyNone, 0
	}
}

// relayHTTP2 passes the answer on to the client.
func (x *Exchange) relayHTTP2(stream *http2.Stream) {
	if stream.Ended() {
		x.endWithHead()
	}
	x.prepareHead()
	x.answered = true
	if x.relayAnswer(stream, podStream{stream}) && x.body.isSent() {
		x.body.join()
		return
	}
	x.abandon(podStream{stream})
}

// podStream is the pod's side of an answer.
type podStream struct{ *http2.Stream }

// Close is part of podSide.
func (p podStream) Close() error {
	p.Abort(http2.CodeCancel)
	return nil
}
