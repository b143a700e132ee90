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

// Description is a request that no client has sent, for Explain to decide about.
type Description struct {
	// Method is GET if it is empty.
	Method string
	// Host is the authority: a name or an address, and the port if the request gives one.
	Host string
	// Target is the path, and the query if there is one: "/cart?page=2".
	Target string
	// Header are the fields, apart from Host.
	Header http.Header
	// Peer is the other end of the connection. If it is a trusted proxy, Header may name the client.
	Peer netip.Addr
	// TLS is the outcome of the TLS handshake, nil for a cleartext connection.
	TLS *filter.TLSSession
	// Time is when the request comes. Zero means now.
	Time time.Time
}

// Trace is what was decided about a request, step by step. The fields of a step that was not reached are zero.
type Trace struct {
	// ClientIP, Host and Path are what the request was reduced to: the client as far as trusted proxies name it, the host
	// in lower case without port, and the normalized path.
	ClientIP   netip.Addr
	Host, Path string
	// Generation is that of the table.
	Generation uint64
	// Route is nil if none matches.
	Route *routing.Route
	// Filters are the request filters that ran, in order.
	Filters []FilterStep
	// Forward is the target that the pod receives.
	Forward string
	// Backend is nil if the route has none.
	Backend     *routing.Backend
	SplitReason SplitReason
	// Methods are what the policy's methods found, in order, up to the first that recognized the client.
	Methods []affinity.Finding
	Outcome affinity.Outcome
	Reason  affinity.Reason
	// Await is how long the request would wait for the endpoint of its session before it goes to Endpoint or is refused.
	// Zero means that it does not wait.
	Await time.Duration
	// Endpoint is nil if the request goes to none.
	Endpoint *upstream.Endpoint
	// Response is what Limpet responds itself, nil if the request goes to a pod.
	Response *filter.Response
}

// FilterStep is one request filter that ran.
type FilterStep struct {
	Name string
	// Protects reports whether the filter restricts access to the route.
	Protects bool
	// Response is what the filter responded, nil if it let the request go on.
	Response *filter.Response
}

// Explain takes the described request through the steps that decide where it goes (match, request filters, split and bind),
// and records what each decides. It is what a real request goes through, except that it connects to no pod, waits for no
// endpoint, and is counted nowhere. Picks that are random or depend on the load may differ for the next request.
//
// It returns an error if the description is not a valid request.
func (e *Engine) Explain(d *Description) (*Trace, error) {
	c := Connection{
		Engine: e, Peer: plainAddress(d.Peer), PeerText: d.Peer.String(), TLS: d.TLS, Trusted: e.Trusts(plainAddress(d.Peer)),
		Memory: &affinity.Memory{Learned: e.Sessions},
	}
	r := new(request)
	r.begin(&c)
	r.start = d.Time
	if d.Time.IsZero() {
		r.start = time.Now()
	}
	if err := d.fill(r); err != nil {
		return nil, err
	}
	s := &selection{trace: new(Trace)}
	s.trace.Response = s.explain(r)
	return s.trace, nil
}

// fill makes the head of the described request, with the checks that those of HTTP/2 go through.
func (d *Description) fill(r *request) error {
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

// explain runs the steps, and returns the response that is sent instead of forwarding the request, nil for none.
func (s *selection) explain(r *request) *filter.Response {
	if own := s.match(r); own != nil {
		return own
	}
	own := s.filterRequest(r)
	s.trace.forwarded(&r.view.Forward)
	if own != nil {
		return own
	}
	if own := s.split(r); own != nil {
		return own
	}
	s.decide(r)
	s.trace.bound(s)
	return s.unbound()
}

// The methods of Trace record the steps.

func (t *Trace) matched(r *request, table *routing.Table, route *routing.Route) {
	t.ClientIP, t.Host, t.Path = r.view.ClientIP, string(r.view.Host), string(r.view.Path)
	t.Generation, t.Route = table.Generation, route
}

func (t *Trace) filtered(f filter.RequestFilter, own *filter.Response) {
	t.Filters = append(t.Filters, FilterStep{Name: f.Name(), Protects: filter.Protects(f), Response: own})
}

func (t *Trace) forwarded(to *filter.Target) {
	t.Forward = string(to.Path)
	if to.HasQuery {
		t.Forward += "?" + string(to.Query)
	}
}

func (t *Trace) bound(s *selection) {
	t.Outcome, t.Reason, t.Await = s.decision.Outcome, s.decision.Reason, s.decision.Await
	if at := s.decision.Endpoint; at >= 0 {
		t.Endpoint = s.set.Endpoint(at)
	}
}
