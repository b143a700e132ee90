package exchange

import (
	"errors"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/http1"
)

// retryAfter is what clients are told when no pod can answer: about as long as a pod takes to become ready.
const retryAfter = "5"

// answer sends an answer of Limpet's own.
func (x *Exchange) answer(status int, text string) {
	if status == http.StatusServiceUnavailable {
		x.answerLater(status, text, retryAfter)
		return
	}
	x.answerLater(status, text, "")
}

func (x *Exchange) answerLater(status int, text, retryAfter string) {
	x.resp.Reset()
	x.resp.Status, x.resp.Body, x.resp.KeepAlive = status, http1.BodyLength, true
	x.resp.ContentLength = int64(len(text)) + 1
	x.resp.Add(contentType, plainText)
	x.resp.Add(requestIDName, x.requestID())
	if status == http.StatusMethodNotAllowed {
		x.resp.Add(allowName, allowed)
	}
	if retryAfter != "" {
		x.resp.Add(retryAfterName, []byte(retryAfter))
	}
	x.addTransportSecurity()
	x.addAltSvc()
	x.cookie = x.cookie[:0]
	x.answered = true
	x.sent = x.resp.ContentLength
	x.value = append(append(x.value[:0], text...), '\n')
	if x.down.WriteHead(x) != nil || x.down.WriteBody(x.value) != nil || x.down.End(nil) != nil {
		x.broken = true
	}
}

var (
	contentType    = []byte("Content-Type")
	plainText      = []byte("text/plain; charset=utf-8")
	retryAfterName = []byte("Retry-After")
	requestIDName  = []byte("X-Request-ID")
	allowName      = []byte("Allow")
	// allowed are the usual methods: which ones a resource has is for its pod to say (RFC 9110 section 15.5.6).
	allowed = []byte("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
)

// answerRefused is for a session whose endpoint is gone, under a policy that would rather fail than move it, and for
// one too many.
func (x *Exchange) answerRefused() {
	status, seconds := x.backend.Policy.Refusal()
	after := ""
	if seconds > 0 {
		after = strconv.FormatInt(seconds, 10)
	}
	text := "The pod of this session is not available."
	if x.decision.Reason == affinity.ReasonFull {
		text = "Every pod has as many sessions as it may have."
	}
	x.answerLater(status, text, after)
}

// answerFailure says why no pod has answered.
func (x *Exchange) answerFailure(f failure) {
	if x.down.HasLeft() {
		x.broken = true
		return
	}
	switch f.kind {
	case notSent:
		if x.decision.Endpoint < 0 && x.refusedByPolicy() {
			x.answerRefused()
			return
		}
		x.answer(503, "No pod accepts connections.")
	case late:
		x.answer(504, "The pod did not answer in time.")
	case badBody:
		x.refuse(f.err)
	default:
		x.answer(502, "The pod gave no valid answer.")
	}
}

// Refuse responds to a head that is not a valid request, and records it. It is called instead of Run.
func (x *Exchange) Refuse(err error) {
	x.start = time.Now()
	x.refuse(err)
	x.record()
}

// refuse answers a request that breaks HTTP, or whose body did not come in time. The connection is not used again.
func (x *Exchange) refuse(err error) {
	x.req.KeepAlive = false
	var malformed *http1.Error
	switch {
	case errors.As(err, &malformed):
		x.Engine.Metrics.Malformed.Inc()
		x.answer(malformed.Status, "The request is refused: "+malformed.Reason+".")
	case errors.Is(err, os.ErrDeadlineExceeded):
		x.answer(408, "The request did not arrive in time.")
	default:
		x.broken = true
	}
}

func (x *Exchange) refusedByPolicy() bool { return x.decision.Outcome == affinity.OutcomeRefused }

// TurnAway responds that there are too many connections, and records it. It is called instead of Run.
func (x *Exchange) TurnAway() {
	x.start = time.Now()
	x.req.KeepAlive = false
	x.answer(http.StatusServiceUnavailable, "There are too many connections.")
	x.record()
}
