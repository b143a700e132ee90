package store

import (
	"testing"

	"github.com/limpet-dev/limpet/pkg/affinity"
)

const now = int64(1_800_000_000)

// testTable returns a table with one session that is bound to podA and acknowledged by the shared store.
func testTable(t *testing.T) (*table, session) {
	t.Helper()
	o := Options{}.withDefaults()
	tab, one := o.newTable(), sessionOf(learnedID(scope, id(1)))
	tab.bind(one, podA, now)
	tab.write(one.id)
	if st := tab.lookup(one, now, false); st.dirty || st.queued || !st.inSync || st.key != podA {
		t.Fatalf("after acknowledge: %+v", st)
	}
	return tab, one
}

// write does what the writing goroutine does if the write succeeds.
func (t *table) write(id sessionHash) {
	if b, ok := t.takeForWrite(id); ok {
		t.acknowledge(id, b.key)
	}
}

func TestTable_invalidate(t *testing.T) {
	tab, one := testTable(t)
	tab.invalidate(hashOf(scope, id(2)), now)
	if !tab.lookup(one, now, false).inSync {
		t.Error("invalidating one session affected another")
	}
	tab.invalidate(one.id, now)
	if tab.lookup(one, now, false).inSync {
		t.Error("the invalidated session is still in sync")
	}
}

func TestTable_invalidateAll(t *testing.T) {
	tab, one := testTable(t)
	tab.invalidateAll()
	if st := tab.lookup(one, now, false); st.inSync || st.key != podA {
		t.Errorf("after a lost connection: %+v, want podA, not in sync", st)
	}
}

func TestTable_adopt(t *testing.T) {
	tab, one := testTable(t)
	tab.invalidate(one.id, now)
	st := tab.lookup(one, now, false)
	if got := tab.adopt(one, binding{podB, now}, st.epoch, now); got.key != podB {
		t.Errorf("adopt = %x", got.key)
	}
	if st := tab.lookup(one, now, false); !st.inSync || st.key != podB || st.dirty {
		t.Errorf("after adopt: %+v", st)
	}
}

func TestTable_adoptAfterInvalidation(t *testing.T) {
	for name, change := range map[string]func(*table, sessionHash){
		"of the session":  func(t *table, id sessionHash) { t.invalidate(id, now) },
		"of all sessions": func(t *table, _ sessionHash) { t.invalidateAll() },
	} {
		t.Run(name, func(t *testing.T) {
			tab, one := testTable(t)
			tab.invalidate(one.id, now)
			st := tab.lookup(one, now, false)
			change(tab, one.id)
			tab.adopt(one, binding{podB, now}, st.epoch, now)
			if st := tab.lookup(one, now, false); st.inSync || st.key != podB {
				t.Errorf("%+v, want podB, not in sync", st)
			}
		})
	}
}

func TestTable_adoptKeepsDirtyBinding(t *testing.T) {
	tab, one := testTable(t)
	tab.invalidate(one.id, now)
	st := tab.lookup(one, now, false)
	tab.bind(one, podB, now)
	if got := tab.adopt(one, binding{podA, now}, st.epoch, now); got.key != podB {
		t.Errorf("adopt = %x, want podB, the dirty binding", got.key)
	}
}

func TestTable_invalidateDuringWrite(t *testing.T) {
	tab, one := testTable(t)
	tab.bind(one, podB, now)
	b, _ := tab.takeForWrite(one.id)
	tab.invalidate(one.id, now)
	if st := tab.lookup(one, now, false); !st.dirty || st.key != podB {
		t.Errorf("during the write: %+v, want podB", st)
	}
	tab.acknowledge(one.id, b.key)
	if tab.lookup(one, now, false).inSync {
		t.Error("the invalidation was lost")
	}
}

func TestTable_lastBindingIsWritten(t *testing.T) {
	tab, one := testTable(t)
	if tab.bind(one, podB, now) || !tab.bind(one, podA, now) {
		t.Error("bind must queue the session exactly once")
	}
	b, ok := tab.takeForWrite(one.id)
	if !ok || b.key != podA {
		t.Errorf("take = %x, %v, want podA", b.key, ok)
	}
	tab.bind(one, podB, now)
	tab.acknowledge(one.id, b.key)
	if !tab.lookup(one, now, false).dirty {
		t.Error("podB was acknowledged, but podA was written")
	}
}

func TestTable_retry(t *testing.T) {
	tab, one := testTable(t)
	if tab.retry(one.id) {
		t.Error("retry = true for an acknowledged binding")
	}
	tab.bind(one, podB, now)
	tab.takeForWrite(one.id)
	if !tab.retry(one.id) || tab.retry(one.id) {
		t.Error("retry must queue a dirty binding exactly once")
	}
}

func TestTable_markMissing(t *testing.T) {
	tab, one := testTable(t)
	if !tab.markMissing(one.id) || tab.markMissing(one.id) {
		t.Error("markMissing must queue the session exactly once")
	}
	if b, ok := tab.takeForWrite(one.id); !ok || b.key != podA {
		t.Errorf("take = %x, %v, want podA", b.key, ok)
	}
}

func TestTable_unknownSessions(t *testing.T) {
	tab, _ := testTable(t)
	two := hashOf(scope, id(2))
	_, ok := tab.takeForWrite(two)
	if ok || tab.retry(two) || tab.markMissing(two) {
		t.Error("a write is queued for an unknown session")
	}
	tab.acknowledge(two, podA)
	tab.renew(two, now)
	tab.invalidate(two, now)
	if tab.len() != 1 {
		t.Errorf("%d sessions, want 1", tab.len())
	}
}

func TestKeyNames(t *testing.T) {
	one := hashOf(scope, id(1))
	c := &client{prefix: "limpet:2:"}
	if got, ok := idOf(c.prefix, c.name(one)); !ok || got != one {
		t.Errorf("idOf(name) = %x, %v", got, ok)
	}
	for _, name := range []string{"", "limpet:2:", "limpet:1:" + c.name(one)[9:], c.name(one) + "0", c.name(one)[:40] + "g",
		"other"} {
		if _, ok := idOf(c.prefix, name); ok {
			t.Errorf("idOf(%q) succeeded, want an error", name)
		}
	}
}

func TestTTL(t *testing.T) {
	tab := newTable(64, 3600, nil, nil)
	for life, want := range map[affinity.Lifetime]int64{
		{}:                          4_500_000, // renewed once per quarter of an hour
		{Idle: 1}:                   1000,
		{Idle: 60}:                  60_000,
		{Idle: 60, Absolute: 40}:    30_000,
		{Absolute: 40}:              30_000,
		{Absolute: 10}:              1,
		{Absolute: 1 << 40}:         maxTTL * 1000,
		{Idle: 20, Absolute: 86400}: 20_000,
	} {
		if got := tab.ttl(now-10, now, life); got != want {
			t.Errorf("%+v: %d ms, want %d", life, got, want)
		}
	}
}
