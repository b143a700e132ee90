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

// Options configure a Publisher. All fields are required unless stated otherwise.
type Options struct {
	Translate translate.Options
	Tables    *routing.Store
	Pools     *upstream.Registry
	Certs     *certs.Store
	Metrics   *observe.Metrics
	Log       logr.Logger
	// Own receives the addresses of Limpet's replicas, which are the endpoints of OwnService. Both are optional. If one of
	// them is not set, the replicas are not known.
	Own        *upstream.SelfAddresses
	OwnService types.NamespacedName
}

// Publisher makes changes live. It is safe for concurrent use. Changes are applied one after the other.
type Publisher struct {
	o Options

	mu      sync.Mutex
	model   *model.Model              // of the current Table
	byOwner map[service][]model.Pool  // the pools of the model by Service
	empty   map[model.PoolID]string   // why a pool has no endpoints, as logged
	last    atomic.Pointer[Published] // for Last
}

// EndpointSource provides the objects from which endpoints are made, as last seen. The Publisher calls it while it holds its
// lock, so that of two concurrent changes the one with the newer objects is applied last.
type EndpointSource struct {
	// Slices returns the EndpointSlices of a Service.
	Slices func(namespace, name string) []*discoveryv1.EndpointSlice
	Pods   translate.Pods
}

// service is the namespace and name of a Service.
type service struct{ namespace, name string }

// Published is the result of the last published Snapshot.
type Published struct {
	Model   *model.Model
	Reports []translate.Report
}

// New returns a Publisher that has published nothing.
func New(o Options) *Publisher { return &Publisher{o: o, empty: map[model.PoolID]string{}} }

// Ready reports whether a Table was published.
func (p *Publisher) Ready() bool { return p.o.Tables.Current() != nil }

// Last returns the result of the last published Snapshot, nil before the first one.
func (p *Publisher) Last() *Published { return p.last.Load() }

// Publish makes a Snapshot live: endpoints first, so that a new route finds its pods, then certificates, then the Table. It
// builds no Table if the model is equal to the last one. Endpoints come from source, not from the Snapshot, which may be
// older. since is the time at which the oldest change in the Snapshot was seen.
func (p *Publisher) Publish(w *translate.Snapshot, source EndpointSource, since time.Time) translate.Result {
	result := translate.Build(w, p.inUse(), p.o.Translate)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.learnReplicas(source)
	p.replaceEndpoints(result.Model.Pools, source)
	if p.model == nil || !reflect.DeepEqual(p.model, result.Model) {
		p.swap(result.Model, since)
	}
	p.o.Metrics.Published(p.o.Tables.Current().Generation, countProblems(result.Reports))
	p.last.Store(&Published{Model: result.Model, Reports: result.Reports})
	return result
}

// inUse returns the last Model that was published, nil before the first one.
func (p *Publisher) inUse() *model.Model {
	if last := p.Last(); last != nil {
		return last.Model
	}
	return nil
}

// swap compiles and publishes the Table of a model, and drops the pools that the model no longer contains.
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
		delete(p.empty, gone)
	}
}

// Endpoints makes the endpoints of one Service live, without a new Table. It does nothing for a Service that no route
// references. since is the time at which the change was seen.
func (p *Publisher) Endpoints(namespace, name string, source EndpointSource, since time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.o.OwnService == (types.NamespacedName{Namespace: namespace, Name: name}) {
		p.learnReplicas(source)
	}
	if p.replaceEndpoints(p.byOwner[service{namespace, name}], source) {
		p.o.Metrics.Propagated("endpoints", time.Since(since))
	}
}

// replaceEndpoints replaces the endpoints of the pools, and reports whether any of them changed.
func (p *Publisher) replaceEndpoints(pools []model.Pool, source EndpointSource) bool {
	changed := false
	for _, pool := range pools {
		live := p.o.Pools.Pool(pool.ID)
		p.o.Metrics.Attach(live.Slot, pool.ID)
		slices := source.Slices(pool.ID.Namespace, pool.ID.Service)
		endpoints := translate.Endpoints(pool, slices, source.Pods)
		p.reportEmpty(pool.ID, translate.WhyEmpty(pool, slices, endpoints))
		if live.Replace(endpoints) {
			changed = true
		}
	}
	return changed
}

// reportEmpty logs why a pool has no endpoints, once until that changes. cause is empty if the pool has endpoints.
func (p *Publisher) reportEmpty(id model.PoolID, cause string) {
	if p.empty[id] == cause {
		return
	}
	if cause == "" {
		delete(p.empty, id)
		return
	}
	p.empty[id] = cause
	p.o.Log.Info("Pool has no endpoints", "pool", id.String(), "cause", cause)
}

// learnReplicas sets the addresses of the replicas of this Limpet, ready or not. Requests are not sent to their listeners.
func (p *Publisher) learnReplicas(source EndpointSource) {
	if p.o.Own == nil || p.o.OwnService.Name == "" {
		return
	}
	var addrs []netip.Addr
	for _, slice := range source.Slices(p.o.OwnService.Namespace, p.o.OwnService.Name) {
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

// SnapshotEndpoints returns the EndpointSource of a Snapshot, for callers without newer objects.
func SnapshotEndpoints(w *translate.Snapshot) EndpointSource {
	by := map[service][]*discoveryv1.EndpointSlice{}
	for _, s := range w.EndpointSlices {
		owner := service{s.Namespace, s.Labels[discoveryv1.LabelServiceName]}
		by[owner] = append(by[owner], s)
	}
	return EndpointSource{
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

// Problems returns the Reports that have problems.
func (e *Published) Problems() []translate.Report {
	problems := []translate.Report{}
	for _, r := range e.Reports {
		if len(r.Problems) > 0 {
			problems = append(problems, r)
		}
	}
	return problems
}
