package upstream

import (
	"math"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// healthState is the state of an endpoint that was ejected at least once:
//
//	available --fail--> ejected --startProbe--> probing --fail--> ejected
//	                       ^                      |  `-succeed-> available
//	                       `------abandon---------'
type healthState uint8

const (
	healthAvailable healthState = iota // it receives requests
	healthEjected                      // it receives no request
	healthProbing                      // it receives one request
)

// backoff decides how long an endpoint stays ejected. Its methods are pure: they return the next state. Times are in
// milliseconds on any monotonic clock.
type backoff struct {
	state healthState
	// ejections is the number of ejections in a row.
	ejections int
	// until is the end of the ejection. After a return, it is the time at which ejections is forgotten.
	until int64
}

// never is the end of an ejection that no request probes.
const never = math.MaxInt64

// fail ejects the endpoint. The time doubles with each ejection in a row, and random, which is at least 0 and less than 1,
// adds up to a quarter, so that replicas and endpoints do not probe at the same time.
func (b backoff) fail(s *model.Ejection, now int64, random float64) backoff {
	if b.state == healthAvailable && now >= b.until {
		b.ejections = 0
	}
	b.ejections++
	b.state, b.until = healthEjected, now+b.length(s, random)
	return b
}

// length returns the duration of the current ejection in milliseconds.
func (b backoff) length(s *model.Ejection, random float64) int64 {
	const maxDoublings = 30
	longest := max(s.MaxBackoff, s.Backoff)
	d := s.Backoff
	for range min(b.ejections-1, maxDoublings) {
		if d >= longest/2 {
			d = longest
			break
		}
		d *= 2
	}
	return int64((d + time.Duration(random*float64(d/4))) / time.Millisecond)
}

// startProbe lets one request pass. It reports whether the endpoint is due.
func (b backoff) startProbe(now int64) (next backoff, ok bool) {
	if b.state != healthEjected || now < b.until {
		return b, false
	}
	b.state = healthProbing
	return b, true
}

// abandon ends a probe that showed nothing. The next request is a probe.
func (b backoff) abandon() backoff {
	if b.state == healthProbing {
		b.state = healthEjected
	}
	return b
}

// succeed returns the endpoint to its pool. If it is ejected again within twice its last ejection, that lasts longer.
func (b backoff) succeed(s *model.Ejection, now int64) backoff {
	if b.state == healthAvailable {
		return b
	}
	b.state, b.until = healthAvailable, now+2*b.length(s, 0)
	return b
}

// isOut reports whether the endpoint receives no ordinary requests.
func (b backoff) isOut() bool { return b.state != healthAvailable }
