package proxy

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"os"
	"sync"
	"time"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// http2Attempt is a request on its way to a pod that speaks HTTP/2, and its answer. The framing is that of net/http,
// which sends a request once more of its own accord where the pod says that it has not begun with it (RFC 9113 section
// 8.7), and not otherwise.
type http2Attempt struct {
	x      *exchange
	cancel context.CancelCauseFunc
	answer *http.Response

	// Interim answers come in a goroutine of net/http.
	mu       sync.Mutex
	interims int
	isOver   bool // they are not passed on any more
}

// tryHTTP2 makes an attempt at a pod that speaks HTTP/2.
func (x *exchange) tryHTTP2() failure {
	ctx, cancel := context.WithCancelCause(context.Background())
	a := &http2Attempt{x: x, cancel: cancel}
	defer a.end()
	if x.upload == nil {
		x.body.begin(x, nil)
		x.upload = &upload{pump: &x.body}
		if err := x.invite(); err != nil {
			return failure{badBody, err}
		}
	}
	if failed := a.ask(ctx); failed.kind != none {
		return failed
	}
	a.relay()
	return failure{}
}

// invite tells a client that waits for it to send the body: a pod is not asked over HTTP/2, where a body that it does
// not want costs nothing but a reset of the stream.
func (x *exchange) invite() error {
	if !x.req.ExpectContinue {
		return nil
	}
	x.resp.Reset()
	x.resp.Status, x.resp.Reason = http.StatusContinue, []byte("Continue")
	return x.down.writeInterim(&x.resp)
}

// ask sends the request and waits for the head of the answer.
func (a *http2Attempt) ask(ctx context.Context) failure {
	x := a.x
	request := a.request(ctx)
	pod := x.endpoint.HTTP2(&x.server.dialer, x.backend.Transport)
	x.guard.start(a, x.answerBy())
	answer, err := pod.RoundTrip(request) //nolint:bodyclose // end closes it
	isLate := a.stopWaiting()
	if err != nil {
		return x.http2Failure(err, isLate)
	}
	a.answer = answer
	return x.takeHead(answer)
}

// stopWaiting reports whether the wait was too long.
func (a *http2Attempt) stopWaiting() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.isOver = true
	return a.x.guard.stop()
}

func (x *exchange) http2Failure(err error, isLate bool) failure {
	var unreachable *upstream.DialError
	switch clientErr := x.body.failure(); {
	case errors.As(err, &unreachable):
		return failure{notSent, err}
	case clientErr != nil:
		return failure{badBody, clientErr}
	case isLate:
		return failure{late, err}
	case errors.Is(err, errInterim):
		return failure{badAnswer, err}
	}
	return failure{lost, err}
}

// interim is called with every 1xx. While it is, the goroutine of the exchange waits and the guard is idle.
func (a *http2Attempt) interim(status int, header textproto.MIMEHeader) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	x := a.x
	if a.interims++; a.interims > maxInterim {
		return errInterim
	}
	if a.isOver || status == http.StatusContinue {
		return nil
	}
	if x.guard.stop() {
		return os.ErrDeadlineExceeded
	}
	x.resp.Reset()
	x.resp.Status, x.resp.Reason = status, []byte(http.StatusText(status))
	addFields(&x.resp.Message, http.Header(header))
	err := x.relayInterim()
	x.guard.start(a, x.answerBy())
	return err
}

// takeHead makes the head that the steps of the exchange know out of what net/http has read and checked.
func (x *exchange) takeHead(answer *http.Response) failure {
	if answer.StatusCode < 200 || answer.StatusCode > 999 {
		return failure{badAnswer, errStatus} // there is no 101 in HTTP/2 (RFC 9113 section 8.6)
	}
	if x.accept != nil && answer.StatusCode < 300 {
		return failure{badAnswer, errNoSocket}
	}
	r := &x.resp
	r.Reset()
	r.Minor, r.KeepAlive = 1, true
	r.Status, r.Reason = answer.StatusCode, []byte(http.StatusText(answer.StatusCode))
	r.ContentLength = answer.ContentLength
	addFields(&r.Message, answer.Header)
	if len(answer.Trailer) > 0 {
		r.ContentLength = -1 // which would leave no room for trailers in HTTP/1.1
	}
	switch {
	case x.noBody() || r.Status == http.StatusNoContent || r.Status == http.StatusNotModified || r.ContentLength == 0:
		r.Body = http1.BodyNone
	case r.ContentLength >= 0:
		r.Body = http1.BodyLength
	default:
		r.Body = http1.BodyChunked
	}
	return failure{}
}

var (
	errStatus = errors.New("the status is not one of a final answer")
	// The client would take any 2xx for a WebSocket (RFC 8441 section 5).
	errNoSocket = errors.New("pods are not asked for WebSockets over HTTP/2")
)

func addFields(m *http1.Message, header http.Header) {
	for name, values := range header {
		for _, value := range values {
			m.Add([]byte(name), []byte(value))
		}
	}
}

// relay passes the answer on to the client.
func (a *http2Attempt) relay() {
	x := a.x
	x.ownAnswer()
	x.answered = true
	body := http2Body{answer: a.answer}
	if x.resp.Body == http1.BodyNone {
		body.end(a.readEnd())
	}
	x.relayAnswer(&body, a)
	body.release()
}

// readEnd waits for the end of an answer without a body before anything is passed on: the client is to see both at once,
// since that is how gRPC tells of an error. Net/http counts an answer whose head ends the stream as one of length 0.
func (a *http2Attempt) readEnd() error {
	x := a.x
	if x.resp.ContentLength != 0 || x.noBody() {
		return io.EOF
	}
	x.guard.start(a, x.answerBy())
	defer x.guard.stop()
	_, err := a.answer.Body.Read(make([]byte, 1))
	return err
}

// end lets go of the stream: what is left of it in either direction is reset. Close returns when net/http has let go of it
// too, which it cannot while it waits for the client; so that the connection counts as idle before the endpoint does.
func (a *http2Attempt) end() {
	if a.answer != nil {
		a.x.stopUpload()
		a.answer.Body.Close()
	}
	a.cancel(nil)
}

// SetDeadline is part of deadliner: a stream has none, but it can be given up.
func (a *http2Attempt) SetDeadline(t time.Time) error {
	if !t.IsZero() {
		a.cancel(os.ErrDeadlineExceeded)
	}
	return nil
}

// Close is part of podSide.
func (a *http2Attempt) Close() error { return a.SetDeadline(longAgo) }

// SetReadDeadline is part of deadliner.
func (a *http2Attempt) SetReadDeadline(t time.Time) error { return a.SetDeadline(t) }

// trace is what net/http is to tell about a.
func (a *http2Attempt) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{Got1xxResponse: a.interim}
}
