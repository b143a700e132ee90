package exchange

import (
	"errors"
	"net/http"
	"os"
	"time"

	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/http1"
)

var (
	retryAfterName = []byte("Retry-After")
	retryAfter     = []byte(RetryAfter)
)

// RetryAfter is the value of Retry-After, in seconds, when no pod can respond: about as long as a pod takes to become ready.
const RetryAfter = "5"

// The responses of Limpet's own that are the same for all clients.
var (
	noTable            = unavailable("Limpet has not read its configuration yet.")
	noRoute            = filter.NewText(http.StatusNotFound, "No route for this host and path.")
	noBackend          = unavailable("The Service behind this route does not exist.")
	noPod              = unavailable("No pod is ready.")
	noPodAccepts       = unavailable("No pod accepts connections.")
	podTimeout         = filter.NewText(http.StatusGatewayTimeout, "The pod did not answer in time.")
	podInvalid         = filter.NewText(http.StatusBadGateway, "The pod gave no valid answer.")
	requestTimeout     = filter.NewText(http.StatusRequestTimeout, "The request did not arrive in time.").Closing()
	tooManyConnections = unavailable("There are too many connections.").Closing()
	busy               = unavailable("Limpet holds as much as it may.").Closing()
)

func unavailable(text string) *filter.Response {
	return filter.NewText(http.StatusServiceUnavailable, text).With(retryAfterName, retryAfter)
}

// respond sends a response of Limpet's own.
func (x *Exchange) respond(own *filter.Response) {
	x.resp.Reset()
	x.resp.Status, x.resp.KeepAlive = own.Status, true
	x.resp.ContentLength = int64(len(own.Body))
	if len(own.Body) > 0 {
		x.resp.Body = http1.BodyLength
	}
	for i := range own.Fields {
		x.resp.AddField(own.Fields[i])
	}
	filter.OwnFields{}.FilterResponse(&x.view, &x.resp.Response)
	x.filterResponse()
	if own.Close {
		x.req.KeepAlive = false
	}
	x.resp.SetCookie = x.resp.SetCookie[:0]
	x.answered = true
	x.sent = x.resp.ContentLength
	if x.down.WriteHead(&x.resp) != nil {
		x.broken = true
		return
	}
	x.shedLarge()
	if x.down.WriteBody(own.Body) != nil || x.down.End(nil) != nil {
		x.broken = true
	}
}

// filterResponse runs the response filters of the route, if it is known, and those of all responses.
func (x *Exchange) filterResponse() {
	if x.route != nil {
		x.route.Filters.FilterResponse(&x.view, &x.resp.Response)
	}
	x.Engine.filters.FilterResponse(&x.view, &x.resp.Response)
}

// respondFailure says why no pod has sent a response.
func (x *Exchange) respondFailure(f failure) {
	if x.down.HasLeft() {
		x.broken = true
		return
	}
	switch f.kind {
	case notSent:
		if x.decision.Endpoint < 0 && x.isRefused() {
			x.respond(x.refusal())
			return
		}
		x.respond(noPodAccepts)
	case late:
		x.respond(podTimeout)
	case badBody:
		x.respondInvalid(f.err)
	default:
		x.respond(podInvalid)
	}
}

// respondInvalid responds to a request that breaks HTTP, or whose body did not come in time. The connection is not used
// again.
func (x *Exchange) respondInvalid(err error) {
	x.req.KeepAlive = false
	var e *http1.Error
	switch {
	case errors.As(err, &e):
		if e != ErrBusy {
			x.Engine.Metrics.Malformed.Inc()
		}
		x.respond(malformed(e))
	case errors.Is(err, os.ErrDeadlineExceeded):
		x.respond(requestTimeout)
	default:
		x.broken = true
	}
}

// Refuse responds to a head that is not a valid request, and records it. It is called instead of Run.
func (x *Exchange) Refuse(err error) {
	x.start = time.Now()
	x.respondInvalid(err)
	x.record()
}

// TurnAway responds that there are too many connections, and records it. It is called instead of Run.
func (x *Exchange) TurnAway() { x.turnAway(tooManyConnections) }

// RefuseBusy responds that the memory budget is used up, and records it. It is called instead of Run.
func (x *Exchange) RefuseBusy() { x.turnAway(busy) }

func (x *Exchange) turnAway(own *filter.Response) {
	x.start = time.Now()
	x.respond(own)
	x.record()
}
