package store

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
)

// tenant returns an id of a policy.
func tenant(policy uint64, i int) *affinity.LearnedID {
	return &affinity.LearnedID{Scope: policy, Policy: policy, ID: id(i)}
}

func TestMemory_policiesDoNotEvictEachOther(t *testing.T) {
	// Shares are counted in each of 64 shards. With 22 of 50 sessions in a shard on average, none exceeds its share by chance.
	const few = 1400
	var counts events
	s := memory(t, Options{Entries: 6400, Observe: counts.observe}).Store
	for i := range few {
		s.Remember(tenant(1, i), podA)
	}
	for i := range 50_000 {
		s.Remember(tenant(2, i), podB)
		s.Lookup(tenant(2, i)) // in use, unlike those of the other policy
	}
	for i := range few {
		if s.Lookup(tenant(1, i)).State != alive {
			t.Fatalf("session %d of a policy below its share was evicted by another policy", i)
		}
	}
	if s.(*Memory).Len() != 6400 {
		t.Errorf("%d sessions, want 6400: one policy may use what others do not", s.(*Memory).Len())
	}
	for i := range 6400 {
		s.Remember(tenant(3, i), podA)
	}
	kept := 0
	for i := range 6400 {
		if s.Lookup(tenant(3, i)).State == alive {
			kept++
		}
	}
	if kept < 1900 { // the third policy gets its share of 2133 from the second one
		t.Errorf("a policy that came late has %d sessions, want about a third of 6400", kept)
	}
}

// The lists of the quotas stay consistent for random sequences of calls.
func TestShard_quotaLists(t *testing.T) {
	c := newClock()
	m := memory(t, Options{Entries: 64 * 40, Idle: 20 * time.Second, Now: c.now}).Store.(*Memory)
	for range 50_000 {
		one := tenant(rand.Uint64N(12), rand.IntN(3000))
		switch rand.IntN(8) {
		case 0:
			c.add(time.Duration(rand.IntN(2)) * time.Second)
		case 1:
			m.Forget(one)
		case 2:
			m.Lookup(one)
		default:
			m.Remember(one, podA)
		}
	}
	for i := range m.table.shards {
		if err := m.table.shards[i].check(); err != nil {
			t.Fatalf("shard %d: %v", i, err)
		}
	}
}

// check walks the list of each quota.
func (s *shard) check() error {
	total := 0
	for policy, at := range s.quotas.byPolicy {
		q := s.quotas.list[at]
		n, slot := int32(0), q.hand
		for ; n < q.count; n++ {
			e := &s.slots[slot]
			if e.quota != at || s.slots[e.next].prev != slot || s.index[e.id] != slot {
				return fmt.Errorf("policy %d: inconsistent entry in slot %d", policy, slot)
			}
			slot = e.next
		}
		if slot != q.hand || q.count == 0 {
			return fmt.Errorf("policy %d: the list does not have %d entries", policy, q.count)
		}
		total += int(n)
	}
	if total != len(s.slots) || total > s.limit {
		return fmt.Errorf("%d entries in lists, %d slots, limit %d", total, len(s.slots), s.limit)
	}
	return nil
}

// send does what happens to an unknown id in a request and its response.
func send(s affinity.Store, id *affinity.LearnedID, accepted bool) affinity.LearnedState {
	found := resolve(s, id)
	if found.State != alive {
		s.Returned(id, podA, accepted)
	}
	return found.State
}

func TestReturned_bindsOnSecondUse(t *testing.T) {
	server := startRedis(t)
	for name, s := range map[string]affinity.Store{
		"memory": memory(t, Options{}).Store, "shared": open(t, server.url()).Store,
	} {
		for i, c := range []struct {
			accepted []bool
			want     affinity.LearnedState
		}{
			{[]bool{true}, unknown}, {[]bool{true, true}, alive}, {[]bool{true, false}, alive},
			{[]bool{false, false, false}, unknown}, {[]bool{false, true}, unknown}, {[]bool{false, true, false}, alive},
		} {
			one := learnedID(scope, id(i))
			for _, accepted := range c.accepted {
				send(s, one, accepted)
			}
			if got := resolve(s, one).State; got != c.want {
				t.Errorf("%s, accepted %v: state %d, want %d", name, c.accepted, got, c.want)
			}
		}
	}
}

func TestShared_inventedIDs(t *testing.T) {
	server := startRedis(t)
	one := open(t, server.url())
	one.Remember(scope, id(1), podA)
	one.waitWritten(t)
	for i := range 20_000 {
		send(one.Store, learnedID(scope, fmt.Appendf(nil, "invented-%d", i)), true)
	}
	if size := server.must(t, "DBSIZE"); size != ":1" {
		t.Errorf("%s keys after 20000 invented ids, want 1", size)
	}
	if n := one.events.count(Asked); n > policyLookups {
		t.Errorf("%d queries within a second, want at most %d", n, policyLookups)
	}
	if one.events.count(Limited) == 0 || one.Len() != 1 {
		t.Errorf("%d lookups were limited, %d sessions in memory", one.events.count(Limited), one.Len())
	}
}

// Invented ids that are sent again are bound, but their rate is limited.
func TestShared_inventedIDsTwice(t *testing.T) {
	server := startRedis(t)
	one := open(t, server.url())
	for i := range 1000 {
		invented := learnedID(scope, fmt.Appendf(nil, "invented-%d", i))
		send(one.Store, invented, true)
		send(one.Store, invented, true)
	}
	one.waitWritten(t)
	if n := one.Len(); n != policyWrites {
		t.Errorf("%d ids bound within a second, want %d", n, policyWrites)
	}
}

// The flood of one client does not keep another client from its session.
func TestShared_limitsPerClient(t *testing.T) {
	server := startRedis(t)
	one, two := open(t, server.url()), open(t, server.url())
	one.Remember(scope, id(1), podA)
	one.waitWritten(t)
	for i := range 5000 {
		invented := learnedID(scope, fmt.Appendf(nil, "invented-%d", i))
		invented.Client = 666
		send(two.Store, invented, true)
	}
	if n := two.events.count(Asked); n != clientLookups {
		t.Errorf("%d queries for one client within a second, want %d", n, clientLookups)
	}
	known := learnedID(scope, id(1))
	known.Client = 1
	if got := resolve(two.Store, known); got.Endpoint != podA {
		t.Errorf("the session of another client: %+v, want podA", got)
	}
}

func TestShared_unknownIDQueriedOnce(t *testing.T) {
	server := startRedis(t)
	one, two := open(t, server.url()), open(t, server.url())
	for range 10 {
		wantPod(t, two, id(1), none)
	}
	if n := two.events.count(Asked); n != 1 {
		t.Errorf("%d queries for one unknown id, want 1", n)
	}
	one.Remember(scope, id(1), podA)
	eventually(t, "the session that another replica has bound since", func() bool {
		key, _ := two.Lookup(scope, id(1))
		return key == podA
	})
}

// An id is not bound while the shared store cannot be queried, because another replica may have bound it.
func TestReturned_storeUnavailable(t *testing.T) {
	server := startRedis(t)
	server.kill()
	one := open(t, server.url())
	for range 3 {
		send(one.Store, learnedID(scope, id(1)), true)
	}
	if one.Len() != 0 {
		t.Error("an id was bound although the shared store may have it")
	}
}

func TestForget_unknownID(t *testing.T) {
	server := startRedis(t)
	one := open(t, server.url())
	for i := range 100 {
		one.Forget(scope, id(i))
	}
	one.Remember(scope, id(200), podA)
	one.waitWritten(t)
	if size := server.must(t, "DBSIZE"); size != ":1" {
		t.Errorf("%s keys after releases of unknown ids, want 1", size)
	}
}

// An id that was released and that the client uses again is bound like an unknown one.
func TestReturned_afterRelease(t *testing.T) {
	server := startRedis(t)
	for name, s := range map[string]affinity.Store{
		"memory": memory(t, Options{}).Store, "shared": open(t, server.url()).Store,
	} {
		one := learnedID(scope, id(1))
		s.Remember(one, podB)
		s.Forget(one)
		for i, want := range []affinity.LearnedState{unknown, unknown, alive} {
			if got := send(s, one, true); got != want {
				t.Errorf("%s, request %d: state %d, want %d", name, i, got, want)
			}
		}
	}
}

func TestLimiter(t *testing.T) {
	l, one, other := newLimiter(2, 3), tenant(1, 1), tenant(1, 1)
	one.Client, other.Client = 1, 2
	for i, want := range []bool{true, true, false, false} {
		if l.take(one, now) != want {
			t.Errorf("take %d of one client: %v", i, !want)
		}
	}
	if !l.take(other, now) || l.take(other, now) {
		t.Error("the policy must allow exactly one more")
	}
	if l.allows(other, now) || !l.allows(other, now+1) || !l.take(other, now+1) {
		t.Error("the policy must allow more in the next second only")
	}
}
