package dashboard

import (
	"context"
	"net/http"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/sessions"
	"github.com/limpet-dev/limpet/pkg/status"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// Options configures a Dashboard. All fields are required.
type Options struct {
	// Version is the version of Limpet.
	Version string
	Ready   func() bool
	Pools   *upstream.Registry
	Metrics *observe.Metrics
	// Sessions counts the sessions of pods over all replicas that respond before ctx ends.
	Sessions func(ctx context.Context, q sessions.Query) *sessions.Report
	// Replicas compares the replicas that respond before ctx ends.
	Replicas func(ctx context.Context) *status.Summary
	// Changes returns a number that grows whenever State may have changed. It is cheap.
	Changes func() uint64
	// Usage returns how often the route was used, and when it was used last, in Unix seconds. Both are zero if it was not.
	Usage func(r *model.Route) (requests uint64, last int64)
	// State returns what is served now. It may collect the results for all hosts.
	State func() State
}

// State is the part of the configuration that the views list.
type State struct {
	Generation uint64
	// Digest is equal for replicas that serve the same hosts and routes.
	Digest  uint64
	BuiltAt time.Time
	// Routes are sorted as in model.Model.
	Routes       []model.Route
	Certificates []model.Certificate
	Problems     []Problem
}

// Problem is a problem of an object.
type Problem struct {
	Object model.Ref
	// Field is the path of the field. It may be empty.
	Field   string
	Reason  string
	Message string
}

// Dashboard serves the page and its API.
type Dashboard struct {
	options Options
	states  stateCache
	live    liveCache
	summary recent[*status.Summary]
	sampler *sampler
	streams streams
}

// New returns a Dashboard that records no history until Run is called.
func New(o Options) *Dashboard {
	return &Dashboard{options: o, states: stateCache{changes: o.Changes, load: o.State}, sampler: newSampler(o.Pools, o.Metrics),
		live: liveCache{total: o.Sessions, pools: map[string]*recent[*sessions.Report]{}}, streams: newStreams()}
}

// Run records the history of traffic. It returns when ctx is done, after it has ended all event streams.
func (d *Dashboard) Run(ctx context.Context) {
	ticker := time.NewTicker(sampleInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			d.streams.close()
			return
		case now := <-ticker.C:
			d.sampler.sample()
			d.states.expire(now)
			d.live.expire(now)
		}
	}
}

// API returns the handler of the paths below /api/. The caller must check whether the client may read.
func (d *Dashboard) API() http.Handler {
	mux := http.NewServeMux()
	for name, r := range map[string]resource{
		"overview":     d.overview,
		"routes":       d.routes,
		"pools":        d.pools,
		"pool":         d.pool,
		"problems":     d.problems,
		"replicas":     d.replicas,
		"certificates": d.certificates,
	} {
		mux.HandleFunc("GET /api/"+name, d.serve(r))
	}
	return mux
}
