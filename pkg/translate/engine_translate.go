package translate

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// groupOutput is the result of the translation of one group.
type groupOutput struct {
	hosts        []*hostResult
	pools        []model.Pool
	certificates []*model.Certificate
	defaultFor   []string // as model.Model.DefaultCertificateFor
	servers      []*serverResult
	reports      []*Report
	backends     []policyBackend
	impairments  []groupImpairment
	referenced   []model.Ref
	next         time.Time // as Result.Next
}

// hostResult is the result for one host. A host belongs to one group.
type hostResult struct {
	name     string
	routes   []model.Route // as in Model.Routes
	settings *model.Host   // may be nil
	owner    string        // the namespace
	routedBy string        // see builder.routeNamespaces
	// restricted is the entry of Model.Owners, or nil. See Engine.ownerOf.
	restricted *model.HostOwner
}

// serverResult is a server name for which a group presents certificates.
type serverResult struct {
	owner
	name  string
	group *group
	by    *rank // of the object of owner
}

// serverOwner is the owner of a server name, and what decides its precedence.
type serverOwner struct {
	owner
	rank
}

// precedence returns the owner with its precedence. s may be nil.
func (s *serverResult) precedence() serverOwner {
	if s == nil {
		return serverOwner{}
	}
	return serverOwner{s.owner, *s.by}
}

// policyBackend is a backend to which a policy is applied.
type policyBackend struct {
	policy, target model.Ref
	backend        v1alpha1.EffectiveBackend
}

// groupImpairment is an impairment and the rank of its route.
type groupImpairment struct {
	impairment
	by *rank
}

// translateGroups translates the marked groups. That may change the owners of server names, which marks further groups.
func (e *Engine) translateGroups() {
	for len(e.step.dirty)+len(e.step.touched) > 0 {
		for g := range e.step.dirty {
			delete(e.step.dirty, g)
			e.translateGroup(g)
		}
		for name := range e.step.touched {
			e.checkServer(name)
		}
		clear(e.step.touched)
	}
	for _, g := range e.step.dissolved {
		e.setReads(g, nil)
		e.withdraw(g, &g.output)
		e.expiring.set(g, time.Time{})
	}
}

// checkServer marks the groups that have looked up a server name and found another owner.
func (e *Engine) checkServer(name string) {
	for _, g := range e.readers[serverRead(name)] {
		if !g.isDissolved && e.merged.server(name, g).precedence() != g.servers[name] {
			e.step.dirty[g] = struct{}{}
		}
	}
}

func (e *Engine) translateGroup(g *group) {
	l := &groupLookups{engine: e, group: g, reads: map[model.Ref]struct{}{}}
	b := newBuilder(e.options, l, e.now)
	for _, n := range g.nodes {
		b.descriptions = append(b.descriptions, e.describe(n))
	}
	slices.SortFunc(b.descriptions, (*description).compare)
	if g == e.defaults {
		b.defaultCertificate()
	}
	b.translateDescriptions()
	if g == e.defaults {
		b.addControllerWide()
	}
	b.addNotices()
	for ref, pair := range b.certs.read {
		if pair.err == nil {
			e.step.parsed[ref] = pair.Certificate
		}
	}
	before, after := g.output, e.outputOf(b, g)
	g.output, g.servers, g.isTranslated = after, l.servers, true
	e.contribute(g, &g.output)
	e.withdraw(g, &before)
	e.setReads(g, l.reads)
	e.expiring.set(g, after.next)
	e.step.update.Translated++
}

// setReads replaces what a group has read.
func (e *Engine) setReads(g *group, reads map[model.Ref]struct{}) {
	for _, r := range g.reads {
		if e.readers[r] = without(e.readers[r], g); len(e.readers[r]) == 0 {
			delete(e.readers, r)
		}
	}
	g.reads = make([]model.Ref, 0, len(reads))
	for r := range reads {
		g.reads = append(g.reads, r)
		e.readers[r] = append(e.readers[r], g)
	}
}

func (e *Engine) outputOf(b *builder, g *group) groupOutput {
	out := groupOutput{
		hosts: b.hostResults(), defaultFor: b.certs.defaultFor,
		pools: slices.Collect(maps.Values(b.pools)), referenced: slices.Collect(maps.Keys(b.referenced)), next: b.next,
	}
	certificates := b.certs.sorted()
	for i := range certificates {
		out.certificates = append(out.certificates, &certificates[i])
	}
	by := map[model.Ref]*rank{}
	for _, d := range b.descriptions {
		by[d.ref] = e.served(d.ref).rank
		out.reports = append(out.reports, b.reports[d.ref])
	}
	if len(b.descriptions) == 0 { // what is not an Ingress, such as the Secret of the default certificate
		out.reports = slices.Collect(maps.Values(b.reports))
	}
	for name, hostOwner := range b.certs.servers {
		out.servers = append(out.servers, &serverResult{hostOwner, name, g, by[hostOwner.object]})
	}
	for affinity, at := range b.uses.by {
		if at.policy != nil {
			out.addBackend(policyBackend{at.policy.ref, at.target, effectiveBackend(affinity, at.pool)})
		}
	}
	for _, found := range b.uses.impairments {
		out.impairments = append(out.impairments, groupImpairment{found, by[found.route]})
	}
	return out
}

// addBackend adds a backend, unless it is known.
func (out *groupOutput) addBackend(added policyBackend) {
	isAdded := func(b policyBackend) bool {
		return b.policy == added.policy && b.target == added.target && sameBackend(&b.backend, &added.backend)
	}
	if !slices.ContainsFunc(out.backends, isAdded) {
		out.backends = append(out.backends, added)
	}
}

// hostResults returns the result for each owned host.
func (b *builder) hostResults() []*hostResult {
	namespaces := b.routeNamespaces()
	routes := b.routes.sorted()
	out := make([]*hostResult, 0, len(b.owners))
	for name, hostOwner := range b.owners {
		r := &hostResult{name: name, owner: hostOwner.namespace, routedBy: namespaces[name]}
		start, _ := slices.BinarySearchFunc(routes, name, compareHost)
		end := start
		for end < len(routes) && routes[end].Host == name {
			end++
		}
		r.routes = routes[start:end:end]
		shareAffinities(r.routes)
		if h := b.hosts[name]; h.MinVersion != 0 || h.Clients != nil {
			settings := h.Host
			r.settings = &settings
		}
		out = append(out, r)
	}
	if route := b.unmatched; route != nil {
		out = append(out, &hostResult{name: route.Host, routes: []model.Route{*route}, owner: route.Source.Namespace})
	}
	return out
}

// shareAffinities makes equal Affinities of consecutive backends one, which the data plane compiles once. Most hosts have one.
func shareAffinities(routes []model.Route) {
	var last *model.Affinity
	for i := range routes {
		for j := range routes[i].Backends {
			a := &routes[i].Backends[j].Affinity
			if last != nil && reflect.DeepEqual(*a, last) {
				*a = last
			}
			last = *a
		}
	}
}

func compareHost(r model.Route, host string) int {
	switch {
	case r.Host < host:
		return -1
	case r.Host > host:
		return 1
	}
	return 0
}
