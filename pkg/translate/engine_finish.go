package translate

import (
	"cmp"
	"crypto/tls"
	"maps"
	"reflect"
	"slices"

	"github.com/limpet-dev/limpet/pkg/model"
)

// finish adds what changed to an Update, and forgets the previous state.
func (m *merged) finish(u *Update) {
	for id, before := range m.touchedPools {
		after := m.pools[id].value()
		if after != nil && (before == nil || !reflect.DeepEqual(before, after)) {
			u.Pools = append(u.Pools, *after)
		} else if after == nil && before != nil {
			u.RemovedPools = append(u.RemovedPools, id)
		}
	}
	slices.SortFunc(u.Pools, func(x, y model.Pool) int { return comparePools(x.ID, y.ID) })
	slices.SortFunc(u.RemovedPools, comparePools)
	u.Certificates = map[model.Ref]*model.Certificate{}
	for ref, before := range m.touchedCertificates {
		m.finishCertificate(ref, before, u)
	}
	for name, before := range m.touchedNames {
		m.finishName(name, before, u)
	}
	slices.SortFunc(u.ServerNames, func(x, y model.ServerNameChange) int { return cmp.Compare(x.Name, y.Name) })
	u.Referenced = map[model.Ref]bool{}
	for ref, before := range m.touchedReferences {
		if after := m.referenced[ref] > 0; after != before {
			u.Referenced[ref] = after
		}
	}
	m.reset()
}

func (m *merged) finishCertificate(ref model.Ref, before *model.Certificate, u *Update) {
	after := m.certificate(ref)
	if before == after || before != nil && after != nil && before.Pair == after.Pair {
		return
	}
	u.Certificates[ref] = after
}

// dropCertificates records the certificates that are no longer in use.
func (e *Engine) dropCertificates() {
	e.dropped = nil
	for ref, c := range e.step.update.Certificates {
		if c == nil {
			e.dropped = append(e.dropped, ref)
		}
	}
}

// serverNameState has the certificates of a server name.
type serverNameState struct {
	pairs       []*tls.Certificate
	usesDefault bool
}

func (m *merged) finishName(name string, before serverNameState, u *Update) {
	after := m.serverName(name)
	entry := m.names[name]
	if len(entry.secrets) == 0 && entry.defaultFor == 0 {
		delete(m.names, name)
	}
	if slices.Equal(before.pairs, after.pairs) && before.usesDefault == after.usesDefault {
		return
	}
	u.ServerNames = append(u.ServerNames, model.ServerNameChange{
		Name: name, Certificates: m.certificatesOf(entry), UsesDefault: after.usesDefault,
	})
}

// serverName returns the state of a server name.
func (m *merged) serverName(name string) serverNameState {
	entry := m.names[name]
	if entry == nil {
		return serverNameState{}
	}
	state := serverNameState{usesDefault: entry.defaultFor > 0}
	for _, c := range m.certificatesOf(entry) {
		state.pairs = append(state.pairs, c.Pair)
	}
	return state
}

// certificatesOf returns the certificates of a server name in a fixed order.
func (m *merged) certificatesOf(name *mergedName) []*model.Certificate {
	var out []*model.Certificate
	for _, secret := range name.secrets {
		if c := m.certificate(secret.key); c != nil {
			out = append(out, c)
		}
	}
	slices.SortFunc(out, func(x, y *model.Certificate) int {
		return cmp.Or(cmp.Compare(x.Algorithm, y.Algorithm), compareRefs(x.Secret, y.Secret))
	})
	return out
}

// Result returns the whole result. It collects the results of all groups, so it costs as much as the fleet is large.
func (e *Engine) Result() Result {
	r := Result{Model: e.merged.model(), Referenced: map[model.Ref]struct{}{}, Next: e.expiring.next()}
	for _, name := range slices.Sorted(maps.Keys(e.hosts)) {
		h := e.hosts[name]
		r.Model.Routes = append(r.Model.Routes, h.routes...)
		if h.settings != nil {
			r.Model.Hosts = append(r.Model.Hosts, *h.settings)
		}
		if h.restricted != nil {
			r.Model.Owners = append(r.Model.Owners, *h.restricted)
		}
	}
	for ref := range e.merged.referenced {
		r.Referenced[ref] = struct{}{}
	}
	r.Reports = make([]Report, 0, len(e.reports))
	for ref := range e.reports {
		r.Reports = append(r.Reports, *e.report(ref))
	}
	for ref := range e.source {
		if e.reports[ref] == nil {
			r.Reports = append(r.Reports, *e.report(ref))
		}
	}
	slices.SortFunc(r.Reports, func(x, y Report) int { return compareRefs(x.Ref, y.Ref) })
	return r
}

// model returns the pools and certificates of the Model.
func (m *merged) model() *model.Model {
	out := &model.Model{}
	for _, pool := range m.pools {
		out.Pools = append(out.Pools, *pool.value())
	}
	slices.SortFunc(out.Pools, func(x, y model.Pool) int { return comparePools(x.ID, y.ID) })
	for _, c := range m.certificates {
		certificate := *c.Certificate
		certificate.ServerNames = slices.Sorted(maps.Keys(c.names))
		out.Certificates = append(out.Certificates, certificate)
	}
	slices.SortFunc(out.Certificates, func(x, y model.Certificate) int { return compareRefs(x.Secret, y.Secret) })
	for name, entry := range m.names {
		if entry.defaultFor > 0 {
			out.DefaultCertificateFor = append(out.DefaultCertificateFor, name)
		}
	}
	slices.Sort(out.DefaultCertificateFor)
	return out
}
