package main

import (
	"context"
	"time"
)

// cost has the resources that the process has used.
type cost struct {
	cpu         time.Duration
	allocations float64
}

// spent returns what the process uses while do runs. The allocations include those of one scrape.
func (r *replica) spent(do func() error) (cost, error) {
	before, err := r.metrics()
	if err != nil {
		return cost{}, err
	}
	start, err := r.cpuTime()
	if err != nil {
		return cost{}, err
	}
	if err := do(); err != nil {
		return cost{}, err
	}
	end, err := r.cpuTime() // before the scrape, which is not part of it
	if err != nil {
		return cost{}, err
	}
	after, err := r.metrics()
	const mallocs = "go_memstats_mallocs_total"
	return cost{end - start, after.sum(mallocs) - before.sum(mallocs)}, err
}

// Changes are made at a rate at which they are not coalesced.
const (
	costRate  = 20 // changes per second
	costPhase = 2400 * time.Millisecond
)

// changeCosts is the cost of a change. Periods with changes alternate with equally long ones without any, whose cost is
// subtracted. A garbage collection costs as much as the changes of several periods. The median is without them, and the mean is
// with them.
type changeCosts struct {
	perPeriod   durations // CPU per change in each period
	allocations float64   // per change
	mean        time.Duration
}

// measureChanges measures what a change costs, in that many periods.
func (b *bench) measureChanges(ctx context.Context, r *replica, periods int) (changeCosts, error) {
	var out changeCosts
	var all []float64
	total, changes := time.Duration(0), 0
	for range periods {
		quiet, err := r.spent(func() error { pause(ctx, costPhase); return nil })
		if err != nil {
			return out, err
		}
		before := changes
		busy, err := r.spent(func() error {
			limited, cancel := context.WithTimeout(ctx, costPhase)
			defer cancel()
			return repeat(limited, costRate, func(int) error {
				changes++
				return b.fleet.changeIngress(ctx, b.fleet.spread(changes))
			})
		})
		n := changes - before
		if err != nil || n == 0 {
			return out, err
		}
		total += busy.cpu - quiet.cpu
		out.perPeriod = append(out.perPeriod, (busy.cpu-quiet.cpu)/time.Duration(n))
		all = append(all, (busy.allocations-quiet.allocations)/float64(n))
	}
	out.mean, out.allocations = total/time.Duration(changes), median(all)
	return out, nil
}

// ratio describes how much more a change costs than in a smaller cluster: the ratio of the medians, and of the quartiles that are
// farthest apart.
func (c changeCosts) ratio(small changeCosts) (middle, low, high float64) {
	over := func(a, b time.Duration) float64 { return float64(a) / float64(max(b, 1)) }
	return over(c.perPeriod.p50(), small.perPeriod.p50()),
		over(c.perPeriod.quantile(0.25), small.perPeriod.quantile(0.75)),
		over(c.perPeriod.quantile(0.75), small.perPeriod.quantile(0.25))
}
