package main

import (
	"context"
	"fmt"
	"time"
)

// figures has the measured values for one number of Ingresses.
type figures struct {
	size int

	// The start of a replica whose statuses are all to be written.
	ready                time.Duration
	readyCPU             time.Duration
	readyMemory          int64
	statuses             time.Duration // from the start until the last one
	requests             apiRequests   // until then
	early                earlyResponses
	settledMemory        int64 // after the statuses
	change               changeCosts
	effect               durations
	removalQuiet         durations
	removalBusy          durations // beside changes
	clientQuiet          durations
	clientOther          durations // beside writes of objects that Limpet does not read
	clientBusy           durations // beside changes
	clientBurst          durations
	failed               int           // requests of these clients
	burst                int           // changes
	burstWritten         time.Duration // until the API server had them
	burstServed          time.Duration
	scrape, scrapeSmall  scrape // by default, and with --metrics-detail=controller
	idle                 idleMemory
	check, dev           reading
	peakMemory           int64
	secondReady          time.Duration
	leaderChangeRequests apiRequests
}

// scrape is one scrape of the metrics.
type scrape struct {
	series, bytes int
	took, cpu     time.Duration
}

// How often and how long things are measured.
const (
	costPeriods   = 10
	checkPeriods  = 5 // for make bench-scale-check
	effectChanges = 30
	removals      = 100
	phase         = 10 * time.Second
	readyLimit    = 5 * time.Minute
	statusLimit   = 5 * time.Minute
)

// measure measures everything with the current objects. After an error, it returns the figures that it has.
func (b *bench) measure(ctx context.Context) (*figures, error) {
	f := &figures{size: b.fleet.size}
	first, err := b.measureStart(ctx, f)
	if first != nil {
		defer first.stop()
	}
	if err != nil {
		return f, fmt.Errorf("start: %w", err)
	}
	for _, part := range []struct {
		name string
		do   func(context.Context, *figures, *replica) error
	}{
		{"cost of changes", func(ctx context.Context, f *figures, r *replica) (err error) {
			if err := r.settle(ctx, statusLimit); err != nil { // the collector may still be busy after the start
				return err
			}
			if f.change, err = b.measureChanges(ctx, r, costPeriods); err != nil {
				return err
			}
			return b.profileChanges(ctx, r)
		}},
		{"effect of changes", func(ctx context.Context, f *figures, r *replica) (err error) {
			f.effect, err = b.effects(ctx, r, effectChanges)
			return err
		}},
		{"quiet", b.measureQuiet},
		{"beside changes", b.measureBusy},
		{"scrapes", b.measureScrape},
		{"burst", b.measureBurst},
		{"idle connections", b.measureIdle},
		{"commands that read files", b.measureFiles},
		{"change of the leader", b.measureLeaderChange},
	} {
		if err := part.do(ctx, f, first); err != nil {
			return f, fmt.Errorf("%s: %w", part.name, err)
		}
		b.progress("  %s measured", part.name)
	}
	return f, nil
}

// measureQuiet measures without changes, and beside writes of objects that Limpet does not read.
func (b *bench) measureQuiet(ctx context.Context, f *figures, r *replica) error {
	m := &removal{fleet: b.fleet, client: newClient(r)}
	defer m.client.close()
	var err error
	if f.removalQuiet, err = m.measure(ctx, removals); err != nil {
		return err
	}
	for _, one := range []struct {
		to   *durations
		load func(context.Context) error
	}{
		{&f.clientQuiet, func(ctx context.Context) error { <-ctx.Done(); return nil }},
		{&f.clientOther, b.changeConfigMaps},
	} {
		if *one.to, err = b.clientsBeside(ctx, f, r, one.load); err != nil {
			return err
		}
	}
	return nil
}

// clientsBeside returns the latencies of clients for one phase, while load runs.
func (b *bench) clientsBeside(
	ctx context.Context, f *figures, r *replica, load func(context.Context) error,
) (durations, error) {
	limited, cancel := context.WithTimeout(ctx, phase)
	defer cancel()
	loaded := make(chan error, 1)
	go func() { loaded <- load(limited) }()
	all, failed := b.latencies(limited, r)
	f.failed += failed
	return all, <-loaded
}

// measureBusy measures clients beside changes of Ingresses, then removals beside changes of Ingresses and EndpointSlices.
func (b *bench) measureBusy(ctx context.Context, f *figures, r *replica) error {
	var err error
	if f.clientBusy, err = b.clientsBeside(ctx, f, r, b.changeIngresses); err != nil {
		return err
	}
	m := &removal{fleet: b.fleet, client: newClient(r), turn: removals}
	defer m.client.close()
	limited, cancel := context.WithCancel(ctx)
	defer cancel()
	loaded := make(chan error, 2)
	go func() { loaded <- b.changeIngresses(limited) }()
	go func() { loaded <- b.changeSlices(limited) }()
	f.removalBusy, err = m.measure(ctx, 2*removals)
	cancel()
	for range 2 {
		if failed := <-loaded; err == nil {
			err = failed
		}
	}
	return err
}

// measureScrape scrapes the metrics after every pool had traffic.
func (b *bench) measureScrape(ctx context.Context, f *figures, r *replica) error {
	if err := b.touchAll(ctx, r); err != nil {
		return err
	}
	var err error
	f.scrape, err = r.scrape()
	return err
}

func (r *replica) scrape() (s scrape, err error) {
	start, err := r.usage()
	if err != nil {
		return s, err
	}
	before := time.Now()
	text, err := r.metrics()
	if err != nil {
		return s, err
	}
	s.took, s.series, s.bytes = time.Since(before), text.series(), len(text)
	end, err := r.usage()
	s.cpu = end.cpu - start.cpu
	return s, err
}

// measureBurst changes many Ingresses concurrently beside clients. Then it records the peak of the memory.
func (b *bench) measureBurst(ctx context.Context, f *figures, r *replica) error {
	limited, cancel := context.WithCancel(ctx)
	defer cancel()
	measured := make(chan durations, 1)
	go func() {
		all, failed := b.latencies(limited, r)
		f.failed += failed
		measured <- all
	}()
	f.burst = min(b.fleet.size, 1000)
	var err error
	f.burstWritten, f.burstServed, err = b.burst(ctx, r, f.burst)
	cancel()
	f.clientBurst = <-measured
	if err != nil {
		return err
	}
	u, err := r.usage()
	f.peakMemory = u.peak
	return err
}

// measureLeaderChange starts a second replica, stops the first one, and counts what the new leader writes.
func (b *bench) measureLeaderChange(ctx context.Context, f *figures, first *replica) error {
	address := fmt.Sprint("203.0.113.", 1+len(fmt.Sprint(f.size)))
	second, err := b.start(2, address, "--metrics-detail=controller")
	if second != nil {
		defer second.stop()
	}
	if err != nil {
		return err
	}
	if err := second.await(ctx, "becoming ready", readyLimit, second.isReady); err != nil {
		return err
	}
	f.secondReady = time.Since(second.started)
	if err := b.touchAll(ctx, second); err != nil {
		return err
	}
	if f.scrapeSmall, err = second.scrape(); err != nil {
		return err
	}
	before, err := b.apiRequests(ctx)
	if err != nil {
		return err
	}
	first.stop()
	if err := second.await(ctx, "leading", time.Minute, second.leads.Load); err != nil {
		return err
	}
	if err := second.settle(ctx, statusLimit); err != nil {
		return err
	}
	after, err := b.apiRequests(ctx)
	f.leaderChangeRequests = after.since(before)
	return err
}

// settle returns when the process has used little CPU for a second. It has then processed all events and compared all statuses.
// settle fails after the limit.
func (r *replica) settle(ctx context.Context, limit time.Duration) error {
	deadline := time.Now().Add(limit)
	for last := time.Duration(-1); ; pause(ctx, time.Second) {
		if time.Now().After(deadline) {
			return fmt.Errorf("the process still uses CPU after %s", limit)
		}
		u, err := r.usage()
		if err != nil || ctx.Err() != nil {
			return err
		}
		if last >= 0 && u.cpu-last < 50*time.Millisecond {
			return nil
		}
		last = u.cpu
	}
}
