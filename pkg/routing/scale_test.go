package routing

import (
	"fmt"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// manyPaths returns a table with one host and that many prefixes and exact paths.
func manyPaths(n int) *Table {
	words := make([]string, n)
	for i := range words {
		words[i] = fmt.Sprintf("%s:shop.example/team-%d/app-%d", []string{"Prefix", "Exact"}[i%2], i/10, i)
	}
	return tableOf(words...)
}

func manyHosts(n int) *Table {
	changes := make([]model.HostChange, n)
	for i := range changes {
		host := fmt.Sprintf("h%d.example", i)
		changes[i] = model.HostChange{Name: host, Routes: routes("Prefix:"+host+"/", "Prefix:"+host+"/api")}
	}
	return (*Table)(nil).With(changes, upstream.NewRegistry(), time.Time{})
}

// matchPoint is a request in a large table.
type matchPoint struct {
	name       string
	table      *Table
	host, path string
}

func largeMatches() []matchPoint {
	hosts, paths := manyHosts(10_000), manyPaths(1000)
	return []matchPoint{
		{"10000 hosts", hosts, "h1234.example", "/api/items/7"},
		{"1000 paths, prefix", paths, "shop.example", "/team-50/app-500/items/7"},
		{"1000 paths, exact", paths, "shop.example", "/team-50/app-501"},
	}
}

func TestMatch_largeTablesAllocateNothing(t *testing.T) {
	for _, c := range largeMatches() {
		host, path := []byte(c.host), []byte(c.path)
		if c.table.Match(host, path, nil) == nil {
			t.Fatalf("%s: no route", c.name)
		}
		if n := testing.AllocsPerRun(100, func() { c.table.Match(host, path, nil) }); n > 0 {
			t.Errorf("%s: %v allocations", c.name, n)
		}
	}
}

// benchmarkCPU also reports the CPU time, which depends less on the load of the machine.
func benchmarkCPU(b *testing.B, act func()) {
	b.ReportAllocs()
	before, n := cpuTime(b), 0
	for ; b.Loop(); n++ {
		act()
	}
	b.ReportMetric(float64(cpuTime(b)-before)/float64(n), "cpu-ns/op")
}

func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func BenchmarkScaleMatch(b *testing.B) {
	for _, c := range largeMatches() {
		host, path := []byte(c.host), []byte(c.path)
		b.Run(c.name, func(b *testing.B) { benchmarkCPU(b, func() { c.table.Match(host, path, nil) }) })
	}
}

// poolOf returns the set of a pool with that many ready pods.
func poolOf(n int) *upstream.Set {
	endpoints := make([]model.Endpoint, n)
	for i := range endpoints {
		endpoints[i] = model.Endpoint{ID: fmt.Sprintf("uid-%d", i), Pod: fmt.Sprintf("pod-%d", i), State: model.EndpointReady,
			Address: fmt.Sprintf("10.0.%d.%d:8080", i/250, i%250)}
	}
	pool := upstream.NewRegistry().Pool(model.PoolID{Namespace: "shop", Service: "cart", Port: 80})
	pool.Replace(endpoints)
	return pool.Set()
}

// bindRequest is a request with a cookie and a header.
type bindRequest struct{ cookie, header []byte }

func (r *bindRequest) Header(string) ([]byte, bool) { return r.header, true }
func (r *bindRequest) CookieHeader(i int) []byte {
	if i > 0 {
		return nil
	}
	return r.cookie
}
func (r *bindRequest) Method() []byte            { return []byte("GET") }
func (r *bindRequest) Host() []byte              { return nil }
func (r *bindRequest) ClientCertificate() []byte { return nil }
func (r *bindRequest) Path() []byte              { return nil }
func (r *bindRequest) Query() []byte             { return nil }
func (r *bindRequest) ClientIP() netip.Addr      { return netip.Addr{} }

var (
	issuedByCookie = model.Method{Source: model.SourceCookie, Binding: model.BindingIssued, Cookie: &model.Cookie{Name: "cart"}}
	hashedByHeader = model.Method{Source: model.SourceHeader, Binding: model.BindingHashed, Header: &model.Header{Name: "X-Id"}}
)

// binding decides requests for one set.
type binding struct {
	policy *affinity.Policy
	set    *upstream.Set
	ring   *affinity.Keyring
	state  affinity.ConnState
	d      affinity.Decision
	req    bindRequest
}

func newBinding(tb testing.TB, endpoints int, pick model.Pick, m model.Method) *binding {
	tb.Helper()
	ring, err := affinity.NewKeyring([][]byte{affinity.NewKey()})
	if err != nil {
		tb.Fatal(err)
	}
	a := &model.Affinity{Scope: "shop/cart", Methods: []model.Method{m}, Pick: pick, KeepDraining: true, Identity: model.IdentityPod,
		Unavailable: model.Unavailable{Action: model.UnavailableRepick, Status: 503}}
	return &binding{policy: affinity.Compile(a), set: poolOf(endpoints), ring: ring, req: bindRequest{header: []byte("0123456789abcdef")}}
}

func (x *binding) decide() { x.policy.Decide(&x.d, &x.req, x.set, x.ring, &x.state, 1) }

// BenchmarkScaleBind measures the decision for one request in pools of growing size: a known session by its cookie, whose token
// is opened each time, a session by the hash of a header, and new sessions by the two picks that compare loads.
func BenchmarkScaleBind(b *testing.B) {
	for _, endpoints := range []int{3, 20, 100, 1000} {
		token := newBinding(b, endpoints, model.PickLeastSessions, issuedByCookie)
		token.decide()
		token.req.cookie = token.policy.AppendToken(nil, &token.d, token.set, token.ring, &token.state, true)
		hashed := newBinding(b, endpoints, model.PickLeastSessions, hashedByHeader)
		sessions := newBinding(b, endpoints, model.PickLeastSessions, issuedByCookie)
		requests := newBinding(b, endpoints, model.PickLeastRequests, issuedByCookie)
		for name, act := range map[string]func(){
			"token":         func() { token.state = affinity.ConnState{}; token.decide() },
			"rendezvous":    hashed.decide,
			"LeastSessions": func() { affinity.Pick(sessions.set, model.PickLeastSessions, &sessions.req) },
			"LeastRequests": func() { affinity.Pick(requests.set, model.PickLeastRequests, &requests.req) },
		} {
			b.Run(fmt.Sprintf("%s/%d", name, endpoints), func(b *testing.B) { benchmarkCPU(b, act) })
		}
	}
}
