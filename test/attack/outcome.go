package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// outcome is the measured effect of an attack. Sizes are in bytes.
type outcome struct {
	idle, peak, after int64
	recovered         time.Duration // until memory was back, or the end of the wait
	quiet, attacked   *latencies
	cpu               float64 // cores, during the attack
}

func (o *outcome) slowdown() float64 {
	return float64(o.attacked.p99()) / float64(max(o.quiet.p99(), 1))
}

func (o *outcome) row(p *plan, a *attack) string {
	return fmt.Sprintf("| %s | %d | %d MiB | %d MiB (%d %%) | %d MiB after %s | %.2f cores | %s | %s (x%.1f) | %d of %d |", a.name,
		p.connections*a.times, o.idle>>20, o.peak>>20, o.peak*100/p.limit, o.after>>20, o.recovered.Round(time.Second), o.cpu,
		o.quiet.p99(), o.attacked.p99(), o.slowdown(), o.attacked.failed, o.attacked.count())
}

// misses names the targets that were missed.
func (o *outcome) misses(p *plan) []string {
	missed := o.memoryMisses(p)
	if o.slowdown() > latencyFactor {
		missed = append(missed, fmt.Sprintf("p99 of the honest client is %.1f times as long", o.slowdown()))
	}
	if o.attacked.failed > 0 {
		missed = append(missed, fmt.Sprintf("%d requests of the honest client failed", o.attacked.failed))
	}
	return missed
}

func (o *outcome) memoryMisses(p *plan) (missed []string) {
	if o.peak*100 > p.limit*peakPercent {
		missed = append(missed, fmt.Sprintf("the peak of %d MiB is above %d %% of the limit", o.peak>>20, peakPercent))
	}
	if o.after*100 > o.idle*p.idlePercent {
		missed = append(missed, fmt.Sprintf("%d MiB are held after the attack, %d MiB before", o.after>>20, o.idle>>20))
	}
	return missed
}

// launch runs one attack against a process of its own.
func (p *plan) launch(a *attack) (*outcome, error) {
	pods := startPods()
	defer pods.close()
	t, err := start(p, pods)
	if err != nil {
		return nil, err
	}
	defer t.stop()
	honest := newHonest(t.plain)
	defer honest.close()
	o := &outcome{}
	if o.quiet, err = honest.ask(p.quiet); err != nil {
		return nil, err
	}
	if o.idle, err = t.memory(); err != nil {
		return nil, err
	}
	withdraw := a.begin(t, p.connections*a.times)
	used := t.cpu()
	watched := t.watch(p.hold)
	o.attacked, err = honest.ask(p.hold)
	o.peak, o.cpu = <-watched, (t.cpu()-used)/p.hold.Seconds()
	withdraw()
	pods.release()
	if err == nil {
		err = o.await(t, p)
	}
	return o, err
}

// await waits until memory is nearly what it was before.
func (o *outcome) await(t *target, p *plan) (err error) {
	begun := time.Now()
	tick := time.NewTicker(250 * time.Millisecond)
	defer tick.Stop()
	for ; ; <-tick.C {
		if o.after, err = t.memory(); err != nil {
			return err
		}
		o.recovered = time.Since(begun)
		if o.after*100 <= o.idle*p.idlePercent || o.recovered > p.recover {
			return nil
		}
	}
}

// attack is what each attacking connection does until its context ends, or Limpet closes it.
type attack struct {
	name    string
	times   int // the number of connections of the plan
	connect func(ctx context.Context, t *target) error
}

// holding is the number of attacks, from the first, that hold memory.
const holding = 3

var attacks = []attack{
	{"HTTP/2, heads from the table", 1, holdHTTP2(amplified())},
	{"HTTP/2, uploads to a pod that does not read", 1, holdHTTP2(uploads())},
	{"HTTP/3, heads from the table", 1, holdHTTP3},
	{"HTTP/1.1, slow heads", 40, slowHeads()},
	{"HTTP/1.1, slow bodies", 10, slowBodies()},
	{"HTTP/1.1, slow readers", 1, slowReaders()},
	{"HTTP/1.1, 10,000 cookies", 1, manyCookies()},
	{"WebSocket, pings", 1, webSockets()},
	{"TCP, connections", 1, connections},
	{"TLS, handshakes", 1, handshakes},
	{"HTTP/2, resets", 1, frames(resets)},
	{"HTTP/2, PING", 1, frames(pings)},
	{"HTTP/2, SETTINGS", 1, frames(settings)},
	{"HTTP/2, WINDOW_UPDATE", 1, frames(windows)},
	{"HTTP/2, CONTINUATION", 1, frames(continuations)},
}

// reconnectAfter is the delay before an attacker reconnects after its connection was closed.
const reconnectAfter = 100 * time.Millisecond

// begin starts the attackers. withdraw ends them.
func (a *attack) begin(t *target, connections int) (withdraw func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for range connections {
		all.Go(func() {
			for ctx.Err() == nil {
				_ = a.connect(ctx, t) // it ends when Limpet has had enough
				select {
				case <-ctx.Done():
				case <-time.After(reconnectAfter):
				}
			}
		})
	}
	return func() { cancel(); all.Wait() }
}
