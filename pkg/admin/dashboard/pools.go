package dashboard

import (
	"cmp"
	"net/url"
	"slices"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// pool is the JSON form of a pool in the list.
type pool struct {
	ID string `json:"id"`
	// Pods are the numbers of endpoints by state.
	Pods     map[string]int `json:"pods"`
	Sessions int64          `json:"sessions"`
	InFlight int64          `json:"inFlight"`
	// Counts is nil if the pool had no recent traffic, or is not counted on its own.
	Counts *counts `json:"counts,omitempty"`
	// History is nil if the pool had no recent traffic.
	History *history `json:"history,omitempty"`
}

// counts are totals since the counters of the pool exist.
type counts struct {
	Requests uint64 `json:"requests"`
	Errors   uint64 `json:"errors"`
	Retries  uint64 `json:"retries"`
	Failures uint64 `json:"failures"`
	// Outcomes has the numbers of affinity decisions by outcome, without those that did not occur.
	Outcomes map[string]uint64 `json:"outcomes"`
	// Moved has the numbers of sessions that moved, by reason.
	Moved map[string]uint64 `json:"moved"`
}

func (d *Dashboard) pools(values url.Values) (any, error) {
	q, err := parseQuery(values, "name", "sessions", "moved")
	if err != nil {
		return nil, err
	}
	var selected []poolLoad
	d.options.Pools.Visit(func(p *upstream.Pool) {
		if q.selects(p.ID.Namespace) && q.matches(p.Name) {
			selected = append(selected, d.loadOf(p, q.sort))
		}
	})
	slices.SortFunc(selected, func(a, b poolLoad) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), comparePools(a.ID, b.ID))
	})
	return paginate(q, selected, func(p poolLoad) pool { return d.describePool(p.Pool) }), nil
}

// poolLoad is a pool with the number by which it is sorted, the highest first.
type poolLoad struct {
	*upstream.Pool
	weight uint64
}

func (d *Dashboard) loadOf(p *upstream.Pool, by string) poolLoad {
	l := poolLoad{Pool: p}
	switch by {
	case "sessions":
		sessions, _ := load(p.Set())
		l.weight = uint64(max(sessions, 0))
	case "moved":
		c, _ := d.options.Metrics.PoolCounts(p.Slot)
		l.weight = c.Moved()
	}
	return l
}

func comparePools(a, b model.PoolID) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Port, b.Port),
		cmp.Compare(a.String(), b.String()))
}

func (d *Dashboard) describePool(p *upstream.Pool) pool {
	set := p.Set()
	out := pool{ID: p.Name, Pods: map[string]int{}, History: d.sampler.pool(p)}
	for state, n := range set.CountByState() {
		out.Pods[string(state)] = n
	}
	out.Sessions, out.InFlight = load(set)
	if c, isOwn := d.options.Metrics.PoolCounts(p.Slot); isOwn {
		out.Counts = describeCounts(&c)
	}
	return out
}

func describeCounts(c *observe.Counts) *counts {
	out := &counts{Requests: c.Requests, Errors: c.Errors, Retries: c.Retries, Failures: c.Failures,
		Outcomes: map[string]uint64{}, Moved: map[string]uint64{}}
	for o := range c.Decisions {
		for r, n := range c.Decisions[o] {
			if n == 0 {
				continue
			}
			out.Outcomes[affinity.Outcome(o).String()] += n
			if affinity.Outcome(o) == affinity.OutcomeMoved {
				out.Moved[affinity.Reason(r).String()] += n
			}
		}
	}
	return out
}
