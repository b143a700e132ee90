package store

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/test/wait"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bindings is a Store for tests that use sessions of one policy without timeouts.
type bindings struct{ Store }

func learnedID(scope uint64, id []byte) *affinity.LearnedID {
	return &affinity.LearnedID{Scope: scope, Policy: scope, ID: id}
}

// Lookup resolves a session like package affinity does.
func (b bindings) Lookup(scope uint64, id []byte) (model.EndpointKey, bool) {
	found := resolve(b.Store, learnedID(scope, id))
	return found.Endpoint, found.State == affinity.LearnedAlive
}

func (b bindings) Remember(scope uint64, id []byte, key model.EndpointKey) {
	b.Store.Remember(learnedID(scope, id), key)
}

func (b bindings) Forget(scope uint64, id []byte) { b.Store.Forget(learnedID(scope, id)) }

func resolve(s affinity.Store, id *affinity.LearnedID) affinity.Learned {
	found := s.Lookup(id)
	if found.State == affinity.LearnedUnresolved {
		found, _ = s.Resolve(id)
	}
	return found
}

var (
	podA = model.KeyOf("pod-a")
	podB = model.KeyOf("pod-b")
)

const scope = 7

// clock is a wall clock that only moves when add is called.
type clock struct{ seconds atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.seconds.Store(1_800_000_000)
	return c
}

func (c *clock) now() int64          { return c.seconds.Load() }
func (c *clock) add(d time.Duration) { c.seconds.Add(int64(d / time.Second)) }

// events counts the events of a store.
type events [Events]atomic.Int64

func (e *events) observe(v Event)     { e[v].Add(1) }
func (e *events) count(v Event) int64 { return e[v].Load() }

func id(i int) []byte { return fmt.Appendf(nil, "session-%d", i) }

// eventually waits for an effect of another process or goroutine.
func eventually(t testing.TB, what string, happened func() bool) {
	t.Helper()
	wait.Until(t, what, happened)
}

// sessions are bindings or a replica.
type sessions interface {
	Lookup(scope uint64, id []byte) (model.EndpointKey, bool)
	Remember(scope uint64, id []byte, key model.EndpointKey)
}

// wantPod checks that a session is bound to a pod. The zero key means not found.
func wantPod(t testing.TB, s sessions, id []byte, want model.EndpointKey) {
	t.Helper()
	got, ok := s.Lookup(scope, id)
	if got != want || ok != (want != model.EndpointKey{}) {
		t.Errorf("Lookup(%s) = %x, %v, want %x", id, got[:4], ok, want[:4])
	}
}

var none model.EndpointKey
