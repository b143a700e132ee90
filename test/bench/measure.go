package main

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// finding is the result of one workload.
type finding struct {
	workload *workload
	proxies  []*proxy
	failures []error
	others   float64 // share of the proxy core used by other programs
	// perSecond is the rate of an open loop.
	perSecond float64
}

// result is the result of one round of one proxy.
type result struct {
	cpu       float64 // microseconds per request
	perSecond float64
	p50, p99  float64 // microseconds
	p999      float64 // the 99.9th percentile in microseconds
	busy      float64 // share of the round in which the proxy ran
	resident  float64 // bytes per idle connection
}

// measure starts the proxies, runs a workload, and stops the proxies. A proxy that fails is excluded from then on.
func (b *bench) measure(w *workload) *finding {
	found := &finding{workload: w}
	for _, r := range b.rivals {
		if !r.offers(w) {
			continue
		}
		p, err := b.start(r, w)
		if p != nil {
			found.proxies = append(found.proxies, p)
			defer p.stop()
		}
		found.left(p, r, err)
	}
	if w.idle {
		found.each(func(p *proxy) error { return b.hold(p, w) })
	} else {
		b.drive(found)
	}
	found.each((*proxy).readPeak)
	return found
}

// each calls f for every proxy that has not failed.
func (f *finding) each(do func(*proxy) error) {
	for _, p := range slices.Clone(f.proxies) {
		f.left(p, p.rival, do(p))
	}
}

// left excludes a proxy that has failed.
func (f *finding) left(p *proxy, r *rival, err error) {
	if err == nil {
		return
	}
	f.failures = append(f.failures, fmt.Errorf("%s: %s: %w", f.workload.name, r.name, err))
	f.proxies = slices.DeleteFunc(f.proxies, func(q *proxy) bool { return q == p })
}

// drive runs the rounds. The first one is a warm-up and is not counted.
func (b *bench) drive(found *finding) {
	found.each(func(p *proxy) (err error) {
		p.load, err = found.workload.connect(p.address, min(found.workload.count, b.clients))
		return err
	})
	found.each(func(p *proxy) error { return p.round(b.duration, p.load.run) })
	rate := found.rate()
	for _, p := range found.proxies {
		p.results, p.took, p.used = nil, 0, 0
	}
	busy := coreTime(proxyCore)
	for range b.rounds {
		found.each(func(p *proxy) error { return p.round(b.duration, b.sender(found.workload, p, rate)) })
	}
	busy = coreTime(proxyCore) - busy
	var took, used time.Duration
	for _, p := range found.proxies {
		took, used = took+p.took, used+p.used
	}
	found.others = max(0, (busy-used).Seconds()/took.Seconds()) // without pinning, the proxy ran on other cores too
}

// rate returns the requests per second of an open loop: the workload's share of what the slowest proxy did in the
// warm-up. It is zero in a closed loop.
func (f *finding) rate() float64 {
	lowest := math.Inf(1)
	for _, p := range f.proxies {
		lowest = min(lowest, p.median(perSecond))
	}
	f.perSecond = lowest * f.workload.share
	return f.perSecond
}

// sender returns how the requests of a workload are sent.
func (b *bench) sender(w *workload, p *proxy, rate float64) func(time.Duration) (sample, error) {
	switch {
	case w.wrk:
		return func(d time.Duration) (sample, error) { return b.runWrk(p, d) }
	case w.share > 0:
		return func(d time.Duration) (sample, error) { return p.load.runAtRate(d, rate) }
	default:
		return p.load.run
	}
}

// round sends requests to one proxy for a while, and reads its resource usage.
func (p *proxy) round(duration time.Duration, send func(time.Duration) (sample, error)) error {
	before, err := usageOf(p.process.Pid)
	if err != nil {
		return err
	}
	start := time.Now()
	seen, err := send(duration)
	if err != nil {
		return err
	}
	took := time.Since(start)
	after, err := usageOf(p.process.Pid)
	if err != nil {
		return err
	}
	used := after.cpu - before.cpu
	p.results = append(p.results, seen.result(took, used))
	p.took, p.used = p.took+took, p.used+used
	return nil
}

// sample summarizes the requests of one round.
type sample struct {
	requests       int
	p50, p99, p999 time.Duration
}

func summarize(latencies []time.Duration) sample {
	slices.Sort(latencies)
	n := len(latencies)
	return sample{requests: n, p50: latencies[n/2], p99: latencies[n*99/100], p999: latencies[n*999/1000]}
}

// result adds the duration of the round and the CPU time that the proxy used in it.
func (s sample) result(took, used time.Duration) result {
	return result{
		cpu:       micro(used) / float64(s.requests),
		perSecond: float64(s.requests) / took.Seconds(),
		p50:       micro(s.p50),
		p99:       micro(s.p99),
		p999:      micro(s.p999),
		busy:      used.Seconds() / took.Seconds(),
	}
}

func micro(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

// readPeak reads the peak memory of the proxy.
func (p *proxy) readPeak() error {
	u, err := usageOf(p.process.Pid)
	p.memory = u.peak
	return err
}

// idleTime is how long connections are idle before memory is read.
const idleTime = 2 * time.Second

// hold opens connections, sends a few requests on each, and measures the memory growth of the proxy. The first
// connections are not counted, because they include one-time allocations.
func (b *bench) hold(p *proxy, w *workload) error {
	first, err := w.connect(p.address, min(w.count, b.clients))
	defer first.close()
	if err != nil {
		return err
	}
	before, err := usageOf(p.process.Pid)
	if err != nil {
		return err
	}
	idle, err := w.connect(p.address, b.idle)
	defer idle.close()
	if err != nil {
		return err
	}
	if !b.smoke {
		time.Sleep(idleTime)
	}
	after, err := usageOf(p.process.Pid)
	p.results = []result{{resident: float64(after.resident-before.resident) / float64(b.idle)}}
	return err
}

// median returns the median of one figure over all rounds.
func (p *proxy) median(figure func(result) float64) float64 { return p.quantile(figure, 0.5) }

func (p *proxy) quantile(figure func(result) float64, q float64) float64 {
	values := make([]float64, len(p.results))
	for i, r := range p.results {
		values[i] = figure(r)
	}
	slices.Sort(values)
	return values[int(q*float64(len(values)-1)+0.5)]
}
