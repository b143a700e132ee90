package publish

import (
	"time"

	discoveryv1 "k8s.io/api/discovery/v1"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// Publish makes a whole Snapshot live, for callers that do not know what changed. It describes all objects to find out, and
// replaces the endpoints of all pools. Endpoints come from source, not from the Snapshot, which may be older. The caller may
// modify the objects afterwards.
func (p *Publisher) Publish(w *translate.Snapshot, source EndpointSource, since time.Time) translate.Result {
	p.changing.Lock()
	defer p.changing.Unlock()
	changes := translate.ChangesOf(w)
	seen := make(map[model.Ref]bool, len(changes))
	for i := range changes {
		seen[changes[i].Ref] = true
	}
	for ref := range p.snapshot {
		if !seen[ref] {
			changes = append(changes, translate.Change{Ref: ref})
		}
	}
	p.snapshot = seen
	p.engine.SetSourceReports(w.Reports)
	p.apply(append(changes, p.engine.EndpointChanges()...), source, since)
	p.replaceAllEndpoints(source)
	return p.engine.Result()
}

// replaceAllEndpoints replaces the endpoints of all pools, and learns the addresses of the replicas.
func (p *Publisher) replaceAllEndpoints(source EndpointSource) {
	p.lockedLearnReplicas(source)
	p.mu.Lock()
	services := make([]service, 0, len(p.pools))
	for of := range p.pools {
		services = append(services, of)
	}
	p.mu.Unlock()
	for _, of := range services {
		p.replaceEndpointsOf(of, source)
	}
}

func (p *Publisher) replaceEndpointsOf(of service, source EndpointSource) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.pools[of] {
		p.replaceEndpoints(&p.pools[of][i], source)
	}
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
