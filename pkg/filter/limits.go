package exchange

import (
	"cmp"
	"math"
	"time"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// bounds are what holds for one request: what the Config says, unless its route says otherwise.
type bounds struct {
	answer, connect, body time.Duration // as in Timeouts
	bodyBytes             int64
	attempts              int
}

func boundsOf(c *Config) bounds {
	b := bounds{
		answer: c.Timeouts.Answer, connect: c.Timeouts.Dial, body: c.Timeouts.Body,
		bodyBytes: c.MaxBodyBytes, attempts: c.MaxAttempts,
	}
	if b.bodyBytes == 0 {
		b.bodyBytes = math.MaxInt64
	}
	return b
}

// apply takes over what a route says.
func (b *bounds) apply(l *model.Limits) {
	b.answer = cmp.Or(l.AnswerTimeout, b.answer)
	b.connect = cmp.Or(l.ConnectTimeout, b.connect)
	b.body = cmp.Or(l.BodyTimeout, b.body)
	b.attempts = cmp.Or(l.MaxAttempts, b.attempts)
	switch l.MaxBodyBytes {
	case 0:
	case model.NoBound:
		b.bodyBytes = math.MaxInt64
	default:
		b.bodyBytes = l.MaxBodyBytes
	}
}

// errBodyTooLarge is a body beyond the bound of its route.
var errBodyTooLarge = &http1.Error{Status: 413, Reason: "the body is longer than may be"}

// limit takes over the bounds of the route, and refuses a body that is announced to be longer. It returns false then.
func (x *Exchange) limit() bool {
	if x.route.Limits != nil {
		x.bounds.apply(x.route.Limits)
	}
	if x.req.ContentLength > x.bounds.bodyBytes {
		x.refuse(errBodyTooLarge)
		return false
	}
	return true
}
