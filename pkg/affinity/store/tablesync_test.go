package store

import (
	"testing"
)

const now = int64(1_800_000_000)

// testTable returns a table with one session that is bound to podA and acknowledged by the shared store.
func testTable(t *testing.T) (*table, sessionHash) {
	t.Helper()
	o := Options{}.withDefaults()
	tab, one := newTable(&o), hashOf(scope, id(1))
	tab.bind(one, podA, now)
	tab.write(one)
	if st := tab.lookup(one, now); st.dirty || st.queued || !st.inSync || st.key != podA {
		t.Fatalf("after acknowledge: %+v", st)
	}
	return tab, one
}

// write does what the writing goroutine does if the write succeeds.
func (t *table) write(id sessionHash) {
	if key, ok := t.takeForWrite(id); ok {
		t.acknowledge(id, key)
	}
}

func TestTable_invalidate(t *testing.T) {
	tab, one := testTable(t)
	tab.invalidate(hashOf(scope, id(2)))
	if !tab.lookup(one, now).inSync {
		t.Error("invalidating one session affected another")
	}
	tab.invalidate(one)
	if tab.lookup(one, now).inSync {
		t.Error("the invalidated session is still in sync")
	}
}

func TestTable_invalidateAll(t *testing.T) {
	tab, one := testTable(t)
	tab.invalidateAll()
	if st := tab.lookup(one, now); st.inSync || st.key != podA {
		t.Errorf("after a lost connection: %+v, want podA, not in sync", st)
	}
}

func TestTable_adopt(t *testing.T) {
	tab, one := testTable(t)
	tab.invalidate(one)
	st := tab.lookup(one, now)
	if got := tab.adopt(one, podB, st.epoch, now); got != podB {
		t.Errorf("adopt = %x", got)
	}
	if st := tab.lookup(one, now); !st.inSync || st.key != podB || st.dirty {
		t.Errorf("after adopt: %+v", st)
	}
}

func TestTable_adoptAfterInvalidation(t *testing.T) {
	for name, change := range map[string]func(*table, sessionHash){
		"of the session":  (*table).invalidate,
		"of all sessions": func(t *table, _ sessionHash) { t.invalidateAll() },
	} {
		t.Run(name, func(t *testing.T) {
			tab, one := testTable(t)
			tab.invalidate(one)
			st := tab.lookup(one, now)
			change(tab, one)
			tab.adopt(one, podB, st.epoch, now)
			if st := tab.lookup(one, now); st.inSync || st.key != podB {
				t.Errorf("%+v, want podB, not in sync", st)
			}
		})
	}
}

func TestTable_adoptKeepsDirtyBinding(t *testing.T) {
	tab, one := testTable(t)
	tab.invalidate(one)
	st := tab.lookup(one, now)
	tab.bind(one, podB, now)
	if got := tab.adopt(one, podA, st.epoch, now); got != podB {
		t.Errorf("adopt = %x, want podB, the dirty binding", got)
	}
}

func TestTable_invalidateDuringWrite(t *testing.T) {
	tab, one := testTable(t)
	tab.bind(one, podB, now)
	key, _ := tab.takeForWrite(one)
	tab.invalidate(one)
	if st := tab.lookup(one, now); !st.dirty || st.key != podB {
		t.Errorf("during the write: %+v, want podB", st)
	}
	tab.acknowledge(one, key)
	if tab.lookup(one, now).inSync {
		t.Error("the invalidation was lost")
	}
}

func TestTable_lastBindingIsWritten(t *testing.T) {
	tab, one := testTable(t)
	if tab.bind(one, podB, now) || !tab.bind(one, podA, now) {
		t.Error("bind must queue the session exactly once")
	}
	key, ok := tab.takeForWrite(one)
	if !ok || key != podA {
		t.Errorf("take = %x, %v, want podA", key, ok)
	}
	tab.bind(one, podB, now)
	tab.acknowledge(one, key)
	if !tab.lookup(one, now).dirty {
		t.Error("podB was acknowledged, but podA was written")
	}
}

func TestTable_retry(t *testing.T) {
	tab, one := testTable(t)
	if tab.retry(one) {
		t.Error("retry = true for an acknowledged binding")
	}
	tab.bind(one, podB, now)
	tab.takeForWrite(one)
	if !tab.retry(one) || tab.retry(one) {
		t.Error("retry must queue a dirty binding exactly once")
	}
}

func TestTable_markMissing(t *testing.T) {
	tab, one := testTable(t)
	if !tab.markMissing(one) || tab.markMissing(one) {
		t.Error("markMissing must queue the session exactly once")
	}
	if key, ok := tab.takeForWrite(one); !ok || key != podA {
		t.Errorf("take = %x, %v, want podA", key, ok)
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
	tab.invalidate(two)
	if tab.len() != 1 {
		t.Errorf("%d sessions, want 1", tab.len())
	}
}

func TestKeyNames(t *testing.T) {
	one := hashOf(scope, id(1))
	c := &client{prefix: "limpet:1:"}
	if got, ok := idOf(c.prefix, c.name(one)); !ok || got != one {
		t.Errorf("idOf(name) = %x, %v", got, ok)
	}
	for _, name := range []string{"", "limpet:1:", "limpet:2:" + c.name(one)[9:], c.name(one) + "0", c.name(one)[:40] + "g",
		"other"} {
		if _, ok := idOf(c.prefix, name); ok {
			t.Errorf("idOf(%q) succeeded, want an error", name)
		}
	}
}

func TestLifetime(t *testing.T) {
	for idle, want := range map[int64]int64{1: 2000, 3: 4000, 8: 10_000, 3600: 4_500_000} {
		if got := lifetime(idle); got != want {
			t.Errorf("lifetime(%d) = %d ms, want %d", idle, got, want)
		}
	}
}
