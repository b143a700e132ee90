package dashboard

import (
	"net/url"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// overview is the JSON form of the first view.
type overview struct {
	Version string `json:"version"`
	Ready   bool   `json:"ready"`
	// Generation counts the tables of this process.
	Generation uint64    `json:"generation"`
	Digest     uint64    `json:"digest"`
	BuiltAt    time.Time `json:"builtAt"`

	Routes       int            `json:"routes"`
	Closed       int            `json:"closed"` // routes that respond 503 because their protection is not enforced
	Pools        int            `json:"pools"`
	Empty        int            `json:"empty"` // pools without an endpoint that can serve
	Pods         map[string]int `json:"pods"`  // endpoints by state
	Problems     int            `json:"problems"`
	Certificates int            `json:"certificates"`
	// Expiring are the certificates that expire within 14 days, or have expired.
	Expiring int   `json:"expiring"`
	Sessions int64 `json:"sessions"`
	InFlight int64 `json:"inFlight"`

	History *history `json:"history"`
}

// soon is the time before the expiry of a certificate in which it counts as expiring.
const soon = 14 * 24 * time.Hour

func (d *Dashboard) overview(values url.Values) (any, error) {
	if err := checkNames(values); err != nil {
		return nil, err
	}
	state := d.states.get()
	o := &overview{Version: d.options.Version, Ready: d.options.Ready(), Generation: state.Generation, Digest: state.Digest,
		BuiltAt: state.BuiltAt, Routes: len(state.Routes), Problems: len(state.Problems), Certificates: len(state.Certificates),
		Pods: map[string]int{}, History: d.sampler.totals()}
	for i := range state.Routes {
		if state.Routes[i].Closed != "" {
			o.Closed++
		}
	}
	for i := range state.Certificates {
		if time.Until(state.Certificates[i].Pair.Leaf.NotAfter) < soon {
			o.Expiring++
		}
	}
	d.options.Pools.Visit(o.addPool)
	return o, nil
}

func (o *overview) addPool(p *upstream.Pool) {
	o.Pools++
	set := p.Set()
	counts := set.CountByState()
	for state, n := range counts {
		o.Pods[string(state)] += n
	}
	if counts[model.EndpointReady]+counts[model.EndpointDraining] == 0 {
		o.Empty++
	}
	sessions, inFlight := load(set)
	o.Sessions, o.InFlight = o.Sessions+sessions, o.InFlight+inFlight
}
