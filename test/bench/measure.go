package main

import (
	"fmt"
	"slices"
	"time"
)

// finding is what one workload has shown.
type finding struct {
	workload *workload
	proxies  []*proxy
	failures []error
	others   float64 // the part of the proxies' core that other programs had meanwhile
}

// result is one round of one proxy.
type result struct {
	cpu       float64 // microseconds a request
	perSecond float64
	p50, p99  float64 // microseconds
	busy      float64 // the part of the round in which the proxy ran
	resident  float64 // bytes for each idle connection
}

// measure starts the proxies for one workload, runs it, and stops them. A proxy that fails is left out from there on.
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

// each does something with every proxy that has not failed so far.
func (f *finding) each(do func(*proxy) error) {
	for _, p := range slices.Clone(f.proxies) {
		f.left(p, p.rival, do(p))
	}
}

// left takes a proxy out that has failed.
func (f *finding) left(p *proxy, r *rival, err error) {
	if err == nil {
		return
	}
	f.failures = append(f.failures, fmt.Errorf("%s: %s: %w", f.workload.name, r.name, err))
	f.proxies = slices.DeleteFunc(f.proxies, func(q *proxy) bool { return q == p })
}

// drive runs the rounds. The first one warms up and does not count.
func (b *bench) drive(found *finding) {
	found.each(func(p *proxy) (err error) {
		p.load, err = found.workload.connect(p.address, min(found.workload.count, b.clients))
		return err
	})
	found.each(func(p *proxy) error { return p.round(b.duration) })
	for _, p := range found.proxies {
		p.results, p.took, p.used = nil, 0, 0
	}
	busy := coreTime(proxyCore)
	for range b.rounds {
		found.each(func(p *proxy) error { return p.round(b.duration) })
	}
	busy = coreTime(proxyCore) - busy
	var took, used time.Duration
	for _, p := range found.proxies {
		took, used = took+p.took, used+p.used
	}
	found.others = max(0, (busy-used).Seconds()/took.Seconds()) // where nothing is pinned, the proxy ran elsewhere too
}

// round drives one proxy and reads what it cost.
func (p *proxy) round(duration time.Duration) error {
	before, err := usageOf(p.process.Pid)
	if err != nil {
		return err
	}
	start := time.Now()
	latencies, err := p.load.run(duration)
	if err != nil {
		return err
	}
	took := time.Since(start)
	after, err := usageOf(p.process.Pid)
	if err != nil {
		return err
	}
	used := after.cpu - before.cpu
	p.results = append(p.results, summarise(latencies, took, used))
	p.took, p.used = p.took+took, p.used+used
	return nil
}

func summarise(latencies []time.Duration, took, used time.Duration) result {
	slices.Sort(latencies)
	n := len(latencies)
	return result{
		cpu:       micro(used) / float64(n),
		perSecond: float64(n) / took.Seconds(),
		p50:       micro(latencies[n/2]),
		p99:       micro(latencies[n*99/100]),
		busy:      used.Seconds() / took.Seconds(),
	}
}

func micro(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }

// readPeak reads how much memory the proxy has used.
func (p *proxy) readPeak() error {
	u, err := usageOf(p.process.Pid)
	p.memory = u.peak
	return err
}

// settle is how long idle connections rest before their memory is read.
const settle = 2 * time.Second

// hold opens idle connections, each after a few requests, and sees by how much the proxy has grown. Some connections
// come first and do not count: whatever is set up once is set up then.
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
		time.Sleep(settle)
	}
	after, err := usageOf(p.process.Pid)
	p.results = []result{{resident: float64(after.resident-before.resident) / float64(b.idle)}}
	return err
}

// median of one figure over the rounds.
func (p *proxy) median(figure func(result) float64) float64 { return p.quantile(figure, 0.5) }

func (p *proxy) quantile(figure func(result) float64, q float64) float64 {
	values := make([]float64, len(p.results))
	for i, r := range p.results {
		values[i] = figure(r)
	}
	slices.Sort(values)
	return values[int(q*float64(len(values)-1)+0.5)]
}
