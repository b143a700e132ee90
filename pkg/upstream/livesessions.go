package upstream

import (
	"sync/atomic"
	"time"

	"github.com/limpet-dev/limpet/pkg/sketch"
)

// LiveSessions counts the sessions of an endpoint for operators: all responses of the endpoint to a session within the window of
// its policy, without a limit on their number. sessionCounter counts for picks, which must be fast.
type LiveSessions struct {
	served   sketch.Window
	departed sketch.Window // the sessions that another endpoint serves since then
	started  perMinute
	streams  atomic.Int64 // long streams among the active requests
	// isPlaceholder is true if no endpoint uses it: it only has the Budget. It saves memory for endpoints without requests.
	isPlaceholder bool
}

// newPlaceholder returns the LiveSessions of endpoints without requests.
func newPlaceholder(budget *sketch.Budget) *LiveSessions {
	l := &LiveSessions{isPlaceholder: true}
	l.served.Budget, l.departed.Budget = budget, budget
	return l
}

// maxLiveBytes bounds the memory of all LiveSessions of a Registry. A pod with thousands of sessions in each minute uses up to 80
// KiB, one with few sessions about 2 KiB.
const maxLiveBytes = 64 << 20

// SessionResponded records a response of the endpoint to a session. window is the time in seconds after which a session without
// requests no longer counts. isNew reports whether the session starts at the endpoint.
func (e *Endpoint) SessionResponded(session uint64, window int64, isNew bool) {
	l := e.countLive()
	l.served.Add(session, window)
	if isNew {
		l.started.add()
	}
}

// SessionDeparted records that another endpoint serves the session from now on. window is the one of SessionResponded.
func (e *Endpoint) SessionDeparted(session uint64, window int64) {
	e.countLive().departed.Add(session, window)
}

// BeginStream records that an active request is a long stream. Each call must be paired with a call of EndStream.
func (e *Endpoint) BeginStream() { e.countLive().streams.Add(1) }

// EndStream ends a stream that BeginStream recorded.
func (e *Endpoint) EndStream() { e.countLive().streams.Add(-1) }

// countLive returns the counts of the endpoint. The first call creates them.
func (e *endpointState) countLive() *LiveSessions {
	l := e.live.Load()
	if !l.isPlaceholder {
		return l
	}
	first := &LiveSessions{}
	first.served.Budget, first.departed.Budget = l.served.Budget, l.departed.Budget
	e.live.CompareAndSwap(l, first)
	return e.live.Load()
}

// Live returns the counts of the endpoint. It returns nil if the endpoint has served no session.
func (e *Endpoint) Live() *LiveSessions {
	if l := e.live.Load(); !l.isPlaceholder {
		return l
	}
	return nil
}

// Streams returns the number of long streams among the active requests.
func (l *LiveSessions) Streams() int64 { return l.streams.Load() }

// Served returns the sessions of the window.
func (l *LiveSessions) Served() *sketch.Set { return l.served.All() }

// Active returns the sessions that are not idle: see sketch.IdleSeconds. now is in Unix seconds.
func (l *LiveSessions) Active(now int64) *sketch.Set { return l.served.Active(now) }

// MovedAway returns the sessions that have moved to another endpoint. Some of them may be in Served.
func (l *LiveSessions) MovedAway() *sketch.Set { return l.departed.All() }

// Window returns the length of the window in seconds.
func (l *LiveSessions) Window() int64 { return l.served.Seconds() }

// StartedPerMinute returns how many sessions started at the endpoint in the last minute.
func (l *LiveSessions) StartedPerMinute(now time.Time) float64 { return l.started.rate(now) }

func (l *LiveSessions) rotate(now time.Time) (bytes int64) {
	l.started.rotate(now)
	return l.served.Rotate(now.Unix()) + l.departed.Rotate(now.Unix())
}

// perMinute estimates a rate from the counts of the current minute and of the one before.
type perMinute struct {
	current, before atomic.Int64
	since           atomic.Int64 // Unix milliseconds when the current minute began; zero in the first one
}

func (p *perMinute) add() { p.current.Add(1) }

func (p *perMinute) rotate(now time.Time) {
	p.before.Store(p.current.Swap(0))
	p.since.Store(now.UnixMilli())
}

// rate counts the previous minute by the part of it that is less than a minute ago.
func (p *perMinute) rate(now time.Time) float64 {
	const minute = sketch.SliceSeconds * 1000
	passed := min(max(now.UnixMilli()-p.since.Load(), 0), minute)
	return float64(p.current.Load()) + float64(p.before.Load())*float64(minute-passed)/minute
}

// rotateLive starts the next slice of all LiveSessions.
func (r *Registry) rotateLive(now time.Time) {
	var bytes int64
	r.each(func(e *Endpoint) {
		if l := e.Live(); l != nil {
			bytes += l.rotate(now)
		}
	})
	r.LiveBudget().Reset(bytes)
}

// LiveBudget returns the memory of the counts of all endpoints.
func (r *Registry) LiveBudget() *sketch.Budget { return r.unused.served.Budget }
