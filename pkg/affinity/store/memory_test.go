package store

import (
	"encoding/hex"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

func memory(t testing.TB, o Options) bindings {
	t.Helper()
	s, err := Open("memory", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return bindings{s}
}

// Replicas of different releases share the hash.
func TestHashOf_isPinned(t *testing.T) {
	for _, c := range []struct {
		scope uint64
		id    string
		want  string
	}{
		{0, "", "9a0be4ec109b7ca51504ebd60835e959"},
		{7, "session-1", "adb8be20d0da5b0e6e51021ac9e03ff9"},
		{0xfedcba9876543210, string(make([]byte, 10_000)), "6668fcfd73283b8afadc825f4c89fabe"},
	} {
		got := hashOf(c.scope, []byte(c.id))
		if hex.EncodeToString(got[:]) != c.want {
			t.Errorf("hashOf(%#x, %d bytes) = %x, want %s", c.scope, len(c.id), got, c.want)
		}
	}
}

func TestMemory_lastBindingWins(t *testing.T) {
	s := memory(t, Options{})
	wantPod(t, s, id(1), none)
	s.Remember(scope, id(1), podA)
	wantPod(t, s, id(1), podA)
	s.Remember(scope, id(1), podB)
	wantPod(t, s, id(1), podB)
	s.Forget(scope, id(1))
	wantPod(t, s, id(1), none)
	s.Forget(scope, id(1))
}

func TestMemory_scopes(t *testing.T) {
	s := memory(t, Options{})
	s.Remember(scope, id(1), podA)
	if _, ok := s.Lookup(scope+1, id(1)); ok {
		t.Error("a session was found in another scope")
	}
	s.Forget(scope+1, id(1))
	wantPod(t, s, id(1), podA)
}

func TestMemory_idleTimeout(t *testing.T) {
	c := newClock()
	s := memory(t, Options{Idle: 10 * time.Minute, Now: c.now})
	s.Remember(scope, id(1), podA)
	for range 3 {
		c.add(10*time.Minute - time.Second)
		wantPod(t, s, id(1), podA)
	}
	c.add(10 * time.Minute)
	wantPod(t, s, id(1), none)
	if s.Len() != 0 {
		t.Errorf("%d sessions kept, want none", s.Len())
	}
}

func TestMemory_clockSetBack(t *testing.T) {
	c := newClock()
	s := memory(t, Options{Idle: time.Minute, Now: c.now})
	s.Remember(scope, id(1), podA)
	c.add(-24 * time.Hour)
	wantPod(t, s, id(1), podA)
	c.add(time.Minute)
	wantPod(t, s, id(1), none)
}

func TestMemory_limits(t *testing.T) {
	for name, o := range map[string]Options{
		"by entries": {Entries: 640, Bytes: 1 << 30},
		"by bytes":   {Entries: 1 << 30, Bytes: 640 * entryBytes},
	} {
		t.Run(name, func(t *testing.T) {
			var counts events
			o.Observe = counts.observe
			s := memory(t, o)
			for i := range 10_000 {
				s.Remember(scope, id(i), podA)
				wantPod(t, s, id(i), podA)
			}
			if s.Len() != 640 || counts.count(Evicted) != 10_000-640 {
				t.Errorf("%d kept and %d evicted, want 640 and %d", s.Len(), counts.count(Evicted), 10_000-640)
			}
		})
	}
}

func TestMemory_evictsUnusedFirst(t *testing.T) {
	s := memory(t, Options{Entries: 6400})
	const used = 1000
	for i := range used {
		s.Remember(scope, id(i), podA)
	}
	for i := range 50_000 {
		s.Remember(scope, id(used+i), podB)
		s.Lookup(scope, id(i%used))
	}
	lost := 0
	for i := range used {
		if _, ok := s.Lookup(scope, id(i)); !ok {
			lost++
		}
	}
	if lost != 0 {
		t.Errorf("%d of %d sessions in use were evicted by sessions that were not used again", lost, used)
	}
}

func TestMemory_evictsWhenAllAreUsed(t *testing.T) {
	s := memory(t, Options{Entries: 64 * 200})
	for i := range 64 * 400 {
		s.Remember(scope, id(i), podA)
		wantPod(t, s, id(i), podA)
	}
}

func TestMemory_sweepsIdleSessions(t *testing.T) {
	c := newClock()
	var counts events
	s := memory(t, Options{Entries: 100_000, Idle: time.Minute, Now: c.now, Observe: counts.observe})
	for i := range 10_000 {
		s.Remember(scope, id(i), podA)
	}
	c.add(time.Minute)
	for i := range 10_000 {
		s.Remember(scope, id(100_000+i), podA)
	}
	// The seed of the shards is random: in 1,000 runs some 400 idle ones were left, and never more than 602 of the
	// 10,000.
	if s.Len() > 11_000 || counts.count(Evicted) != 0 {
		t.Errorf("%d sessions kept, %d evicted; want about the 10000 that are not idle, and none", s.Len(), counts.count(Evicted))
	}
}

// The store must behave like a map without limits, for random sequences of calls.
func TestMemory_matchesMap(t *testing.T) {
	c := newClock()
	s := memory(t, Options{Entries: 1 << 20, Idle: 30 * time.Second, Now: c.now})
	type bound struct {
		key  model.EndpointKey
		seen int64
	}
	want := map[int]bound{}
	for range 200_000 {
		i := rand.IntN(300)
		w, ok := want[i]
		ok = ok && c.now()-w.seen < 30
		switch rand.IntN(8) {
		case 0:
			c.add(time.Duration(rand.IntN(3)) * time.Second)
		case 1:
			s.Forget(scope, id(i))
			delete(want, i)
		case 2, 3:
			key := model.EndpointKey{1, byte(rand.IntN(256))}
			s.Remember(scope, id(i), key)
			want[i] = bound{key, c.now()}
		default:
			key, found := s.Lookup(scope, id(i))
			if found != ok || ok && key != w.key {
				t.Fatalf("session %d: found %v, want %v", i, found, ok)
			}
			if ok {
				want[i] = bound{w.key, c.now()}
			}
		}
	}
}

func TestMemory_concurrentUse(t *testing.T) {
	s := memory(t, Options{Entries: 256})
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			for i := range 5000 {
				n := (i*7 + g) % 500
				s.Remember(scope, id(n), podA)
				if key, ok := s.Lookup(scope, id(n)); ok && key != podA {
					t.Errorf("session %d is bound to %x", n, key)
				}
				if i%3 == 0 {
					s.Forget(scope, id(n))
				}
			}
		})
	}
	group.Wait()
}

func TestLookup_inMemoryAllocatesNothing(t *testing.T) {
	s := memory(t, Options{})
	known, unknown, long := id(1), id(2), make([]byte, 5000)
	s.Remember(scope, known, podA)
	for name, key := range map[string][]byte{"known": known, "unknown": unknown, "long": long} {
		id := learnedID(scope, key)
		if n := testing.AllocsPerRun(100, func() { s.Store.Lookup(id) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestEntryBytes(t *testing.T) {
	const sessions = 200_000
	before := heap()
	s := memory(t, Options{Entries: 1 << 30, Bytes: 1 << 40})
	for i := range sessions {
		s.Remember(scope, id(i), podA)
	}
	took := float64(heap()-before) / sessions
	runtime.KeepAlive(s)
	t.Logf("%.0f bytes a session", took)
	if took > entryBytes {
		t.Errorf("a session uses %.0f bytes, more than entryBytes = %d", took, entryBytes)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
