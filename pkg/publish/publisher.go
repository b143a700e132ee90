package publish

import (
	"net/netip"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/limpet-dev/limpet/pkg/certs"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/routing"
	"github.com/limpet-dev/limpet/pkg/translate"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// Options are what a Publisher is made of. All fields are required but those that say otherwise.
type Options struct {
	Translate translate.Options
	Tables    *routing.Store
	Pools     *upstream.Registry
	Certs     *certs.Store
	Metrics   *observe.Metrics
	Log       logr.Logger
	// Own hears of the addresses of Limpet's replicas. They are the endpoints of OwnService, empty: not known. Both are
	// optional.
	Own        *upstream.SelfAddresses
	OwnService types.NamespacedName
}

// Publisher makes changes live. Safe for concurrent use; changes are applied one after the other.
type Publisher struct {
	o Options

	mu      sync.Mutex
	model   *model.Model               // what the current Table was compiled from
	byOwner map[service][]model.Pool   // the pools of the model, by Service
	last    atomic.Pointer[Everything] // for Last
}

// Newest gives what endpoints are made of, as it was last seen. The Publisher asks while it holds its lock, so that of
// two changes that meet the one that has seen more is applied last.
type Newest struct {
	// Slices gives the EndpointSlices of a Service.
	Slices func(namespace, name string) []*discoveryv1.EndpointSlice
	Pods   translate.Pods
}

// service is the namespace and name of a Service.
type service struct{ namespace, name string }

// Everything is what the last Snapshot led to.
type Everything struct {
	Model   *model.Model
	Reports []translate.Report
}

// New makes a Publisher that has published nothing.
func New(o Options) *Publisher { return &Publisher{o: o} }

// Ready reports whether a Table was published.
func (p *Publisher) Ready() bool { return p.o.Tables.Current() != nil }

// Last returns what the last Snapshot led to, nil before the first.
func (p *Publisher) Last() *Everything { return p.last.Load() }

// Publish makes a Snapshot live: endpoints first, so that a new route finds its pods, then certificates, then the Table.
// A Snapshot that leads to the same model as the last one builds no Table. The endpoints are those that
// newest gives, not those of the Snapshot, which may be older. since is when the oldest change in the Snapshot was seen.
func (p *Publisher) Publish(w *translate.Snapshot, newest Newest, since time.Time) translate.Result {
	result := translate.Build(w, p.inUse(), p.o.Translate)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.learnReplicas(newest)
	p.replaceEndpoints(result.Model.Pools, newest)
	if p.model == nil || !reflect.DeepEqual(p.model, result.Model) {
		p.swap(result.Model, since)
	}
	p.o.Metrics.Published(p.o.Tables.Current().Generation, countProblems(result.Reports))
	p.last.Store(&Everything{Model: result.Model, Reports: result.Reports})
	return result
}

// inUse is the last Model that was made live, or is about to be.
func (p *Publisher) inUse() *model.Model {
	if last := p.Last(); last != nil {
		return last.Model
	}
	return nil
}

// swap compiles and publishes the Table of a model, and lets go of the pools that it no longer names.
func (p *Publisher) swap(m *model.Model, since time.Time) {
	p.o.Certs.Replace(m.Certificates, m.DefaultCertificateFor...)
	p.o.Metrics.Certificates(m.Certificates)
	table := routing.Compile(m, p.o.Pools, p.o.Tables.Current(), time.Now())
	p.o.Tables.Publish(table)
	p.o.Metrics.Propagated("table", time.Since(since))
	p.model, p.byOwner = m, poolsByService(m.Pools)
	p.dropPools(m.Pools)
	p.o.Log.Info("Routing table published", "generation", table.Generation, "routes", len(m.Routes),
		"pools", len(m.Pools))
}

func (p *Publisher) dropPools(keep []model.Pool) {
	kept := make(map[model.PoolID]bool, len(keep))
	for _, pool := range keep {
		kept[pool.ID] = true
	}
	for _, gone := range p.o.Pools.Retain(kept) {
		p.o.Metrics.Detach(gone)
	}
}

// Endpoints is the fast path: it makes the endpoints of one Service live at once, without a new Table. A Service
// that no route names costs nothing. since is when the change was seen.
func (p *Publisher) Endpoints(namespace, name string, newest Newest, since time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.o.OwnService == (types.NamespacedName{Namespace: namespace, Name: name}) {
		p.learnReplicas(newest)
	}
	if p.replaceEndpoints(p.byOwner[service{namespace, name}], newest) {
		p.o.Metrics.Propagated("endpoints", time.Since(since))
	}
}

// replaceEndpoints gives each of the pools the endpoints that the slices of its Service hold.
func (p *Publisher) replaceEndpoints(pools []model.Pool, newest Newest) bool {
	changed := false
	for _, pool := range pools {
		live := p.o.Pools.Pool(pool.ID)
		p.o.Metrics.Attach(live.Slot, pool.ID)
		slices := newest.Slices(pool.ID.Namespace, pool.ID.Service)
		if live.Replace(translate.Endpoints(pool, slices, newest.Pods)) {
			changed = true
		}
	}
	return changed
}

// learnReplicas tells upstream where the replicas of this Limpet are, ready or not: requests are not sent to their
// listeners.
func (p *Publisher) learnReplicas(newest Newest) {
	if p.o.Own == nil || p.o.OwnService.Name == "" {
		return
	}
	var addrs []netip.Addr
	for _, slice := range newest.Slices(p.o.OwnService.Namespace, p.o.OwnService.Name) {
		for i := range slice.Endpoints {
			for _, text := range slice.Endpoints[i].Addresses {
				if addr, err := netip.ParseAddr(text); err == nil {
					addrs = append(addrs, addr)
				}
			}
		}
	}
	p.o.Own.SetReplicas(addrs)
}

// NewestOf gives what a Snapshot holds, for a source that has nothing newer.
func NewestOf(w *translate.Snapshot) Newest {
	by := map[service][]*discoveryv1.EndpointSlice{}
	for _, s := range w.EndpointSlices {
		owner := service{s.Namespace, s.Labels[discoveryv1.LabelServiceName]}
		by[owner] = append(by[owner], s)
	}
	return Newest{
		Slices: func(namespace, name string) []*discoveryv1.EndpointSlice { return by[service{namespace, name}] },
		Pods:   translate.PodsOf(w),
	}
}

func poolsByService(pools []model.Pool) map[service][]model.Pool {
	by := map[service][]model.Pool{}
	for _, pool := range pools {
		owner := service{pool.ID.Namespace, pool.ID.Service}
		by[owner] = append(by[owner], pool)
	}
	return by
}

func countProblems(reports []translate.Report) int {
	n := 0
	for i := range reports {
		n += len(reports[i].Problems)
	}
	return n
}

// Problems are the Reports that have any.
func (e *Everything) Problems() []translate.Report {
	problems := []translate.Report{}
	for _, r := range e.Reports {
		if len(r.Problems) > 0 {
			problems = append(problems, r)
		}
	}
	return problems
}
