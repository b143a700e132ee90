package exchange

import (
	"bytes"
	"errors"
	"io"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// relay forwards the response to the client, and returns the connection to the pool if it can be reused.
func (x http1Attempt) relay() {
	x.noteOwner()
	x.clearFailure()
	if x.replacesResponse() {
		x.replaceResponse()
		return
	}
	x.prepareHead()
	if x.resp.Status == 101 || x.webSocketAccept != nil && x.resp.Status < 300 {
		x.switchProtocols()
		return
	}
	x.responseStarted = true
	x.body.stopKeeping()
	x.respBody.Begin(x.conn.Conn, &x.resp.Message, &x.Engine.Limits)
	complete := x.relayResponse(&x.respBody, x.conn) && x.respBody.Done()
	if complete && x.body.isSent() && x.isReusable() {
		x.body.wait()
		x.upstream = nil
		x.keepConn()
		return
	}
	x.abortAttempt(x.conn)
}

// prepareHead prepares the head of a pod's response for the client: it adds the session's token and runs the response
// filters.
func (x *Exchange) prepareHead() {
	x.route.Filters.FilterPodResponse(&x.view, &x.resp.Response)
	x.bindSession(&x.request, &x.resp, x.endpoint)
	x.filterResponse()
}

// relayResponse forwards head and body. It reports whether the client received the complete response and the upstream side is
// still usable. The deadline of pod limits each wait for the pod.
func (x *Exchange) relayResponse(body MessageBody, pod upstreamSide) bool {
	x.startBodyFilters()
	if err := x.downstream.WriteHead(&x.resp); err != nil {
		x.recordIncomplete(true)
		return x.abortResponse()
	}
	x.releaseLargeHead()
	err := x.relayBody(body, pod)
	reusable := x.endLongStream()
	if err != nil {
		x.recordIncomplete(x.writeFailed)
		return x.abortResponse()
	}
	if x.downstream.End(x.responseTrailers(body.Trailers())) != nil {
		x.recordIncomplete(true)
		return x.abortResponse()
	}
	return reusable
}

// relayBody forwards the body up to its end.
func (x *Exchange) relayBody(body MessageBody, pod upstreamSide) error {
	for {
		span, err := x.nextSpan(body, pod)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			_ = x.downstream.Flush() // the client receives what has arrived
			return err
		}
		x.sentBytes += int64(len(span))
		if err := x.downstream.WriteBody(span); err != nil {
			x.writeFailed = true
			return err
		}
	}
}

// nextSpan returns the next span of the response's body. Before it waits, it flushes what was written to the client, so that
// streams do not stall.
func (x *Exchange) nextSpan(body MessageBody, pod upstreamSide) ([]byte, error) {
	span, err := body.Next(false)
	if err != http1.ErrIncomplete {
		return span, err
	}
	if err := x.downstream.Flush(); err != nil {
		x.writeFailed = true
		return nil, err
	}
	x.beforeBodyWait(pod)
	x.guard.Start(pod, x.responseDeadline())
	span, err = body.Next(true)
	x.guard.Stop()
	return span, err
}

// abortResponse marks the response as incomplete, so that the client can detect that.
func (x *Exchange) abortResponse() bool {
	x.broken = true
	return false
}

// isReusable reports whether the connection can carry another request.
func (x http1Attempt) isReusable() bool {
	return x.resp.KeepAlive && len(x.conn.Buffered()) == 0 && !x.respBody.Normalized()
}

// switchProtocols handles a 101 response. It accepts one only if the pod switched to the protocol that the request named.
func (x http1Attempt) switchProtocols() {
	if x.upgrade == nil || !bytes.EqualFold(x.resp.Upgrade, x.upgrade) || !x.isWebSocketAccepted() {
		x.abortAttempt(x.conn)
		f := failure{invalidResponse, errUnexpectedUpgrade}
		x.recordFailure(f)
		x.respondFailure(f)
		return
	}
	x.responseStarted = true
	if x.webSocketAccept != nil {
		x.resp.WithholdAll(http1.FieldSecWebSocketAccept) // the client did not send the key
	}
	kind := x.tunnelKind() // before the head is released, which names the protocol
	if x.downstream.WriteHead(&x.resp) != nil || x.downstream.Flush() != nil {
		x.recordIncomplete(true)
		x.broken = true
		x.abortAttempt(x.conn)
		return
	}
	x.releaseLargeHead()
	x.endpoint.BeginRequest()
	x.tunnel = &Tunnel{conn: x.conn, endpoint: x.endpoint, session: x.beginUse(), kind: kind}
	x.upstream = nil
}

var errUnexpectedUpgrade = errors.New("exchange: the pod switched protocols, or accepted a WebSocket, without a matching request")

var websocket = []byte("websocket")

// isWebSocketAccepted reports whether the pod returned the expected Sec-WebSocket-Accept value. It returns true if the client
// checks that value itself.
func (x *Exchange) isWebSocketAccepted() bool {
	return x.webSocketAccept == nil || bytes.Equal(x.resp.Get(http1.FieldSecWebSocketAccept), x.webSocketAccept)
}

// relayInterim forwards an interim (1xx) response. A 100 (Continue) is only sent to clients that expect one (RFC 9110 section
// 15.2.1).
func (x *Exchange) relayInterim() error {
	if x.resp.Status == 100 {
		x.continueAt.Store(0)
		if !x.req.ExpectContinue {
			return nil
		}
	}
	x.findCollisions(&x.request, &x.resp)
	return x.downstream.WriteInterim(&x.resp.Response)
}
