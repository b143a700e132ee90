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
}

// maxLiveBytes bounds the memory of all LiveSessions of a Registry. A pod with thousands of sessions in each minute uses up to 80
// KiB, one with few sessions about 2 KiB.
const maxLiveBytes = 64 << 20

// SessionResponded records a response of the endpoint to a session. window is the time in seconds after which a session without
// requests no longer counts. isNew reports whether the session starts at the endpoint.
func (e *Endpoint) SessionResponded(session uint64, window int64, isNew bool) {
	l := e.live.Load()
	if l == nil {
		l = e.firstLive()
	}
	l.served.Add(session, window)
	if isNew {
		l.started.add()
	}
}

// SessionDeparted records that another endpoint serves the session from now on. window is that of SessionResponded.
func (e *Endpoint) SessionDeparted(session uint64, window int64) {
	l := e.live.Load()
	if l == nil {
		l = e.firstLive()
	}
	l.departed.Add(session, window)
}

func (e *endpointState) firstLive() *LiveSessions {
	l := &LiveSessions{}
	l.served.Budget, l.departed.Budget = e.liveBudget, e.liveBudget
	e.live.CompareAndSwap(nil, l)
	return e.live.Load()
}

// Live returns the counts of the endpoint. It returns nil if the endpoint has served no session.
func (e *Endpoint) Live() *LiveSessions { return e.live.Load() }

// Served returns the sessions of the window.
func (l *LiveSessions) Served() *sketch.Set { return l.served.All() }

// Active returns the sessions that are not idle: see sketch.IdleSeconds. now is in Unix seconds.
func (l *LiveSessions) Active(now int64) *sketch.Set { return l.served.Active(now) }

// Departed returns the sessions that have moved to another endpoint. Some of them may be in Served.
func (l *LiveSessions) Departed() *sketch.Set { return l.departed.All() }

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
		if l := e.live.Load(); l != nil {
			bytes += l.rotate(now)
		}
	})
	r.live.Reset(bytes)
}

// LiveBudget returns the memory of the counts of all endpoints.
func (r *Registry) LiveBudget() *sketch.Budget { return r.live }
