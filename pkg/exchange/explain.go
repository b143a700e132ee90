package exchange

import (
	"cmp"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/routing"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// Description describes a request for Explain.
type Description struct {
	// Method defaults to GET.
	Method string
	// Host is the authority: a host name or address with an optional port.
	Host string
	// Target is the path with an optional query: "/cart?page=2".
	Target string
	// Header holds the fields other than Host.
	Header http.Header
	// Peer is the remote address of the connection. If it is a trusted proxy, Header may name the client.
	Peer netip.Addr
	// TLS is the outcome of the TLS handshake, nil for a cleartext connection.
	TLS *filter.TLSSession
	// Time is the arrival time of the request. Zero means now.
	Time time.Time
}

// Trace records the decision of every step. The fields of a step that was not reached are zero.
type Trace struct {
	// ClientIP is the address of the client as named by trusted proxies, Host is the host name in lower case without a port,
	// and Path is the normalized path.
	ClientIP   netip.Addr
	Host, Path string
	// Generation is the generation of the routing table.
	Generation uint64
	// Passthrough reports whether the TLS connection is passed through to Endpoint, so that no route and no filter applies.
	Passthrough bool
	// Route is nil if no route matches, or if matching refuses the request. Then Filters has the filter that does.
	Route *routing.Route
	// Filters are the request filters that ran, in order.
	Filters []FilterStep
	// Forward is the request target that the pod receives.
	Forward string
	// Backend is nil if the route has no backend.
	Backend     *routing.Backend
	SplitReason SplitReason
	// Methods are the results of the policy's methods, in order, up to the first that recognized the client.
	Methods []affinity.Finding
	Outcome affinity.Outcome
	Reason  affinity.Reason
	// Await is the longest time that the request would wait for the endpoint of its session. Zero means that it does not
	// wait.
	Await time.Duration
	// HandoffFrom is the draining endpoint that has the state of the session, if the app must fetch it. Otherwise it is nil.
	HandoffFrom *upstream.Endpoint
	// Endpoint is nil if the request is not forwarded.
	Endpoint *upstream.Endpoint
	// Response is the response that Limpet generates. It is nil if the request is forwarded.
	Response *filter.Response
}

// FilterStep is a request filter that ran.
type FilterStep struct {
	Name string
	// Protects reports whether the filter restricts access to the route.
	Protects bool
	// Response is the response of the filter. It is nil if the filter let the request continue.
	Response *filter.Response
	// Details are the decisions of the filter, if it explains them.
	Details []filter.Detail
}

// Explain runs the described request through the steps that choose its endpoint (match, request filters, split and bind), and
// records the decision of each step. The steps are the same as for a real request, but it does not connect to a pod, does not
// wait for an endpoint and updates no counters. Picks that are random or depend on load may differ for the next request.
//
// It returns an error if the description is not a valid request.
func (e *Engine) Explain(d *Description) (*Trace, error) {
	c := Connection{
		Engine: e, Peer: plainAddress(d.Peer), PeerText: d.Peer.String(), TLS: d.TLS, Trusted: e.Trusts(plainAddress(d.Peer)),
		Memory: &affinity.ConnState{Learned: e.Sessions},
	}
	r := new(request)
	r.begin(&c)
	r.view.IsDescribed = true
	r.start = d.Time
	if d.Time.IsZero() {
		r.start = time.Now()
	}
	if err := d.fillHead(r); err != nil {
		return nil, err
	}
	s := &selection{trace: new(Trace)}
	s.trace.Response = s.explain(r)
	return s.trace, nil
}

// fillHead builds the head of the request. It validates the head like the head of an HTTP/2 request.
func (d *Description) fillHead(r *request) error {
	head := &r.req
	head.Minor, head.KeepAlive = 1, true
	if err := head.SetMethod([]byte(cmp.Or(d.Method, http.MethodGet))); err != nil {
		return err
	}
	if err := head.SetTarget([]byte(cmp.Or(d.Target, "/"))); err != nil {
		return err
	}
	if err := head.SetHost([]byte(d.Host)); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(d.Header)) {
		for _, value := range d.Header[name] {
			head.Add([]byte(name), []byte(value))
		}
	}
	return head.Settle()
}

// explain runs the steps. It returns the response that is sent instead of forwarding the request, or nil.
func (s *selection) explain(r *request) *filter.Response {
	resp := s.match(r)
	if s.explainPassthrough(r) {
		return nil
	}
	if resp != nil {
		return resp
	}
	resp = s.filterRequest(r)
	s.trace.recordForward(&r.view.Forward)
	if resp != nil {
		return resp
	}
	if resp := s.split(r); resp != nil {
		return resp
	}
	s.decide(r)
	s.trace.recordBind(s)
	return s.endpointError()
}

// explainPassthrough reports whether a TLS connection for the host of the request is passed through. It then decides the
// endpoint.
func (s *selection) explainPassthrough(r *request) bool {
	if r.TLS == nil {
		return false
	}
	backend := s.table.Passthrough(r.view.Host)
	if backend == nil {
		return false
	}
	s.backend = backend
	s.trace.Passthrough, s.trace.Route, s.trace.Backend, s.trace.SplitReason = true, nil, backend, SplitOnly
	s.decide(r)
	s.trace.recordBind(s)
	return true
}

// The methods of Trace record the decisions of the steps.

func (t *Trace) recordMatch(r *request, table *routing.Table, route *routing.Route) {
	t.ClientIP, t.Host, t.Path = r.view.ClientIP, string(r.view.Host), string(r.view.Path)
	t.Generation = table.Generation
	if route != nil && route.Route != nil {
		t.Route = route
	}
}

func (t *Trace) recordFilter(r *request, f filter.RequestFilter, resp *filter.Response) {
	step := FilterStep{Name: f.Name(), Protects: filter.Protects(f), Response: resp}
	if f, ok := f.(filter.Describer); ok {
		step.Details = f.Describe(&r.view)
	}
	t.Filters = append(t.Filters, step)
}

func (t *Trace) recordForward(target *filter.Target) {
	t.Forward = string(target.Path)
	if target.HasQuery {
		t.Forward += "?" + string(target.Query)
	}
}

func (t *Trace) recordBind(s *selection) {
	t.Outcome, t.Reason, t.Await = s.decision.Outcome, s.decision.Reason, s.decision.EndpointWait
	if i := s.decision.Endpoint; i >= 0 {
		t.Endpoint = s.set.Endpoint(i)
	}
	if i := s.decision.HandoffFrom; i >= 0 {
		t.HandoffFrom = s.set.Endpoint(i)
	}
}
