package translate

import (
	"cmp"
	"reflect"
	"slices"

	"github.com/limpet-dev/limpet/pkg/model"
)

// contribute adds the output of a group to the results.
func (e *Engine) contribute(g *group, out *groupOutput) {
	for _, h := range out.hosts {
		e.keepHost(h.name)
		e.hosts[h.name] = h
	}
	for _, r := range out.reports {
		e.keepReport(r.Ref)
		e.reports[r.Ref] = r
	}
	for i := range out.pools {
		e.merged.addPool(&out.pools[i])
	}
	for _, c := range out.certificates {
		e.merged.addCertificate(c)
	}
	for _, name := range out.defaultFor {
		e.merged.name(name).defaultFor++
	}
	for _, s := range out.servers {
		e.merged.addServer(s)
		e.step.touched[s.name] = struct{}{}
	}
	e.merged.refer(out.referenced)
	e.contributeUses(g, out)
}

func (e *Engine) contributeUses(g *group, out *groupOutput) {
	for i := range out.backends {
		e.merged.addBackend(&out.backends[i])
		e.step.policies[out.backends[i].policy] = struct{}{}
	}
	for i := range out.impairments {
		ref := out.impairments[i].policy.ref
		if e.merged.impairments[ref] == nil {
			e.merged.impairments[ref] = map[*group]struct{}{}
		}
		e.merged.impairments[ref][g] = struct{}{}
		e.step.policies[ref] = struct{}{}
	}
}

// withdraw removes a previous output of a group from the results. The group's present output is not affected.
func (e *Engine) withdraw(g *group, out *groupOutput) {
	for _, h := range out.hosts {
		if e.keepHost(h.name); e.hosts[h.name] == h {
			delete(e.hosts, h.name)
		}
	}
	for _, r := range out.reports {
		if e.keepReport(r.Ref); e.reports[r.Ref] == r {
			delete(e.reports, r.Ref)
		}
	}
	for i := range out.pools {
		e.merged.removePool(&out.pools[i])
	}
	for _, c := range out.certificates {
		e.merged.removeCertificate(c)
	}
	for _, name := range out.defaultFor {
		e.merged.name(name).defaultFor--
	}
	for _, s := range out.servers {
		e.merged.removeServer(s)
		e.step.touched[s.name] = struct{}{}
	}
	e.merged.release(out.referenced)
	e.withdrawUses(g, out)
}

func (e *Engine) withdrawUses(g *group, out *groupOutput) {
	for i := range out.backends {
		e.merged.removeBackend(&out.backends[i])
		e.step.policies[out.backends[i].policy] = struct{}{}
	}
	for i := range out.impairments {
		ref := out.impairments[i].policy.ref
		e.step.policies[ref] = struct{}{}
		if !g.isDissolved && g.output.impairs(ref) {
			continue
		}
		if delete(e.merged.impairments[ref], g); len(e.merged.impairments[ref]) == 0 {
			delete(e.merged.impairments, ref)
		}
	}
}

// impairs reports whether the output has an impairment of a policy.
func (out *groupOutput) impairs(policy model.Ref) bool {
	return slices.ContainsFunc(out.impairments, func(found groupImpairment) bool { return found.policy.ref == policy })
}

// keepHost records the previous result of a host.
func (e *Engine) keepHost(name string) {
	touch(e.step.hosts, name, func() *hostResult { return e.hosts[name] })
}

// keepReport records the previous Report of an object.
func (e *Engine) keepReport(ref model.Ref) {
	touch(e.step.reports, ref, func() *Report { return e.report(ref) })
}

// updateHosts sets the owners of hosts, and adds the hosts that changed to the Update.
func (e *Engine) updateHosts() {
	changed := map[string]bool{}
	for name, before := range e.step.hosts {
		after := e.hosts[name]
		e.routes += after.count() - before.count()
		if after != nil && before != nil && reflect.DeepEqual(before.routes, after.routes) &&
			reflect.DeepEqual(before.settings, after.settings) {
			after.routes, after.settings, after.restricted = before.routes, before.settings, before.restricted
		} else if after != nil || before != nil {
			changed[name] = true
		}
		if after != nil && e.restrict(after) {
			changed[name] = true
		}
		if before.routing() != after.routing() {
			e.restrictBelow(name, changed)
		}
	}
	for name := range changed {
		change := model.HostChange{Name: name}
		if h := e.hosts[name]; h != nil {
			change.Routes, change.Settings, change.Owner = h.routes, h.settings, h.restricted
		}
		e.step.update.Hosts = append(e.step.update.Hosts, change)
	}
	slices.SortFunc(e.step.update.Hosts, func(x, y model.HostChange) int { return cmp.Compare(x.Name, y.Name) })
}

// count returns the number of routes. h may be nil.
func (h *hostResult) count() int {
	if h == nil {
		return 0
	}
	return len(h.routes)
}

// hostRouting is the namespace that has routes for a host, or severalNamespaces.
type hostRouting struct {
	by       string
	isRouted bool
}

// routing returns which namespaces have routes for a host. h may be nil.
func (h *hostResult) routing() hostRouting {
	if h == nil || len(h.routes) == 0 {
		return hostRouting{}
	}
	return hostRouting{h.routedBy, true}
}

// restrict sets the owner of a host if other namespaces have routes for it, and reports whether that changed.
func (e *Engine) restrict(h *hostResult) bool {
	is := len(h.routes) > 0 && hasOthers(h.name, h.owner, func(name string) (string, bool) {
		r := e.hosts[name].routing()
		return r.by, r.isRouted
	})
	switch {
	case !is:
		changed := h.restricted != nil
		h.restricted = nil
		return changed
	case h.restricted != nil && h.restricted.Namespace == h.owner:
		return false
	}
	restricted := e.options.hostOwner(h.name, h.owner)
	h.restricted = &restricted
	return true
}

// restrictBelow sets the owners of the hosts whose requests fall through to the routes of a host.
func (e *Engine) restrictBelow(name string, changed map[string]bool) {
	if name == "" {
		for _, h := range e.hosts {
			if e.restrict(h) {
				changed[h.name] = true
			}
		}
		return
	}
	for _, below := range e.links.below[name] {
		if h := e.hosts[below.name]; h != nil && e.restrict(h) {
			changed[h.name] = true
		}
	}
}

// updateReports adds the Reports that changed to the Update.
func (e *Engine) updateReports() {
	u := &e.step.update
	for ref, before := range e.step.reports {
		after := e.report(ref)
		e.countProblems(before, -1)
		e.countProblems(after, 1)
		switch {
		case after == nil && before != nil:
			u.RemovedReports = append(u.RemovedReports, ref)
		case after != nil && (before == nil || !reflect.DeepEqual(before, after)):
			u.Reports = append(u.Reports, *after)
		}
	}
	slices.SortFunc(u.Reports, func(x, y Report) int { return compareRefs(x.Ref, y.Ref) })
	slices.SortFunc(u.RemovedReports, compareRefs)
}

// countProblems adds n for each problem of a Report, which may be nil.
func (e *Engine) countProblems(r *Report, n int) {
	if r == nil {
		return
	}
	for i := range r.Problems {
		e.problems[r.Problems[i].Reason] += n
	}
}
