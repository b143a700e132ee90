package translate

import (
	"cmp"
	"maps"
	"slices"

	"github.com/limpet-dev/limpet/api/v1alpha1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// merged are results to which several groups contribute. It counts contributions. The touched maps have the previous state of
// what changes during an Apply.
type merged struct {
	pools        map[model.PoolID]*mergedPool
	certificates map[model.Ref]*mergedCertificate
	names        map[string]*mergedName
	referenced   map[model.Ref]int
	servers      map[string][]*serverResult // in the order of compareServers
	backends     map[policyTarget][]mergedBackend
	impairments  map[model.Ref]map[*group]struct{} // by policy

	touchedPools        map[model.PoolID]*model.Pool
	touchedCertificates map[model.Ref]*model.Certificate
	touchedNames        map[string]serverNameState
	touchedReferences   map[model.Ref]bool
}

// mergedPool is a pool. Groups may name its pods by different labels.
type mergedPool struct {
	pool   model.Pool // without Names
	names  map[model.Identity]int
	groups int
}

// mergedCertificate is a certificate without server names. It is in use while there are names.
type mergedCertificate struct {
	*model.Certificate
	names map[string]int
}

// mergedName is a server name with the Secrets of its certificates.
type mergedName struct {
	secrets    counts[model.Ref]
	defaultFor int
}

type policyTarget struct{ policy, target model.Ref }

type mergedBackend struct {
	v1alpha1.EffectiveBackend
	n int
}

func newMerged() merged {
	m := merged{
		pools: map[model.PoolID]*mergedPool{}, certificates: map[model.Ref]*mergedCertificate{},
		names: map[string]*mergedName{}, referenced: map[model.Ref]int{}, servers: map[string][]*serverResult{},
		backends: map[policyTarget][]mergedBackend{}, impairments: map[model.Ref]map[*group]struct{}{},
	}
	m.reset()
	return m
}

func (m *merged) reset() {
	m.touchedPools = map[model.PoolID]*model.Pool{}
	m.touchedCertificates = map[model.Ref]*model.Certificate{}
	m.touchedNames = map[string]serverNameState{}
	m.touchedReferences = map[model.Ref]bool{}
}

// touch records the previous state of something, unless it is recorded already.
func touch[K comparable, V any](touched map[K]V, key K, previous func() V) {
	if _, known := touched[key]; !known {
		touched[key] = previous()
	}
}

// value returns the pool with the Names of all groups, nil if p is nil.
func (p *mergedPool) value() *model.Pool {
	if p == nil {
		return nil
	}
	pool := p.pool
	pool.Names = slices.Sorted(maps.Keys(p.names))
	return &pool
}

func (m *merged) addPool(pool *model.Pool) {
	p := m.pools[pool.ID]
	touch(m.touchedPools, pool.ID, p.value)
	if p == nil {
		p = &mergedPool{}
		m.pools[pool.ID] = p
	}
	p.groups++
	p.pool = *pool
	p.pool.Names = nil
	for _, name := range pool.Names {
		if p.names == nil {
			p.names = map[model.Identity]int{}
		}
		p.names[name]++
	}
}

func (m *merged) removePool(pool *model.Pool) {
	p := m.pools[pool.ID]
	touch(m.touchedPools, pool.ID, p.value)
	for _, name := range pool.Names {
		if p.names[name]--; p.names[name] == 0 {
			delete(p.names, name)
		}
	}
	if p.groups--; p.groups == 0 {
		delete(m.pools, pool.ID)
	}
}

// certificate returns the certificate of a Secret that is in use, or nil.
func (m *merged) certificate(secret model.Ref) *model.Certificate {
	if c := m.certificates[secret]; c != nil {
		return c.Certificate
	}
	return nil
}

// certificateBefore returns the certificate of a Secret that was in use before this Apply, or nil.
func (m *merged) certificateBefore(secret model.Ref) *model.Certificate {
	if before, touched := m.touchedCertificates[secret]; touched {
		return before
	}
	return m.certificate(secret)
}

func (m *merged) addCertificate(c *model.Certificate) {
	touch(m.touchedCertificates, c.Secret, func() *model.Certificate { return m.certificate(c.Secret) })
	into := m.certificates[c.Secret]
	if into == nil {
		into = &mergedCertificate{names: map[string]int{}}
		m.certificates[c.Secret] = into
	}
	if into.Certificate == nil || into.Pair != c.Pair {
		for name := range into.names {
			m.touchName(name)
		}
		into.Certificate = withoutNames(c)
	}
	for _, name := range c.ServerNames {
		if into.names[name]++; into.names[name] == 1 {
			m.name(name).secrets.add(c.Secret)
		}
	}
}

func (m *merged) removeCertificate(c *model.Certificate) {
	touch(m.touchedCertificates, c.Secret, func() *model.Certificate { return m.certificate(c.Secret) })
	from := m.certificates[c.Secret]
	for _, name := range c.ServerNames {
		if from.names[name]--; from.names[name] == 0 {
			delete(from.names, name)
			m.name(name).secrets.remove(c.Secret)
		}
	}
	if len(from.names) == 0 {
		delete(m.certificates, c.Secret)
	}
}

func (m *merged) touchName(name string) {
	touch(m.touchedNames, name, func() serverNameState { return m.serverName(name) })
}

// name returns a server name to modify, and adds it if it is missing.
func (m *merged) name(name string) *mergedName {
	m.touchName(name)
	if m.names[name] == nil {
		m.names[name] = &mergedName{}
	}
	return m.names[name]
}

func (m *merged) refer(refs []model.Ref) {
	for _, ref := range refs {
		touch(m.touchedReferences, ref, func() bool { return m.referenced[ref] > 0 })
		m.referenced[ref]++
	}
}

func (m *merged) release(refs []model.Ref) {
	for _, ref := range refs {
		touch(m.touchedReferences, ref, func() bool { return m.referenced[ref] > 0 })
		if m.referenced[ref]--; m.referenced[ref] == 0 {
			delete(m.referenced, ref)
		}
	}
}

// server returns the first owner of the certificates that groups other than except present for a server name, or nil.
func (m *merged) server(name string, except *group) *serverResult {
	for _, s := range m.servers[name] {
		if s.group != except && !s.group.isDissolved {
			return s
		}
	}
	return nil
}

func (m *merged) addServer(s *serverResult) {
	list := m.servers[s.name]
	at, _ := slices.BinarySearchFunc(list, s, compareServerResults)
	m.servers[s.name] = slices.Insert(list, at, s)
}

func (m *merged) removeServer(s *serverResult) {
	if list := slices.DeleteFunc(m.servers[s.name], func(x *serverResult) bool { return x == s }); len(list) > 0 {
		m.servers[s.name] = list
		return
	}
	delete(m.servers, s.name)
}

func compareServerResults(x, y *serverResult) int { return compareServers(x.by, y.by) }

func sameBackend(x, y *v1alpha1.EffectiveBackend) bool {
	return x.Backend == y.Backend && slices.Equal(x.Methods, y.Methods)
}

func (m *merged) addBackend(b *policyBackend) {
	at := policyTarget{b.policy, b.target}
	list := m.backends[at]
	for i := range list {
		if sameBackend(&list[i].EffectiveBackend, &b.backend) {
			list[i].n++
			return
		}
	}
	m.backends[at] = append(list, mergedBackend{b.backend, 1})
}

func (m *merged) removeBackend(b *policyBackend) {
	at := policyTarget{b.policy, b.target}
	list := m.backends[at]
	i := slices.IndexFunc(list, func(x mergedBackend) bool { return sameBackend(&x.EffectiveBackend, &b.backend) })
	if list[i].n--; list[i].n > 0 {
		return
	}
	if list = slices.Delete(list, i, i+1); len(list) > 0 {
		m.backends[at] = list
		return
	}
	delete(m.backends, at)
}

// backendsOf returns the backends of all groups for a use of a policy, in any order.
func (m *merged) backendsOf(u use) []v1alpha1.EffectiveBackend {
	var out []v1alpha1.EffectiveBackend
	for _, b := range m.backends[policyTarget{u.policy.ref, u.target}] {
		out = append(out, b.EffectiveBackend)
	}
	return out
}

// compareRoutes orders two impairments by the age of the route. Those of groups of policies have no route, and are in order.
func (f *groupImpairment) compareRoutes(other *groupImpairment) int {
	if f.by == nil || other.by == nil {
		return 0
	}
	return f.by.compare(other.by)
}

// impairmentsOf returns the impairments of a policy in the order in which one Build finds them: first all cookies, then all
// names of pods, each by the age of the route, then all groups of policies.
func (m *merged) impairmentsOf(policy model.Ref) []groupImpairment {
	var out []groupImpairment
	for g := range m.impairments[policy] {
		for _, found := range g.output.impairments {
			if found.policy.ref == policy {
				out = append(out, found)
			}
		}
	}
	slices.SortStableFunc(out, func(x, y groupImpairment) int {
		return cmp.Or(compareBools(x.isReported, y.isReported), compareBools(x.by == nil, y.by == nil), x.compareRoutes(&y))
	})
	return out
}
