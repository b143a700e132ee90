package publish

import (
	"net/netip"
	"slices"
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

// Publisher makes changes live. It is safe for concurrent use. Changes of objects are applied one after the other. Changes of
// endpoints do not wait for them.
type Publisher struct {
	o Options

	applied atomic.Uint64 // number of calls of apply that have ended

	changing sync.Mutex // serializes changes of objects; guards the fields below
	engine   *translate.Engine
	snapshot map[model.Ref]bool // objects of the last Snapshot, see Publish

	// mu guards the fields below, and is held while endpoints are read and replaced, for one pool at a time. It is locked
	// after changing.
	mu    sync.Mutex
	pools map[service][]model.Pool // the pools of the model by Service
	empty map[model.PoolID]string  // why a pool has no endpoints, as logged
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

// Published is the result of the last change.
type Published struct {
	Model   *model.Model
	Reports []translate.Report
}

// New returns a Publisher that has published nothing.
func New(o Options) *Publisher {
	return &Publisher{
		o: o, engine: translate.NewEngine(o.Translate), snapshot: map[model.Ref]bool{}, pools: map[service][]model.Pool{},
		empty: map[model.PoolID]string{},
	}
}

// Ready reports whether a Table was published.
func (p *Publisher) Ready() bool { return p.o.Tables.Current() != nil }

// Changes returns a number that grows with each change of objects. If it is the same before two calls of Last, both return the
// same.
func (p *Publisher) Changes() uint64 { return p.applied.Load() }

// Last returns the result of the last change, nil before the first one. It collects the results for all hosts.
func (p *Publisher) Last() *Published {
	if !p.Ready() {
		return nil
	}
	p.changing.Lock()
	defer p.changing.Unlock()
	r := p.engine.Result()
	return &Published{Model: r.Model, Reports: r.Reports}
}

// Reports returns the Reports of these objects after the last change, sorted. Objects without a Report are left out. Unlike
// Last, it does not collect those of all objects.
func (p *Publisher) Reports(of []model.Ref) []translate.Report {
	p.changing.Lock()
	defer p.changing.Unlock()
	return p.engine.Reports(of)
}

// Snapshot returns the objects as last seen, as translate.Engine.Snapshot does. It is nil before the first Table.
func (p *Publisher) Snapshot() *translate.Snapshot {
	if !p.Ready() {
		return nil
	}
	p.changing.Lock()
	defer p.changing.Unlock()
	return p.engine.Snapshot()
}

// Annotation returns the annotation of an Ingress that configures a setting, as translate.Engine.Annotation does.
func (p *Publisher) Annotation(of model.Ref, setting string) string {
	p.changing.Lock()
	defer p.changing.Unlock()
	return p.engine.Annotation(of, setting)
}

// Apply makes changed objects live: endpoints of new pools first, so that a new route finds its pods, then certificates, then
// the Table. The work depends on what the changes affect, not on the number of objects. It builds no Table if the model
// does not change. since is the time at which the oldest change was seen. The first call publishes a Table in any case.
func (p *Publisher) Apply(changes []translate.Change, source EndpointSource, since time.Time) *translate.Update {
	p.changing.Lock()
	defer p.changing.Unlock()
	return p.apply(changes, source, since)
}

func (p *Publisher) apply(changes []translate.Change, source EndpointSource, since time.Time) *translate.Update {
	u := p.engine.Apply(changes, translate.EndpointObjects{Slices: source.Slices, Pods: source.Pods}, time.Now())
	if !p.Ready() {
		p.lockedLearnReplicas(source)
	}
	for i := range u.Pools {
		p.setPool(&u.Pools[i], source)
	}
	if u.ChangesModel() || !p.Ready() {
		p.swap(u, since)
	}
	current := p.o.Tables.Current()
	p.o.Metrics.Published(current.Generation, current.Digest(), u.Problems)
	p.o.Metrics.NginxAnnotations(u.Verdicts)
	p.applied.Add(1)
	return u
}

// swap publishes certificates and the next Table, and then removes the pools that no Table refers to any more.
func (p *Publisher) swap(u *translate.Update, since time.Time) {
	p.o.Certs.Update(u.ServerNames)
	p.o.Metrics.UpdateCertificates(u.Certificates)
	table := p.o.Tables.Current().With(u.Hosts, p.o.Pools, time.Now())
	p.o.Tables.Publish(table)
	p.o.Metrics.Propagated("table", time.Since(since))
	p.removePools(u.RemovedPools)
	p.o.Log.Info("Routing table published", "generation", table.Generation, "digest", table.Digest(), "routes", u.Routes,
		"changedHosts", len(u.Hosts))
}

// setPool adds a pool or changes its description, and replaces its endpoints.
func (p *Publisher) setPool(pool *model.Pool, source EndpointSource) {
	p.mu.Lock()
	defer p.mu.Unlock()
	of := service{pool.ID.Namespace, pool.ID.Service}
	p.pools[of] = append(without(p.pools[of], pool.ID), *pool)
	p.o.Metrics.Attach(p.o.Pools.Pool(pool.ID).Slot, pool.ID)
	p.replaceEndpoints(pool, source)
}

func (p *Publisher) removePools(ids []model.PoolID) {
	for _, id := range ids {
		p.removePool(id)
		p.o.Metrics.Detach(id)
	}
}

func (p *Publisher) removePool(id model.PoolID) {
	p.mu.Lock()
	defer p.mu.Unlock()
	of := service{id.Namespace, id.Service}
	if p.pools[of] = without(p.pools[of], id); len(p.pools[of]) == 0 {
		delete(p.pools, of)
	}
	delete(p.empty, id)
	p.o.Pools.Remove(id)
}

// without returns a new slice without a pool.
func without(pools []model.Pool, id model.PoolID) []model.Pool {
	return slices.DeleteFunc(slices.Clone(pools), func(p model.Pool) bool { return p.ID == id })
}

// Endpoints makes the endpoints of one Service live, without a new Table. It does nothing for a Service that no route
// references. since is the time at which the change was seen. It does not wait for Apply, except while that replaces
// the endpoints of one pool.
func (p *Publisher) Endpoints(namespace, name string, source EndpointSource, since time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.o.OwnService == (types.NamespacedName{Namespace: namespace, Name: name}) {
		p.learnReplicas(source)
	}
	changed := false
	for i := range p.pools[service{namespace, name}] {
		changed = p.replaceEndpoints(&p.pools[service{namespace, name}][i], source) || changed
	}
	if changed {
		p.o.Metrics.Propagated("endpoints", time.Since(since))
	}
}

// replaceEndpoints replaces the endpoints of a pool, and reports whether they changed. p.mu must be held.
func (p *Publisher) replaceEndpoints(pool *model.Pool, source EndpointSource) bool {
	if p.o.OwnService == (types.NamespacedName{Namespace: pool.ID.Namespace, Name: pool.ID.Service}) {
		own := *pool
		own.ClusterIP = "" // Own refuses the pods, but not the cluster IP, which leads back to them
		pool = &own
	}
	endpointSlices := source.Slices(pool.ID.Namespace, pool.ID.Service)
	endpoints := translate.Endpoints(*pool, endpointSlices, source.Pods)
	p.reportEmpty(pool.ID, translate.WhyEmpty(*pool, endpointSlices, endpoints))
	return p.o.Pools.Pool(pool.ID).Replace(endpoints)
}

func (p *Publisher) lockedLearnReplicas(source EndpointSource) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.learnReplicas(source)
}

// reportEmpty logs why a pool has no endpoints, once until that changes. cause is empty if the pool has endpoints. p.mu must be
// held.
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
	var replicas []upstream.Replica
	for _, slice := range source.Slices(p.o.OwnService.Namespace, p.o.OwnService.Name) {
		for i := range slice.Endpoints {
			for _, text := range slice.Endpoints[i].Addresses {
				if addr, err := netip.ParseAddr(text); err == nil {
					replicas = append(replicas, upstream.Replica{Name: podOf(&slice.Endpoints[i]), Address: addr})
				}
			}
		}
	}
	p.o.Own.SetReplicas(replicas)
}

// podOf returns the name of the pod of an endpoint, or "".
func podOf(e *discoveryv1.Endpoint) string {
	if e.TargetRef == nil || e.TargetRef.Kind != model.KindPod {
		return ""
	}
	return e.TargetRef.Name
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
