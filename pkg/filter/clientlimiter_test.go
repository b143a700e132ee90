package filter

import (
	"encoding/binary"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

func keyOf(n int) *clientKey {
	var key clientKey
	binary.BigEndian.PutUint64(key[8:], uint64(n))
	return &key
}

// nginxBucket is limit_req of nginx with nodelay: excess is in thousandths of a request, as in ngx_http_limit_req_lookup.
type nginxBucket struct {
	rate, burst, excess int64
	last                time.Duration
	isKnown             bool
}

func (b *nginxBucket) admits(now time.Duration) bool {
	if !b.isKnown {
		b.isKnown, b.last = true, now
		return true
	}
	excess := max(b.excess-b.rate*(now-b.last).Milliseconds()+1000, 0)
	if excess > b.burst*1000 {
		return false
	}
	b.excess, b.last = excess, now
	return true
}

func TestClientLimiter_equalsNginx(t *testing.T) {
	for _, c := range []struct{ rate, burst int }{{1, 1}, {5, 5}, {5, 1}, {10, 3}} {
		l, want := newClientLimiter(model.Ref{}), nginxBucket{rate: int64(c.rate), burst: int64(c.rate * c.burst)}
		q := quota{second: newRate(c.rate, time.Second, c.burst)}
		now := time.Hour
		for i := range 2000 {
			now += []time.Duration{0, 0, 10 * time.Millisecond, 200 * time.Millisecond, 0, 3 * time.Second}[i*7%6] * time.Duration(i%3)
			got, wanted := l.admit(keyOf(1), &q, int64(now)) == admitted, want.admits(now)
			if got != wanted {
				t.Fatalf("rate %d, burst %d, request %d at %s: admitted %v, want %v", c.rate, c.burst, i, now, got, wanted)
			}
		}
	}
}

func TestClientLimiter_bothRates(t *testing.T) {
	l, q := newClientLimiter(model.Ref{}), quota{second: newRate(100, time.Second, 1), minute: newRate(2, time.Minute, 1)}
	var got []refusal
	for range 4 {
		got = append(got, l.admit(keyOf(1), &q, 1))
	}
	if got[2] != admitted || got[3] != tooFast {
		t.Errorf("got %v, want three admitted requests", got)
	}
	if c := l.shard(keyOf(1)).client(keyOf(1), 1); c.second != 1+3*q.second.interval {
		t.Errorf("a refused request was counted: %+v", c)
	}
}

func TestClientLimiter_connections(t *testing.T) {
	l, q, now := newClientLimiter(model.Ref{}), quota{connections: 2}, int64(1)
	got := []refusal{l.admit(keyOf(1), &q, now), l.admit(keyOf(1), &q, now), l.admit(keyOf(1), &q, now), l.admit(keyOf(2), &q, now)}
	if got[0] != admitted || got[1] != admitted || got[2] != tooMany || got[3] != admitted {
		t.Errorf("got %v", got)
	}
	l.release(keyOf(1))
	l.release(keyOf(3)) // unknown
	if got := l.admit(keyOf(1), &q, now); got != admitted {
		t.Errorf("after release: %v", got)
	}
	for range 5 {
		l.release(keyOf(1))
	}
	if c := l.shard(keyOf(1)).client(keyOf(1), 1); c.connections != 0 {
		t.Errorf("connections = %d", c.connections)
	}
}

// A client that is over its limit stays refused while many others come and go, unless it pauses.
func TestClientLimiter_manyClients(t *testing.T) {
	l, q := newClientLimiter(model.Ref{}), quota{second: newRate(1, time.Second, 1)}
	now := int64(time.Hour)
	for range 3 {
		l.admit(keyOf(0), &q, now)
	}
	for i := range 100_000 {
		if got := l.admit(keyOf(i+1), &q, now); got != admitted {
			t.Fatalf("client %d: %v", i, got)
		}
		if i%100 == 0 && l.admit(keyOf(0), &q, now) != tooFast {
			t.Fatalf("after %d clients, the limit does not hold", i)
		}
	}
	for i := range l.shards {
		s := &l.shards[i]
		if len(s.index) > clientsPerShard || len(s.clients) > clientsPerShard+1 || len(s.index) != len(s.clients)-1 {
			t.Fatalf("shard %d has %d clients in %d places", i, len(s.index), len(s.clients))
		}
		checkList(t, s)
	}
}

// checkList checks that the list has each client once, in the order of their last requests.
func checkList(t *testing.T, s *limiterShard) {
	t.Helper()
	count, last := 0, int64(0)
	for i := s.clients[0].newer; i != 0; i = s.clients[i].newer {
		if c := &s.clients[i]; c.seen < last || s.index[c.key] != i || s.clients[c.newer].older != i {
			t.Fatalf("client %d: %+v", i, c)
		}
		last = s.clients[i].seen
		count++
	}
	if count != len(s.index) {
		t.Fatalf("the list has %d of %d clients", count, len(s.index))
	}
}

func TestClientLimiter_reusesIdle(t *testing.T) {
	l, q := newClientLimiter(model.Ref{}), quota{second: newRate(1, time.Second, 1)}
	now := int64(1)
	for i := range 100_000 {
		now += int64(time.Second)
		l.admit(keyOf(i), &q, now)
	}
	total := 0
	for i := range l.shards {
		total += len(l.shards[i].clients)
	}
	if total > 1000 { // about one client a second for a minute, in 64 shards
		t.Errorf("%d places for clients", total)
	}
}

func TestClientLimiter_allocations(t *testing.T) {
	f := NewRateLimit(&model.RateLimit{
		Source: model.Ref{Name: "allocations"}, PerSecond: 1_000_000, Burst: 1000, Connections: 5, Status: 503, ConnectionStatus: 503,
		IPv6PrefixLength: 64, Exempt: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
	}).(*RateLimit)
	for _, client := range []string{"192.0.2.1", "2001:db8::1", "10.0.0.1"} {
		r := requestFor(t)
		r.ClientIP = netip.MustParseAddr(client)
		if n := testing.AllocsPerRun(100, func() {
			if f.FilterRequest(r) != nil {
				t.Fatal("refused")
			}
			held := r.TakeHeld()
			held.Release()
		}); n != 0 {
			t.Errorf("%s: %v allocations", client, n)
		}
	}
}

func TestClientLimiter_concurrent(t *testing.T) {
	l, q := newClientLimiter(model.Ref{}), quota{second: newRate(10, time.Second, 10), connections: 1000}
	var passed atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				if l.admit(keyOf(1), &q, 1) == admitted {
					passed.Add(1)
					l.release(keyOf(1))
				}
			}
		})
	}
	wg.Wait()
	if passed.Load() != 101 {
		t.Errorf("%d requests passed, want 101", passed.Load())
	}
}

func TestRateLimit_survivesTables(t *testing.T) {
	m := &model.RateLimit{Source: model.Ref{Name: "survives"}, PerSecond: 1, Burst: 1, Status: 429, ConnectionStatus: 503}
	first, other := NewRateLimit(m).(*RateLimit), *m
	other.PerSecond = 2
	second := NewRateLimit(&other).(*RateLimit)
	if first.limiter != second.limiter {
		t.Error("a change of the settings dropped the state")
	}
	other.Source.Name = "another"
	if NewRateLimit(&other).(*RateLimit).limiter == first.limiter {
		t.Error("two objects share state")
	}
	runtime.KeepAlive(first)
}

func TestLimiterRegistry_forgetsUnused(t *testing.T) {
	ref := model.Ref{Name: "unused"}
	limiters.get(ref)
	for range 100 { // the cleanup runs some time after a collection
		runtime.GC()
		limiters.mu.Lock()
		_, found := limiters.byObject[ref]
		limiters.mu.Unlock()
		if !found {
			return
		}
		runtime.Gosched()
	}
	t.Error("the entry stays after the limiter was freed")
}

func TestRateLimit_clients(t *testing.T) {
	f := NewRateLimit(&model.RateLimit{
		Source: model.Ref{Name: "clients"}, PerSecond: 1, Burst: 1, Status: 429, ConnectionStatus: 503, IPv6PrefixLength: 64,
		Exempt: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")},
	}).(*RateLimit)
	send := func(client string, described bool) int {
		r := requestFor(t)
		r.IsDescribed = described
		if client != "" {
			r.ClientIP = netip.MustParseAddr(client)
		}
		if resp := f.FilterRequest(r); resp != nil {
			return resp.Status
		}
		return 0
	}
	for _, c := range []struct {
		client    string
		described bool
		want      int
	}{
		{"2001:db8:0:1::1", true, 0}, {"2001:db8:0:1::1", false, 0}, {"2001:db8:0:1::2", false, 0}, {"2001:db8:0:1::3", false, 429},
		{"2001:db8:0:2::1", false, 0}, {"192.0.2.1", false, 0}, {"192.0.2.1", false, 0}, {"192.0.2.1", false, 429},
		{"192.0.2.1", true, 0}, {"", false, 0},
		{"10.1.1.1", false, 0}, {"10.1.1.1", false, 0}, {"10.1.1.1", false, 0}, {"10.1.1.1", false, 0},
	} {
		if got := send(c.client, c.described); got != c.want {
			t.Errorf("%+v: status %d", c, got)
		}
	}
}

func BenchmarkRateLimit(b *testing.B) {
	f := NewRateLimit(&model.RateLimit{
		Source: model.Ref{Name: "benchmark"}, PerSecond: 1_000_000, Burst: 1000, Status: 503, ConnectionStatus: 503,
	}).(*RateLimit)
	r := requestFor(b)
	r.ClientIP = netip.MustParseAddr("192.0.2.1")
	b.ReportAllocs()
	for b.Loop() {
		f.FilterRequest(r)
	}
}
