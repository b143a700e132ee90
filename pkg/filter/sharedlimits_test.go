package filter

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/test/wait"
)

// memoryLimits is a LimitStore of one process.
type memoryLimits struct {
	mu    sync.Mutex
	empty map[[16]byte][2]time.Time
	err   error
	calls int
}

func (m *memoryLimits) AddUses(_ context.Context, uses []model.LimitUse) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	now := time.Now()
	for i := range uses {
		u := &uses[i]
		bucket := m.empty[u.Bucket]
		for j := range bucket {
			if bucket[j].Before(now) {
				bucket[j] = now
			}
			bucket[j] = bucket[j].Add(u.Added[j])
			u.Excess[j] = bucket[j].Sub(now)
		}
		m.empty[u.Bucket] = bucket
	}
	return m.err
}

// replica is a RateLimit with what its process shares.
type replica struct {
	*RateLimit
	shared *SharedLimits
}

func newReplica(store LimitStore, limit *model.RateLimit) replica {
	f := NewRateLimit(limit).(*RateLimit)
	f.limiter = newClientLimiter(limit.Source) // one of its own, as in another process
	return replica{f, NewSharedLimits(store, logr.Discard())}
}

// admits sends requests, and returns how many are admitted.
func (r replica) admits(client string, requests int) (n int) {
	for range requests {
		q := &Request{Shared: &Shared{Limits: r.shared}}
		q.ClientIP = netip.MustParseAddr(client)
		if r.FilterRequest(q) == nil {
			n++
		}
	}
	return n
}

func sharedLimit(name string) *model.RateLimit {
	return &model.RateLimit{
		Source: model.Ref{Kind: "Ingress", Name: name}, PerMinute: 30, Burst: 1, IsShared: true, IPv6PrefixLength: 128, Status: 503,
	}
}

// Replicas together admit the burst of one, once they know of each other's requests.
func TestSharedLimits_twoReplicas(t *testing.T) {
	store := &memoryLimits{empty: map[[16]byte][2]time.Time{}}
	a, b, other := newReplica(store, sharedLimit("x")), newReplica(store, sharedLimit("x")), newReplica(store, sharedLimit("y"))
	if n := a.admits("192.0.2.1", 20); n != 20 {
		t.Fatalf("the first replica admits %d of 20 requests", n)
	}
	a.shared.sync(t.Context())
	if n := b.admits("192.0.2.1", 1); n != 1 {
		t.Fatal("the second replica waits for the store")
	}
	b.shared.sync(t.Context())
	if n := b.admits("192.0.2.1", 100); n < 9 || n > 14 { // 31 in all, and one for each two seconds
		t.Errorf("the second replica admits %d more", n)
	}
	if n := b.admits("192.0.2.2", 100); n != 31 {
		t.Errorf("of another client: %d", n)
	}
	if n := other.admits("192.0.2.1", 100); n != 31 {
		t.Errorf("of another object: %d", n)
	}
	b.shared.sync(t.Context())
	a.admits("192.0.2.1", 1)
	a.shared.sync(t.Context())
	if n := a.admits("192.0.2.1", 100); n > 3 {
		t.Errorf("the first replica admits %d more", n)
	}
}

// While the store fails, each replica has its own limit, and refused requests are not sent to the store.
func TestSharedLimits_storeFails(t *testing.T) {
	store := &memoryLimits{empty: map[[16]byte][2]time.Time{}, err: errors.New("refused")}
	a, b := newReplica(store, sharedLimit("x")), newReplica(store, sharedLimit("x"))
	for _, r := range []replica{a, b} {
		if n := r.admits("192.0.2.1", 20); n != 20 {
			t.Errorf("%d of 20", n)
		}
		r.shared.sync(t.Context())
		if n := r.admits("192.0.2.1", 100); n < 11 || n > 14 {
			t.Errorf("%d more after a failure", n)
		}
		r.shared.sync(t.Context())
		if calls := store.calls; len(r.shared.pending) != 0 {
			t.Errorf("%d limiters are pending after %d calls", len(r.shared.pending), calls)
		}
	}
	if !a.shared.failing || store.calls != 4 {
		t.Errorf("failing %v after %d calls", a.shared.failing, store.calls)
	}
	a.admits("192.0.2.1", 10)
	if a.shared.sync(t.Context()); store.calls != 4 {
		t.Error("refused requests are sent to the store")
	}
}

// A store cannot block clients for longer than maxExcess, and clients that are not known make no state.
func TestSharedLimits_excessIsBounded(t *testing.T) {
	l := newClientLimiter(model.Ref{})
	key := clientKey{1}
	q := quota{second: newRate(1, time.Second, 1), isShared: true}
	l.admit(&key, &q, l.now())
	keys, uses := l.takeUses()
	if len(uses) != 1 || uses[0].Added != [2]time.Duration{time.Second, 0} {
		t.Fatalf("uses %+v", uses)
	}
	uses[0].Excess = [2]time.Duration{1 << 62, -5}
	l.addExcess(keys, uses)
	l.addExcess([]clientKey{{2}}, uses)
	s := l.shard(&key)
	c := s.clients[s.index[key]]
	if c.second > l.now()+int64(maxExcess) || c.minute < 0 || len(l.shard(&clientKey{2}).index) > 1 {
		t.Errorf("the state is %+v", c)
	}
	for i := range 3 * clientsPerShard * limiterShards {
		l.admit(&clientKey{byte(i), byte(i >> 8), byte(i >> 16)}, &q, l.now())
	}
	for i := range l.shards {
		if n := len(l.shards[i].unshared); n > maxUnshared {
			t.Fatalf("%d clients are to be shared", n)
		}
	}
}

func TestSharedLimits_runs(t *testing.T) {
	store := &memoryLimits{empty: map[[16]byte][2]time.Time{}}
	a := newReplica(store, sharedLimit("x"))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); a.shared.Run(ctx) }()
	a.admits("192.0.2.1", 1)
	wait.Until(t, "the store to know the request", func() bool {
		store.mu.Lock()
		defer store.mu.Unlock()
		return len(store.empty) == 1
	})
	cancel()
	<-ended
}
