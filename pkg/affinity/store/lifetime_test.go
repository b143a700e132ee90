package store

import (
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
)

// limitedID returns an id whose policy sets these timeouts.
func limitedID(idle, absolute time.Duration) *affinity.LearnedID {
	limited := learnedID(scope, id(1))
	limited.Lifetime = affinity.Lifetime{Idle: int64(idle / time.Second), Absolute: int64(absolute / time.Second)}
	return limited
}

// step advances the clock and states what a lookup then finds.
type step struct {
	after time.Duration
	want  affinity.LearnedState
}

const (
	alive   = affinity.LearnedAlive
	expired = affinity.LearnedExpired
	unknown = affinity.LearnedUnknown
)

var lifetimes = []struct {
	name           string
	idle, absolute time.Duration
	steps          []step
}{
	{"no timeouts", 0, 0, []step{{59 * time.Minute, alive}, {time.Hour, expired}}},
	{"idle, shorter than that of the store", 10 * time.Second, 0,
		[]step{{9 * time.Second, alive}, {9 * time.Second, alive}, {10 * time.Second, expired}, {0, unknown}}},
	{"idle, longer than that of the store", 24 * time.Hour, 0, []step{{23 * time.Hour, alive}, {24 * time.Hour, expired}}},
	{"absolute, although in use", 0, 30 * time.Second,
		[]step{{10 * time.Second, alive}, {10 * time.Second, alive}, {9 * time.Second, alive}, {time.Second, expired}}},
	{"absolute, although not in use", 0, 8 * time.Hour, []step{{7 * time.Hour, alive}, {time.Hour, expired}}},
	{"both, idle first", 10 * time.Second, 30 * time.Second, []step{{10 * time.Second, expired}}},
	{"both, absolute first", 10 * time.Second, 15 * time.Second, []step{{8 * time.Second, alive}, {7 * time.Second, expired}}},
}

func TestMemory_timeoutsOfPolicy(t *testing.T) {
	for _, c := range lifetimes {
		t.Run(c.name, func(t *testing.T) {
			clock := newClock()
			s, limited := memory(t, Options{Now: clock.now}).Store, limitedID(c.idle, c.absolute)
			s.Remember(limited, podA)
			for i, step := range c.steps {
				clock.add(step.after)
				if got := s.Lookup(limited); got.State != step.want {
					t.Fatalf("step %d: state %d, want %d", i, got.State, step.want)
				}
			}
		})
	}
}

// The replica that bound a session and another one end it at the same time. The clock of the server does not move, so
// it still has the session.
func TestShared_timeoutsOfPolicy(t *testing.T) {
	server := startRedis(t)
	for _, c := range lifetimes {
		t.Run(c.name, func(t *testing.T) {
			server.must(t, "FLUSHALL")
			r, limited := open(t, server.url()), limitedID(c.idle, c.absolute)
			r.Store.Remember(limited, podA)
			r.waitWritten(t)
			for i, step := range c.steps {
				r.clock.add(step.after)
				if step.want != alive {
					r.expire(t, server, limited)
				}
				if got := resolve(r.Store, limited); got.State != step.want {
					t.Fatalf("step %d: state %d, want %d", i, got.State, step.want)
				}
			}
		})
	}
}

// expire deletes the session from the server, as the end of its TTL does, and waits until the replica knows that.
func (r *replica) expire(t *testing.T, server *redisServer, limited *affinity.LearnedID) {
	t.Helper()
	name := (&client{prefix: "limpet:2:"}).name(hashOf(limited.Scope, limited.ID))
	table := r.Store.(*shared).table
	eventually(t, "the invalidation", func() bool {
		// A server that gets the replica's own write and the deletion in one turn of its event loop sends no invalidation
		// for them, so the key changes until one arrives.
		server.must(t, "SET", name, "x")
		server.must(t, "DEL", name)
		st := table.lookup(sessionOf(limited), r.clock.now(), true)
		return !st.known || !st.inSync
	})
}

func TestShared_ttlOfPolicy(t *testing.T) {
	server := startRedis(t)
	name := (&client{prefix: "limpet:2:"}).name(hashOf(scope, id(1)))
	for _, c := range []struct {
		idle, absolute time.Duration
		want           string
	}{
		{0, 0, ":4500"}, {40 * time.Second, 0, ":40"}, {0, 12 * time.Hour, ":43200"}, {time.Hour, 90 * time.Second, ":90"},
	} {
		server.must(t, "FLUSHALL")
		r := open(t, server.url())
		r.Store.Remember(limitedID(c.idle, c.absolute), podA)
		r.waitWritten(t)
		if got := server.must(t, "TTL", name); got != c.want {
			t.Errorf("idle %v, absolute %v: TTL %s, want %s", c.idle, c.absolute, got, c.want)
		}
	}
}

// A session starts with its first binding, on every replica and after moves.
func TestShared_absoluteTimeoutOfAnother(t *testing.T) {
	server := startRedis(t)
	one, two := open(t, server.url()), open(t, server.url())
	limited := limitedID(0, time.Minute)
	one.Store.Remember(limited, podA)
	one.waitWritten(t)
	two.clock.add(40 * time.Second)
	if got := resolve(two.Store, limited); got.Endpoint != podA {
		t.Fatalf("after 40 s: %+v, want podA", got)
	}
	two.Store.Remember(limited, podB)
	two.waitWritten(t)
	two.clock.add(20 * time.Second)
	if got := resolve(two.Store, limited); got.State != expired {
		t.Errorf("on the replica that moved it: state %d, want expired", got.State)
	}
	three := open(t, server.url())
	three.clock.add(time.Minute)
	if got := resolve(three.Store, limited); got.State == alive {
		t.Error("on a replica that did not know it: alive after its absolute timeout")
	}
}

func TestShared_usedOnAnother(t *testing.T) {
	server := startRedis(t)
	one, two := open(t, server.url()), open(t, server.url())
	limited := limitedID(40*time.Second, 0)
	one.Store.Remember(limited, podA)
	one.waitWritten(t)
	for range 3 {
		two.clock.add(30 * time.Second)
		if got := resolve(two.Store, limited); got.State != alive {
			t.Fatalf("on the replica that uses it: state %d, want alive", got.State)
		}
	}
	one.clock.add(90 * time.Second)
	if got := resolve(one.Store, limited); got.State != alive {
		t.Errorf("on the replica that did not use it: state %d, want alive", got.State)
	}
}

func TestPeek_isNoUse(t *testing.T) {
	clock := newClock()
	s, limited := memory(t, Options{Now: clock.now}).Store, limitedID(10*time.Second, 0)
	s.Remember(limited, podA)
	clock.add(9 * time.Second)
	peek := *limited
	peek.Peek = true
	if got := s.Lookup(&peek); got.State != alive {
		t.Fatalf("state %d, want alive", got.State)
	}
	clock.add(time.Second)
	if got := s.Lookup(limited); got.State != expired {
		t.Errorf("state %d, want expired", got.State)
	}
}
