package main

import "time"

// noWrites is the target of counts that must be zero. A target of zero means none.
const noWrites = 0.5

const tenSeconds = float64(10 * time.Second)

// rows returns the lines of the table.
func rows() []row {
	return append(append(startRows(), changeRows()...), otherRows()...)
}

func startRows() []row {
	return []row{
		{"Fresh start until ready", func(f *figures) float64 { return float64(f.ready) }, duration, tenSeconds},
		{"CPU until ready", func(f *figures) float64 { return float64(f.readyCPU) }, duration, 0},
		{"Memory (RSS) when ready", func(f *figures) float64 { return float64(f.readyMemory) }, mebibytes, 250 << 20},
		{"Start until all first statuses are written", func(f *figures) float64 { return float64(f.statuses) }, duration,
			float64(time.Minute)},
		{"Responses to clients from ready until then", func(f *figures) float64 { return float64(f.early.all) }, plain(0), 0},
		{"... not with 200", func(f *figures) float64 { return float64(f.early.failed) }, plain(0), noWrites},
		{"Requests for these statuses", func(f *figures) float64 { return f.requests.statuses }, plain(0), 0},
		{"Lists at the start", func(f *figures) float64 { return f.requests.lists }, plain(0), 0},
		{"Open watches", func(f *figures) float64 { return f.requests.watches }, plain(0), 0},
		{"Memory (RSS) after that", func(f *figures) float64 { return float64(f.settledMemory) }, mebibytes, 0},
		{"Peak memory, with everything below", func(f *figures) float64 { return float64(f.peakMemory) }, mebibytes, 300 << 20},
		{"Start of a second replica until ready", func(f *figures) float64 { return float64(f.secondReady) }, duration,
			tenSeconds},
		{"Statuses that a new leader writes", func(f *figures) float64 { return f.leaderChangeRequests.statuses }, plain(0), noWrites},
		{"Lists by a new leader", func(f *figures) float64 { return f.leaderChangeRequests.lists }, plain(0), noWrites},
		{"Events that a new leader emits", func(f *figures) float64 { return f.leaderChangeRequests.events }, plain(0), 0},
	}
}

func changeRows() []row {
	ms := float64(time.Millisecond)
	return []row{
		{"CPU per change of an Ingress", func(f *figures) float64 { return float64(f.change.perPeriod.p50()) }, duration, 5 * ms},
		{"... with the garbage collections of that time", func(f *figures) float64 { return float64(f.change.mean) }, duration, 5 * ms},
		{"Allocations per change", func(f *figures) float64 { return f.change.allocations }, plain(0), 0},
		{"Change until served, p50", func(f *figures) float64 { return float64(f.effect.p50()) }, duration, 0},
		{"Change until served, p99", func(f *figures) float64 { return float64(f.effect.p99()) }, duration, 0},
		{"Endpoint removed until not chosen, p50", func(f *figures) float64 { return float64(f.removalQuiet.p50()) }, duration, 0},
		{"Endpoint removed until not chosen, p99", func(f *figures) float64 { return float64(f.removalQuiet.p99()) }, duration, 0},
		{"The same beside 5 Ingress and 50 slice changes/s, p50", func(f *figures) float64 { return float64(f.removalBusy.p50()) },
			duration, 2 * ms},
		{"The same beside 5 Ingress and 50 slice changes/s, p99", func(f *figures) float64 { return float64(f.removalBusy.p99()) },
			duration, 50 * ms},
		{"Changes in the burst", func(f *figures) float64 { return float64(f.burst) }, plain(0), 0},
		{"Burst until written", func(f *figures) float64 { return float64(f.burstWritten) }, duration, 0},
		{"Burst until served, from its first write", func(f *figures) float64 { return float64(f.burstServed) }, duration,
			float64(3 * time.Second)},
		{"Burst until served, from its last write", func(f *figures) float64 { return float64(f.burstServed - f.burstWritten) },
			duration, 0},
	}
}

func otherRows() []row {
	return []row{
		{"Client p99, quiet", func(f *figures) float64 { return float64(f.clientQuiet.p99()) }, duration, 0},
		{"Client p99 beside 5 writes/s that Limpet does not read", func(f *figures) float64 { return float64(f.clientOther.p99()) },
			duration, 0},
		{"Client p99 beside 5 Ingress changes/s", func(f *figures) float64 { return float64(f.clientBusy.p99()) }, duration, 0},
		{"... relative to quiet", func(f *figures) float64 { return relative(f.clientBusy, f.clientQuiet) }, plain(2), 1.5},
		{"... relative to other writes", func(f *figures) float64 { return relative(f.clientBusy, f.clientOther) }, plain(2), 0},
		{"Client p99 beside the burst", func(f *figures) float64 { return float64(f.clientBurst.p99()) }, duration, 0},
		{"... relative to quiet", func(f *figures) float64 { return relative(f.clientBurst, f.clientQuiet) }, plain(2), 1.5},
		{"Failed client requests", func(f *figures) float64 { return float64(f.failed) }, plain(0), noWrites},
		{"Series of /metrics, all pools with traffic", func(f *figures) float64 { return float64(f.scrape.series) }, plain(0), 100_000},
		{"Size of /metrics", func(f *figures) float64 { return float64(f.scrape.bytes) }, mebibytes, 0},
		{"Scrape", func(f *figures) float64 { return float64(f.scrape.took) }, duration, float64(time.Second)},
		{"CPU per scrape", func(f *figures) float64 { return float64(f.scrape.cpu) }, duration, 0},
		{"Series with --metrics-detail=controller", func(f *figures) float64 { return float64(f.scrapeSmall.series) }, plain(0), 1000},
		{"Idle connections", func(f *figures) float64 { return float64(f.idle.connections) }, count, 0},
		{"Memory per idle connection", func(f *figures) float64 { return f.idle.connection }, kibibytesEach, 0},
		{"Idle WebSockets", func(f *figures) float64 { return float64(f.idle.webSockets) }, count, 0},
		{"Memory per idle WebSocket", func(f *figures) float64 { return f.idle.webSocket }, kibibytesEach, 0},
		{"limpet check with these Ingresses in files", func(f *figures) float64 { return float64(f.check.took) }, duration, tenSeconds},
		{"... CPU", func(f *figures) float64 { return float64(f.check.cpu) }, duration, 0},
		{"limpet dev with these files, until ready", func(f *figures) float64 { return float64(f.dev.took) }, duration, tenSeconds},
		{"... CPU", func(f *figures) float64 { return float64(f.dev.cpu) }, duration, 0},
		{"Scrape with --metrics-detail=controller", func(f *figures) float64 { return float64(f.scrapeSmall.took) }, duration, 0},
	}
}

// relative returns the ratio of the p99 of two measurements.
func relative(a, b durations) float64 { return float64(a.p99()) / float64(max(b.p99(), 1)) }
