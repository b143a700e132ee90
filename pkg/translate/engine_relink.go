package translate

import (
	"slices"

	"github.com/limpet-dev/limpet/pkg/model"
)

// group is a set of Ingresses that no rule connects with others.
type group struct {
	nodes        []*node
	step         uint64 // the Apply that made the group
	isTranslated bool
	isDissolved  bool
	reads        []model.Ref
	// servers are the owners of server names of other groups that were looked up. The zero value was not found.
	servers map[string]serverOwner
	output  groupOutput
	expiry  expiry
}

// relink updates the groups after changes of descriptions, and marks the groups to translate.
func (e *Engine) relink() {
	r := &relinking{Engine: e, seeds: map[*node]struct{}{}}
	for n := range e.step.changed {
		r.update(n, linkKeysOf(r.describe(n)))
	}
	r.updateCookies()
	r.regroup()
}

// relinking is the state of relink.
type relinking struct {
	*Engine
	seeds map[*node]struct{} // Ingresses whose group may have changed
}

// update sets the keys of an Ingress.
func (r *relinking) update(n *node, keys linkKeys) {
	keys.cookies = n.keys.cookies // see updateCookies
	if n.rank != nil && n.group != nil && keys.equal(&n.keys) {
		r.step.dirty[n.group] = struct{}{}
		return
	}
	if n.rank == nil {
		keys.cookies = nil
	}
	r.relink(n, keys)
}

func (r *relinking) relink(n *node, keys linkKeys) {
	before := n.keys
	r.links.remove(n, n.namespace, &before)
	if n.rank != nil {
		n.namespace = n.rank.namespace
	}
	n.keys = keys
	r.links.add(n, n.namespace, &n.keys)
	r.dissolve(n.group)
	n.group = nil
	delete(r.seeds, n)
	if n.rank != nil {
		r.seeds[n] = struct{}{}
	}
	for _, k := range []*linkKeys{&before, &n.keys} {
		r.seed(k)
	}
}

// seed adds Ingresses whose TLS sections may have become connected, because another Ingress routes or lists the name.
func (r *relinking) seed(keys *linkKeys) {
	for _, name := range keys.routed {
		r.seedHost(r.links.hosts[name])
		for _, h := range r.links.below[name] {
			r.seedHost(h)
		}
	}
	for _, l := range keys.listed {
		r.seedHost(r.links.hosts[l.name])
	}
}

func (r *relinking) seedHost(h *linkHost) {
	if h == nil || !r.links.connectsListers(h) {
		return
	}
	for _, n := range h.listers {
		r.seeds[n] = struct{}{}
	}
}

// dissolve removes a group. Its Ingresses get a new one.
func (r *relinking) dissolve(g *group) {
	if g == nil || g.isDissolved {
		return
	}
	g.isDissolved = true
	for _, s := range g.output.servers {
		r.step.touched[s.name] = struct{}{}
	}
	r.step.dissolved = append(r.step.dissolved, g)
	delete(r.step.dirty, g)
	for _, n := range g.nodes {
		n.group = nil
		if n.rank != nil {
			r.seeds[n] = struct{}{}
		}
	}
}

// updateCookies sets the cookies with an explicit domain of all Ingresses whose policies may have changed.
func (r *relinking) updateCookies() {
	var nodes []*node
	for g := range r.step.dirty {
		nodes = append(nodes, g.nodes...)
	}
	for n := range r.seeds {
		nodes = append(nodes, n)
	}
	for _, n := range nodes {
		if n.rank == nil || r.policies.connecting == 0 && len(n.keys.cookies) == 0 && !n.rank.setsDomain {
			continue
		}
		if cookies := r.domainCookies(r.describe(n)); !slices.Equal(cookies, n.keys.cookies) {
			keys := n.keys
			keys.cookies = cookies
			r.relink(n, keys)
		}
	}
}

// regroup makes new groups of the seeds and of everything that is connected with them.
func (r *relinking) regroup() {
	w := r.links.newWalk()
	for len(r.seeds) > 0 {
		for n := range r.seeds {
			if n.group == nil || n.group.step != r.steps {
				r.newGroup(w, n)
			}
			delete(r.seeds, n)
		}
	}
}

func (r *relinking) newGroup(w *walk, from *node) {
	g := &group{step: r.steps, expiry: expiry{index: -1}}
	w.visit([]*node{from})
	for n := w.next(); n != nil; n = w.next() {
		if n.group != nil {
			r.dissolve(n.group)
		}
		g.nodes = append(g.nodes, n)
	}
	for _, n := range g.nodes {
		n.group = g
	}
	r.step.dirty[g] = struct{}{}
}

// domainCookies returns the cookies with an explicit domain that the backends of an Ingress may have, and a key without a domain
// for each group of policies. It translates the Ingress alone. In its group it has at most these cookies, under these names or
// those that renameCookie makes of them.
func (e *Engine) domainCookies(d *description) []cookieKey {
	var out []cookieKey
	b := newBuilder(e.options, &groupLookups{engine: e}, e.now)
	alone := *d
	alone.canary = nil // translate its rules as routes
	alone.rules = d.asPatterns()
	b.descriptions = []*description{&alone}
	b.reports.open(d.ref, d.generation)
	b.findOwners()
	b.decideHosts()
	b.translateObjects()
	for affinity, at := range b.uses.by {
		if key := (cookieKey{name: affinity.Scope}); at.policy != nil && at.policy.Spec.Group != "" && !slices.Contains(out, key) {
			out = append(out, key)
		}
		for _, m := range affinity.Methods {
			if m.Cookie == nil || m.Cookie.Domain == "" {
				continue
			}
			for _, name := range []string{m.Cookie.Name, m.Cookie.Name + "-" + model.ScopeSuffix(affinity.Scope)} {
				if key := (cookieKey{m.Cookie.Domain, name}); !slices.Contains(out, key) {
					out = append(out, key)
				}
			}
		}
	}
	slices.SortFunc(out, cookieKey.compare)
	return out
}
