package exchange

import (
	"errors"
	"net/http"
	"os"
	"time"

	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/observe"
)

var (
	retryAfterName = []byte("Retry-After")
	// retryAfter is the value in seconds if no pod can respond: about the time that a pod needs to become ready.
	retryAfter = []byte("5")
)

// Responses that Limpet generates. They are the same for all clients.
var (
	noTable            = unavailable("Limpet has not read its configuration yet.")
	noRoute            = filter.NewText(http.StatusNotFound, "No route for this host and path.")
	noBackend          = unavailable("The Service behind this route does not exist.")
	noPod              = unavailable("No pod is ready.")
	noPodAccepts       = unavailable("No pod accepts connections.")
	podTimeout         = filter.NewText(http.StatusGatewayTimeout, "The pod did not respond in time.")
	podInvalid         = filter.NewText(http.StatusBadGateway, "The pod did not send a valid response.")
	requestTimeout     = filter.NewText(http.StatusRequestTimeout, "The request was not received in time.").Closing()
	tooManyConnections = unavailable("There are too many connections.").Closing()
	memoryLimit        = unavailable("The memory budget of Limpet is exhausted.").Closing()
)

func unavailable(text string) *filter.Response {
	return filter.NewText(http.StatusServiceUnavailable, text).With(retryAfterName, retryAfter)
}

// respond sends a response that Limpet generates.
func (x *Exchange) respond(local *filter.Response) {
	x.resp.Reset()
	x.localStatus = local.Status
	body := local.Body
	switch {
	case x.isGRPC():
		x.setGRPCHead(local)
		body = nil
	case local.Status == http.StatusNoContent, local.Status == http.StatusNotModified:
		x.setLocalHead(local, nil)
		x.resp.ContentLength, body = -1, nil // RFC 9110 section 8.6
	default:
		x.setLocalHead(local, body)
	}
	for _, f := range x.kept.fields {
		x.resp.AddField(f)
	}
	filter.LocalFields{}.FilterResponse(&x.view, &x.resp.Response)
	if !x.panicked {
		x.filterResponse()
	}
	if local.Close {
		x.req.KeepAlive = false
	}
	x.resp.SetCookie = append(x.resp.SetCookie[:0], x.kept.setCookie...)
	x.responseStarted = true
	x.sentBytes = int64(len(body))
	if x.downstream.WriteHead(&x.resp) != nil {
		x.broken = true
		return
	}
	x.releaseLargeHead()
	if len(body) > 0 && x.downstream.WriteBody(body) != nil || x.downstream.End(nil) != nil {
		x.broken = true
	}
}

// setLocalHead sets the head of a response that Limpet generates with a body, which may be empty.
func (x *Exchange) setLocalHead(local *filter.Response, body []byte) {
	x.resp.Status, x.resp.KeepAlive = local.Status, true
	x.resp.ContentLength = int64(len(body))
	switch {
	case len(body) > 0:
		x.resp.Body = http1.BodyLength
	case local.LengthUnknown:
		x.resp.ContentLength = -1
	}
	for i := range local.Fields {
		x.resp.AddField(local.Fields[i])
	}
}

// filterResponse runs the response filters of the route, if there is a route, and those that apply to all responses.
func (x *Exchange) filterResponse() {
	if x.route != nil {
		x.route.Filters.FilterResponse(&x.view, &x.resp.Response)
	}
	x.Engine.filters.FilterResponse(&x.view, &x.resp.Response)
}

// respondFailure responds to a request that no pod has responded to.
func (x *Exchange) respondFailure(f failure) {
	if x.downstream.IsClientGone() {
		x.recordClientGone()
		x.broken = true
		return
	}
	switch f.kind {
	case dialFailed:
		if x.decision.Endpoint < 0 && x.isRefused() {
			x.respond(x.refusedResponse())
			return
		}
		x.respondLocal(noPodAccepts)
	case responseTimeout:
		x.respondLocal(podTimeout)
	case requestBodyFailed:
		x.respondInvalid(f.err)
	default:
		x.respondLocal(podInvalid)
	}
}

// respondInvalid responds to a request that is not valid HTTP or whose body timed out. The connection is closed afterwards.
func (x *Exchange) respondInvalid(err error) {
	x.req.KeepAlive = false
	var e *http1.Error
	switch {
	case errors.As(err, &e):
		if e != ErrBusy && e != errBodyTooLarge {
			x.Engine.Metrics.Malformed.Inc()
		}
		x.respond(malformed(e))
	case errors.Is(err, os.ErrDeadlineExceeded):
		x.respond(requestTimeout)
	default:
		if x.failure == observe.FailureClientClosed {
			x.recordClientGone()
		}
		x.broken = true
	}
}

// RejectInvalid responds to an invalid request head and records the request. It is called instead of Run.
func (x *Exchange) RejectInvalid(err error) {
	x.start = time.Now()
	x.failure = failureOfHead(err)
	x.respondInvalid(err)
	x.record()
}

// RejectConnectionLimit responds that there are too many connections and records the request. It is called instead of Run.
func (x *Exchange) RejectConnectionLimit() { x.rejectWith(tooManyConnections) }

// RejectMemoryLimit responds that the memory budget is exhausted and records the request. It is called instead of Run.
func (x *Exchange) RejectMemoryLimit() { x.rejectWith(memoryLimit) }

func (x *Exchange) rejectWith(local *filter.Response) {
	x.start, x.failure = time.Now(), observe.FailureOverload
	x.respond(local)
	x.record()
}
