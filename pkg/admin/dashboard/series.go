package dashboard

import (
	"math"
	"time"
)

// The history has historyLength samples, one each sampleInterval: the last 10 minutes.
const (
	sampleInterval = 5 * time.Second
	historyLength  = 120
)

// series has the last samples of one number. The sample of tick n is at n modulo historyLength.
type series [historyLength]uint32

func (s *series) set(tick uint64, value uint64) {
	s[tick%historyLength] = uint32(min(value, math.MaxUint32))
}

// last returns the samples of the ticks after since until now, the oldest first.
func (s *series) last(since, now uint64) []uint32 {
	n := min(now-since, historyLength)
	samples := make([]uint32, 0, n)
	for tick := now - n + 1; tick <= now; tick++ {
		samples = append(samples, s[tick%historyLength])
	}
	return samples
}

// traffic is the history of a pool, or of all pools.
type traffic struct {
	since                            uint64 // the tick before the first sample
	requests, errors, started, moved series // in the interval of the sample
	sessions, inFlight               series // at the time of the sample
}

// add records a sample.
func (t *traffic) add(tick uint64, d delta, sessions, inFlight int64) {
	t.requests.set(tick, d.requests)
	t.errors.set(tick, d.errors)
	t.started.set(tick, d.started)
	t.moved.set(tick, d.moved)
	t.sessions.set(tick, uint64(max(sessions, 0)))
	t.inFlight.set(tick, uint64(max(inFlight, 0)))
}

// history is the JSON form of a traffic. All lists have the same length, and the newest sample is last.
type history struct {
	// IntervalSeconds is the time between two samples.
	IntervalSeconds int `json:"intervalSeconds"`
	// Requests, Errors, New and Moved were counted in the interval before the sample.
	Requests []uint32 `json:"requests"`
	Errors   []uint32 `json:"errors"`
	New      []uint32 `json:"new"`
	Moved    []uint32 `json:"moved"`
	// Sessions and InFlight are the numbers at the time of the sample.
	Sessions []uint32 `json:"sessions"`
	InFlight []uint32 `json:"inFlight"`
}

func (t *traffic) describe(now uint64) *history {
	last := func(s *series) []uint32 { return s.last(t.since, now) }
	return &history{IntervalSeconds: int(sampleInterval / time.Second), Requests: last(&t.requests), Errors: last(&t.errors),
		New: last(&t.started), Moved: last(&t.moved), Sessions: last(&t.sessions), InFlight: last(&t.inFlight)}
}

// podTraffic is the history of an endpoint.
type podTraffic struct {
	since              uint64
	seen               uint64 // the last tick
	sessions, inFlight series
}

// podHistory is the JSON form of a podTraffic.
type podHistory struct {
	IntervalSeconds int      `json:"intervalSeconds"`
	Sessions        []uint32 `json:"sessions"`
	InFlight        []uint32 `json:"inFlight"`
}

func (t *podTraffic) describe(now uint64) *podHistory {
	return &podHistory{int(sampleInterval / time.Second), t.sessions.last(t.since, now), t.inFlight.last(t.since, now)}
}
