package explain

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/routing"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// Explainer explains requests with the tables and keys of a running Limpet. Its fields are required and must not change. Its
// methods may be called by several goroutines at the same time.
type Explainer struct {
	// Engine runs the steps. It must have published a table.
	Engine *exchange.Engine
	Pools  *upstream.Registry
	// Model returns the model of the current table.
	Model func() *model.Model
	// Problems returns the problems of objects.
	Problems func(objects []model.Ref) []Problem
	// Conflicts returns the problems of objects that claim a host and lost a conflict for it.
	Conflicts func(host string) []Problem
	// Annotation returns the annotation of an object that configures a setting, or "" if none does. The name of the setting is
	// the name of Limpet's annotation without the prefix.
	Annotation func(object model.Ref, setting string) string
}

// errNotReady is returned before the first table is published.
var errNotReady = errors.New("explain: no routing table is published yet")

// Explain explains a request. It returns an error if the request is invalid.
func (x *Explainer) Explain(r *Request) (*Report, error) {
	m := x.Model()
	if m == nil || x.Engine.Tables.Current() == nil {
		return nil, errNotReady
	}
	if r.URL == "" && r.Token == "" {
		return nil, errors.New("explain: set a URL, a token, or both")
	}
	at, err := r.time(time.Now())
	if err != nil {
		return nil, err
	}
	e := &explanation{Explainer: x, model: m, request: r, at: at, engine: x.Engine, pools: x.Pools}
	if len(r.WithoutPods)+len(r.Scale) > 0 {
		scale, err := parseScale(r.Scale, m.Pools)
		if err != nil {
			return nil, err
		}
		defer e.changePods(scale)()
	}
	if r.Token != "" {
		e.explainToken()
	}
	if r.URL != "" {
		err = e.explainRequest()
	}
	return &e.report, err
}

// explanation is the state of one Explain.
type explanation struct {
	*Explainer
	model   *model.Model
	request *Request
	at      time.Time
	report  Report

	// engine and pools belong to the Explainer, or are copies with other pods.
	engine *exchange.Engine
	pools  *upstream.Registry
}

func (e *explanation) explainRequest() error {
	d, err := e.request.describe(e.engine.Tables.Current(), e.at)
	if err != nil {
		return err
	}
	trace, err := e.engine.Explain(d)
	if err != nil {
		return err
	}
	e.addTrace(trace)
	return nil
}

// addTrace adds the decisions of the steps to the report.
func (e *explanation) addTrace(t *exchange.Trace) {
	r := &e.report
	r.Generation, r.Client, r.Host, r.Path = t.Generation, t.ClientIP.String(), t.Host, t.Path
	r.Forward, r.Response = t.Forward, responseOf(t.Response)
	for _, f := range t.Filters {
		step := FilterReport{Name: f.Name, Protects: f.Protects, Decisions: e.decisionsOf(t, &f)}
		if f.Response != nil {
			step.Status = f.Response.Status
		}
		r.Filters = append(r.Filters, step)
	}
	if r.Passthrough = t.Passthrough; r.Passthrough {
		e.addBackend(t, &model.Route{Backends: e.passthroughBackends()})
		return
	}
	r.Conflicts = e.conflictsOf(t)
	if t.Route == nil {
		if len(t.Filters) == 0 {
			r.NoRoute = nearest(e.model.Routes, t.Host, t.Path)
		}
		return
	}
	source := e.sourceOf(t.Route)
	r.Route = &RouteReport{Host: t.Route.Host, Path: t.Route.Path, PathType: string(t.Route.PathType),
		Source: t.Route.Source.String(), Closed: source.Closed}
	e.addBackend(t, source)
	r.Problems = e.Problems(objectsOf(source))
}

// settingsOf are the settings of the filters that do not explain their decisions.
var settingsOf = map[string][]string{
	"https-redirect": {"https-redirect"}, "tls-only": {"client-certificate"}, "auth-fields": {"auth-response-headers"},
	"cors": {"cors"}, "redirect": {"redirect", "app-root", "www-redirect"}, "rewrite": {"rewrite-target"},
	"forward-headers": {"upstream-host", "forwarded-prefix"}, "headers": {"request-headers", "response-headers"},
	"response-rate": {"limit-rate"}, "compression": {"compress"},
}

// decisionsOf returns the decisions of a filter with the object and the annotation of each.
func (e *explanation) decisionsOf(t *exchange.Trace, f *exchange.FilterStep) (decisions []DecisionReport) {
	if t.Route == nil {
		return nil
	}
	add := func(setting, text string) {
		annotation := e.Annotation(t.Route.Source, setting)
		if annotation != "" || text != "" {
			decisions = append(decisions, DecisionReport{t.Route.Source.String(), annotation, text})
		}
	}
	for _, d := range f.Details {
		add(d.Setting, d.Text)
	}
	for _, setting := range settingsOf[f.Name] {
		add(setting, "")
	}
	return decisions
}

// passthroughBackends returns the backends of the hosts whose TLS connections are passed through.
func (e *explanation) passthroughBackends() (all []model.Backend) {
	for i := range e.model.Hosts {
		if backend := e.model.Hosts[i].Passthrough; backend != nil {
			all = append(all, *backend)
		}
	}
	return all
}

// sourceOf returns the route of the model from which a route was compiled.
func (e *explanation) sourceOf(compiled *routing.Route) *model.Route {
	for i := range e.model.Routes {
		r := &e.model.Routes[i]
		if r.Host == compiled.Host && r.Path == compiled.Path && r.PathType == compiled.PathType && r.Source == compiled.Source {
			return r
		}
	}
	return &model.Route{} // another model was published since
}

func (e *explanation) addBackend(t *exchange.Trace, source *model.Route) {
	r := &e.report
	if t.Backend == nil {
		return
	}
	pool := t.Backend.Pool
	set := pool.Set()
	r.Backend = &BackendReport{Pool: pool.Name, Split: string(t.SplitReason), Ready: set.Ready(), Total: set.Len()}
	for i := range source.Backends {
		if b := &source.Backends[i]; b.Affinity != nil && b.Pool == pool.ID {
			r.Backend.Affinity = b.Affinity.Source.String()
		}
	}
	for _, f := range t.Methods {
		r.Methods = append(r.Methods, methodOf(f, set))
	}
	r.Outcome, r.Reason = t.Outcome.String(), t.Reason.String()
	if t.Await > 0 {
		r.Wait = t.Await.String()
	}
	if t.HandoffFrom != nil {
		from := podOf(t.HandoffFrom)
		r.HandoffFrom = &from
	}
	if t.Endpoint != nil {
		pod := podOf(t.Endpoint)
		r.Pod = &pod
	}
}

func methodOf(f affinity.Finding, set *upstream.Set) MethodReport {
	m := MethodReport{Source: string(f.Source), Binding: string(f.Binding), Name: f.Name, Result: string(f.Result)}
	if f.Endpoint >= 0 && f.Endpoint < set.Len() {
		m.Pod = set.Endpoint(f.Endpoint).Label()
	}
	return m
}

func podOf(e *upstream.Endpoint) PodReport {
	return PodReport{Pod: e.Pod, Address: e.Address, Zone: e.Zone, State: string(e.State)}
}

func responseOf(resp *filter.Response) *ResponseReport {
	if resp == nil {
		return nil
	}
	out := &ResponseReport{Status: resp.Status, Text: string(resp.Body)}
	for _, field := range resp.Fields {
		if string(field.Name) == "Location" {
			out.Location = string(field.Value)
		}
	}
	return out
}

// objectsOf returns the objects that a route comes from.
func objectsOf(r *model.Route) []model.Ref {
	objects := []model.Ref{r.Source}
	for i := range r.Backends {
		b := &r.Backends[i]
		objects = append(objects, model.Ref{Kind: model.KindService, Namespace: b.Pool.Namespace, Name: b.Pool.Service})
		if b.Affinity != nil {
			objects = append(objects, b.Affinity.Source)
		}
	}
	slices.SortFunc(objects, func(a, b model.Ref) int { return cmp.Compare(a.String(), b.String()) })
	return slices.Compact(objects)
}
