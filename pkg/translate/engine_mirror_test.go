package translate_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// mirror is the result as a reader of all Updates knows it.
type mirror struct {
	hosts      map[string]model.HostChange
	names      map[string]model.ServerNameChange
	pools      map[model.PoolID]model.Pool
	reports    map[model.Ref]translate.Report
	referenced map[model.Ref]struct{}
}

func newMirror() mirror {
	return mirror{
		map[string]model.HostChange{}, map[string]model.ServerNameChange{}, map[model.PoolID]model.Pool{},
		map[model.Ref]translate.Report{}, map[model.Ref]struct{}{},
	}
}

func (m *mirror) apply(u *translate.Update) {
	for _, h := range u.Hosts {
		if m.hosts[h.Name] = h; len(h.Routes) == 0 && h.Settings == nil {
			delete(m.hosts, h.Name)
		}
	}
	for _, n := range u.ServerNames {
		if m.names[n.Name] = n; len(n.Certificates) == 0 && !n.UsesDefault {
			delete(m.names, n.Name)
		}
	}
	for _, p := range u.Pools {
		m.pools[p.ID] = p
	}
	for _, id := range u.RemovedPools {
		delete(m.pools, id)
	}
	for _, r := range u.Reports {
		m.reports[r.Ref] = r
	}
	for _, ref := range u.RemovedReports {
		delete(m.reports, ref)
	}
	for ref, is := range u.Referenced {
		if m.referenced[ref] = struct{}{}; !is {
			delete(m.referenced, ref)
		}
	}
}

// difference returns how the mirror differs from the result of a Build.
func (m *mirror) difference(want *translate.Result, u *translate.Update) string {
	got := translate.Result{Model: &model.Model{}, Referenced: m.referenced, Next: u.Next, Reports: []translate.Report{}}
	for _, name := range sortedKeys(m.hosts) {
		h := m.hosts[name]
		got.Model.Routes = append(got.Model.Routes, h.Routes...)
		if h.Settings != nil {
			got.Model.Hosts = append(got.Model.Hosts, *h.Settings)
		}
		if h.Owner != nil {
			got.Model.Owners = append(got.Model.Owners, *h.Owner)
		}
	}
	for _, r := range want.Reports {
		got.Reports = append(got.Reports, m.reports[r.Ref])
	}
	for _, p := range want.Model.Pools {
		got.Model.Pools = append(got.Model.Pools, m.pools[p.ID])
	}
	m.certificates(got.Model)
	diff := difference(want, &got)
	problems := countProblems(want)
	isEqual := len(m.reports) == len(want.Reports) && len(m.pools) == len(want.Model.Pools) && sameCounts(u.Problems, problems)
	if diff == "" && !isEqual {
		diff = fmt.Sprintf("%d reports, %d pools and the problems %v; want %d, %d and %v",
			len(m.reports), len(m.pools), u.Problems, len(want.Reports), len(want.Model.Pools), problems)
	}
	if diff == "" {
		return ""
	}
	return "the Updates of the Engine differ (-want +got):\n" + diff
}

// countProblems returns the number of problems by reason.
func countProblems(r *translate.Result) map[string]int {
	n := map[string]int{}
	for i := range r.Reports {
		for _, p := range r.Reports[i].Problems {
			n[p.Reason]++
		}
	}
	return n
}

// sameCounts compares numbers by reason. A reason that is missing has zero.
func sameCounts(a, b map[string]int) bool {
	isZero := func(_ string, n int) bool { return n == 0 }
	a, b = maps.Clone(a), maps.Clone(b)
	maps.DeleteFunc(a, isZero)
	maps.DeleteFunc(b, isZero)
	return maps.Equal(a, b)
}

// certificates sets the certificates of a Model by server name.
func (m *mirror) certificates(into *model.Model) {
	bySecret := map[model.Ref]*model.Certificate{}
	for _, name := range sortedKeys(m.names) {
		if m.names[name].UsesDefault {
			into.DefaultCertificateFor = append(into.DefaultCertificateFor, name)
		}
		for _, c := range m.names[name].Certificates {
			if bySecret[c.Secret] == nil {
				again := *c
				bySecret[c.Secret] = &again
			}
			bySecret[c.Secret].ServerNames = append(bySecret[c.Secret].ServerNames, name)
		}
	}
	for _, c := range bySecret {
		into.Certificates = append(into.Certificates, *c)
	}
	slices.SortFunc(into.Certificates, func(a, b model.Certificate) int { return strings.Compare(a.Secret.String(), b.Secret.String()) })
}
