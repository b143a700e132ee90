package preview

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// Kind is the subject of a Change. Kinds are sorted as they matter to an operator.
type Kind string

const (
	// Stops is a route that is no longer served, or that responds 503 from then on.
	Stops Kind = "stops"
	// Sessions is a backend whose sessions start again, because the way to recognize them changes.
	Sessions Kind = "sessions"
	// Protection is a restriction that is added, removed or changed.
	Protection Kind = "protection"
	// TLS is a server name with another certificate.
	TLS Kind = "tls"
	// Backend is a route to other Services, or with other weights.
	Backend Kind = "backend"
	// Source is a route that another object provides from then on.
	Source Kind = "source"
	// Settings are other settings of a route.
	Settings Kind = "settings"
	// Starts is a new route, or one that no longer responds 503.
	Starts Kind = "starts"
	// Problem is a new problem of an object.
	Problem Kind = "problem"
	// Solved is a problem that is gone.
	Solved Kind = "solved"
)

var order = []Kind{Stops, Problem, Sessions, Protection, TLS, Backend, Source, Settings, Starts, Solved}

// Change is one difference.
type Change struct {
	Kind Kind `json:"kind"`
	// Where is the host and path of a route, a server name, or an object.
	Where string `json:"where"`
	// Text describes the change.
	Text string `json:"text"`
}

// maxChanges bounds the changes in a Report.
const maxChanges = 1000

// Report lists what changes.
type Report struct {
	// Changes are up to 1000 changes, those first that matter most.
	Changes []Change `json:"changes"`
	// Counts is the number of changes of each kind, including those that Changes leaves out.
	Counts map[Kind]int `json:"counts"`
}

// Harms reports whether something that works stops, or a problem appears.
func (r *Report) Harms() bool { return r.Counts[Stops]+r.Counts[Problem] > 0 }

// Compare returns the difference between two results. Ignore excludes problems. It may be nil.
func Compare(before, after translate.Result, ignore func(*translate.Problem) bool) *Report {
	c := &comparison{}
	c.routes(routesOf(before.Model), routesOf(after.Model))
	c.certificates(namesOf(before.Model), namesOf(after.Model))
	c.problems(problemsOf(before.Reports, ignore), problemsOf(after.Reports, ignore))
	slices.SortFunc(c.changes, func(a, b Change) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Kind), slices.Index(order, b.Kind)), cmp.Compare(a.Where, b.Where),
			cmp.Compare(a.Text, b.Text))
	})
	r := &Report{Counts: map[Kind]int{}, Changes: c.changes[:min(len(c.changes), maxChanges)]}
	for i := range c.changes {
		r.Counts[c.changes[i].Kind]++
	}
	return r
}

// comparison collects changes.
type comparison struct{ changes []Change }

func (c *comparison) add(kind Kind, where, format string, args ...any) {
	c.changes = append(c.changes, Change{kind, where, fmt.Sprintf(format, args...)})
}

// routesOf returns the routes by host, path and conditions.
func routesOf(m *model.Model) map[string]*model.Route {
	out := make(map[string]*model.Route, len(m.Routes))
	for i := range m.Routes {
		out[nameOf(&m.Routes[i])] = &m.Routes[i]
	}
	return out
}

// nameOf returns the host and path of a route. Exact routes and those with conditions are marked.
func nameOf(r *model.Route) string {
	name := cmp.Or(r.Host, "*")
	if r.Host == model.HostUnmatched {
		name = "(unmatched)"
	}
	name += r.Path
	if r.PathType != model.PathPrefix {
		name += " (" + string(r.PathType) + ")"
	}
	if r.Conditions != nil {
		name += " " + text(r.Conditions)
	}
	return name
}

func (c *comparison) routes(before, after map[string]*model.Route) {
	for name, r := range before {
		switch {
		case after[name] != nil:
		case serves(r):
			c.add(Stops, name, "has no route any more; it was of %s", r.Source)
		default:
			c.add(Settings, name, "has no route any more; it responded 503")
		}
	}
	for name, r := range after {
		if old := before[name]; old != nil {
			c.route(name, old, r)
			continue
		}
		c.add(Starts, name, "is a new route of %s to %s", r.Source, destination(r))
	}
}

// route compares two states of a route.
func (c *comparison) route(name string, before, after *model.Route) {
	count := len(c.changes)
	switch serves, served := serves(after), serves(before); {
	case served && !serves:
		c.add(Stops, name, "responds 503 from now on%s", reasonOf(after))
	case serves && !served:
		c.add(Starts, name, "no longer responds 503")
	}
	if before.Source != after.Source {
		c.add(Source, name, "is of %s instead of %s", after.Source, before.Source)
	}
	if from, to := destination(before), destination(after); from != to {
		c.add(Backend, name, "goes to %s instead of %s", to, from)
	}
	c.affinity(name, before, after)
	c.protection(name, before, after)
	if len(c.changes) == count && text(before) != text(after) {
		c.add(Settings, name, "has other settings")
	}
}

// serves reports whether requests of a route can reach anything but a 503 response.
func serves(r *model.Route) bool {
	redirects := r.Filters != nil && (r.Filters.Redirect != nil || r.Filters.SlashRedirect != nil)
	return r.Closed == "" && (len(r.Backends) > 0 || redirects)
}

func reasonOf(r *model.Route) string {
	if r.Closed != "" {
		return ": " + r.Closed
	}
	return ", because no backend exists"
}

// destination describes the backends of a route.
func destination(r *model.Route) string {
	if len(r.Backends) == 0 {
		return "no backend"
	}
	var parts []string
	for i := range r.Backends {
		b := &r.Backends[i]
		part := b.Pool.String()
		if len(r.Backends) > 1 {
			part += fmt.Sprintf(" (weight %d)", b.Weight)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// affinity reports sessions that start again. Backends are compared by their Service, because a route may get others.
func (c *comparison) affinity(name string, before, after *model.Route) {
	for i := range before.Backends {
		old := before.Backends[i].Affinity
		j := slices.IndexFunc(after.Backends, func(b model.Backend) bool { return b.Pool == before.Backends[i].Pool })
		if old == nil || j < 0 {
			continue
		}
		pool := before.Backends[i].Pool
		switch now := after.Backends[j].Affinity; {
		case now == nil:
			c.add(Sessions, name, "sessions at %s end: the backend has no affinity any more", pool)
		case old.Scope != now.Scope || old.Identity != now.Identity:
			c.add(Sessions, name, "sessions at %s start again: their tokens count for %s by %s instead of %s by %s", pool,
				now.Scope, now.Identity, old.Scope, old.Identity)
		case text(old.Methods) != text(now.Methods):
			c.add(Sessions, name, "sessions at %s may start again: %s", pool, otherMethods(old, now))
		}
	}
}

func otherMethods(before, after *model.Affinity) string {
	if before.Source == after.Source {
		return "the methods of " + after.Source.String() + " change"
	}
	return "the methods of " + after.Source.String() + " replace those of " + before.Source.String()
}

// protection reports restrictions that differ.
func (c *comparison) protection(name string, before, after *model.Route) {
	for _, p := range []struct {
		what string
		of   func(*model.Route) string
	}{
		{"the list of addresses or users", func(r *model.Route) string {
			return ofFilters(r, func(f *model.Filters) any { return f.Access })
		}},
		{"external authentication", func(r *model.Route) string {
			return ofFilters(r, func(f *model.Filters) any { return f.ExternalAuth })
		}},
		{"the rate limit", func(r *model.Route) string { return ofFilters(r, func(f *model.Filters) any { return f.RateLimit }) }},
		{"the redirect to HTTPS", func(r *model.Route) string {
			return ofFilters(r, func(f *model.Filters) any { return f.HTTPSRedirect })
		}},
		{"the client certificate", func(r *model.Route) string { return text(r.Clients) }},
	} {
		switch from, to := p.of(before), p.of(after); {
		case from == to:
		case to == "null":
			c.add(Protection, name, "%s is removed", p.what)
		case from == "null":
			c.add(Protection, name, "%s is added", p.what)
		default:
			c.add(Protection, name, "%s changes", p.what)
		}
	}
}

// ofFilters returns the JSON of a part of the filters, "null" if the route has no such filter.
func ofFilters(r *model.Route, part func(*model.Filters) any) string {
	if r.Filters == nil {
		return "null"
	}
	return text(part(r.Filters))
}

// text returns the JSON of a value of the model.
func text(v any) string {
	out, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(out)
}
