package exchange

import (
	"errors"
	"net/http"
	"os"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/http2"
)

// defaultPodBudget is far above what honest pods do. A pod that exceeds it affects only its own connections.
var defaultPodBudget = http2.Budget{
	ResetBurst: 10_000, ResetsPerSecond: 10_000,
	EmptyFrameBurst: 100_000, EmptyFramesPerSecond: 100_000,
}

// http2Attempt is an attempt over an HTTP/2 stream.
type http2Attempt struct {
	*Exchange
	stream *http2.Stream
}

// tryHTTP2 makes one attempt over an HTTP/2 stream.
func (x *Exchange) tryHTTP2() failure {
	block, end := x.headBlock(), x.req.Body == http1.BodyNone
	stream, err := x.endpoint.OpenHTTP2(x.dialer(), x.backend.Transport, block, end, x.OmitsBody())
	if err != nil {
		return failure{dialFailed, err}
	}
	defer stream.Close(http2.CodeCancel)
	stream.ChargeTo(x.Account)
	attempt := http2Attempt{x, stream}
	f := attempt.send()
	if f.kind == noFailure {
		f = attempt.receiveHead()
	}
	if f.kind != noFailure {
		if f.kind != streamRefused { // otherwise the pump continues for the next attempt
			x.abortAttempt(upstreamStream{stream})
		}
		return f
	}
	x.measureLatency()
	x.observeStatus()
	if x.prepareStatusRetry() {
		x.abortAttempt(upstreamStream{stream})
		return failure{kind: statusRefused}
	}
	attempt.relay()
	return failure{}
}

// headBlock returns the head of the request as an HTTP/2 field section.
func (x *Exchange) headBlock() []byte {
	x.out.Begin()
	x.out.Buf = x.head.appendFields(x.out.Buf)
	x.blockBuf = x.head.appendBlock(x.blockBuf[:0], x.out.Buf)
	x.out.Drop()
	return x.blockBuf
}

// send sends the part of the body that has arrived. The rest is sent concurrently with the wait for the response.
func (x http2Attempt) send() failure {
	x.guard.Start(x.stream, x.Engine.After(x.view.Limits.ResponseTimeout))
	err := x.body.start(x.Exchange, &http2Upload{x.Exchange, x.stream}, true)
	if err == nil {
		err = x.body.sendBuffered()
	}
	if err == nil {
		err = x.stream.Flush()
	}
	if x.guard.Stop() || x.body.failure() != nil {
		return x.failure(err, true)
	}
	x.expectContinue()
	x.body.sendRest() // fails after an error, but then receiveHead returns the response or the cause
	return failure{}
}

// receiveHead reads the head of the final response and forwards interim responses.
func (x http2Attempt) receiveHead() failure {
	for range maxInterim {
		head, f := x.awaitHead()
		if f.kind != noFailure {
			return f
		}
		x.setHead(head)
		if head.Status >= 200 {
			return x.checkHead()
		}
		if err := x.relayInterim(); err != nil {
			return failure{requestBodyFailed, err}
		}
	}
	return failure{invalidResponse, errTooManyInterim}
}

// awaitHead waits for one head, interim or final.
func (x http2Attempt) awaitHead() (*http2.Head, failure) {
	for {
		x.startHeadWait(x.stream)
		head, err := x.stream.AwaitHead()
		interrupted := x.stopHeadWait()
		if err == nil {
			return head, failure{}
		}
		if !interrupted || !x.resumesHeadWait() {
			return nil, x.failure(err, interrupted)
		}
	}
}

func (x http2Attempt) failure(err error, timedOut bool) failure {
	var reset *http2.ResetError
	switch clientErr := x.body.failure(); {
	case clientErr != nil:
		return failure{requestBodyFailed, clientErr}
	case timedOut || errors.Is(err, os.ErrDeadlineExceeded):
		return failure{responseTimeout, err}
	case errors.Is(err, http2.ErrRefused):
		return failure{streamRefused, err}
	case errors.As(err, &reset) && !reset.ByPeer:
		return failure{invalidResponse, err}
	}
	return failure{connLost, err}
}

// setHead converts an HTTP/2 head, which is well-formed, to the HTTP/1 form that the later steps use.
func (x http2Attempt) setHead(head *http2.Head) {
	x.resp.Reset()
	r := &x.resp.Response
	r.Minor, r.KeepAlive = 1, true
	r.Status, r.Reason = head.Status, []byte(http.StatusText(head.Status))
	for i := range head.Fields {
		r.AddField(head.Fields[i])
	}
	r.ContentLength = head.ContentLength
	if r.Has(http1.FieldTrailer) || r.Status < 200 || r.Status == 204 {
		// HTTP/1.1 allows trailers only without Content-Length, and Content-Length is wrong without content (RFC 9110
		// section 8.6).
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

// errUnexpectedWebSocket reports a 2xx response to a request for a WebSocket. Limpet sends no such request over HTTP/2, and
// the client would take any 2xx for an open WebSocket (RFC 8441 section 5).
var errUnexpectedWebSocket = errors.New("exchange: unexpected 2xx response to a WebSocket request over HTTP/2")

func (x http2Attempt) checkHead() failure {
	if x.webSocketAccept != nil && x.resp.Status < 300 {
		return failure{invalidResponse, errUnexpectedWebSocket}
	}
	return failure{}
}

// setNoBody marks a response that ended with its head. HTTP/1.1 clients need an explicit Content-Length then.
func (x http2Attempt) setNoBody() {
	if r := &x.resp; r.Body == http1.BodyChunked {
		r.Body, r.ContentLength = http1.BodyNone, 0
	}
}

// relay forwards the response to the client.
func (x http2Attempt) relay() {
	if x.stream.Ended() {
		x.setNoBody()
	}
	x.clearFailure()
	if x.replacesResponse() {
		x.replaceResponse()
		return
	}
	x.prepareHead()
	x.responseStarted = true
	x.body.stopKeeping()
	if x.relayResponse(x.stream, upstreamStream{x.stream}) && x.body.isSent() {
		x.body.wait()
		return
	}
	x.abortAttempt(upstreamStream{x.stream})
}

// upstreamStream adapts an HTTP/2 stream to upstreamSide.
type upstreamStream struct{ *http2.Stream }

// Close implements io.Closer.
func (p upstreamStream) Close() error {
	p.Abort(http2.CodeCancel)
	return nil
}
