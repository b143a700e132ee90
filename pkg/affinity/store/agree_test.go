package store

import (
	"testing"
)

const now = int64(1_800_000_000)

// testTable has one session that the shared store has taken: it is bound to podA.
func testTable(t *testing.T) (*table, sum) {
	t.Helper()
	o := Options{}.withDefaults()
	tab, one := newTable(&o), sumOf(scope, id(1))
	tab.bind(one, podA, now)
	tab.write(one)
	if st := tab.lookup(one, now); st.dirty || st.queued || !st.agreed || st.key != podA {
		t.Fatalf("a binding that was taken: %+v", st)
	}
	return tab, one
}

// write does what the goroutine that writes does when all goes well.
func (t *table) write(id sum) {
	if key, ok := t.take(id); ok {
		t.taken(id, key)
	}
}

func TestWhatIsKnownAgreesUntilTheStoreTellsOfAChange(t *testing.T) {
	tab, one := testTable(t)
	tab.changed(sumOf(scope, id(2)))
	if !tab.lookup(one, now).agreed {
		t.Error("a change of one session made another one doubtful")
	}
	tab.changed(one)
	if tab.lookup(one, now).agreed {
		t.Error("a change went unnoticed")
	}
}

func TestNothingAgreesOnceNewsMayBeLost(t *testing.T) {
	tab, one := testTable(t)
	tab.changedAll()
	if st := tab.lookup(one, now); st.agreed || st.key != podA {
		t.Errorf("after a lost connection: %+v, want podA, and not agreed", st)
	}
}

func TestAnAnswerIsAdopted(t *testing.T) {
	tab, one := testTable(t)
	tab.changed(one)
	st := tab.lookup(one, now)
	if got := tab.adopt(one, podB, st.epoch, now); got != podB {
		t.Errorf("adopt = %x", got)
	}
	if st := tab.lookup(one, now); !st.agreed || st.key != podB || st.dirty {
		t.Errorf("after adopt: %+v", st)
	}
}

func TestAnAnswerThatAChangeHasOvertakenIsAskedForAgain(t *testing.T) {
	for name, change := range map[string]func(*table, sum){
		"of the session":  (*table).changed,
		"of all sessions": func(t *table, _ sum) { t.changedAll() },
	} {
		t.Run(name, func(t *testing.T) {
			tab, one := testTable(t)
			tab.changed(one)
			st := tab.lookup(one, now)
			change(tab, one)
			tab.adopt(one, podB, st.epoch, now)
			if st := tab.lookup(one, now); st.agreed || st.key != podB {
				t.Errorf("%+v, want podB, not agreed", st)
			}
		})
	}
}

func TestABindingMadeHereBeatsAnOlderAnswer(t *testing.T) {
	tab, one := testTable(t)
	tab.changed(one)
	st := tab.lookup(one, now)
	tab.bind(one, podB, now)
	if got := tab.adopt(one, podA, st.epoch, now); got != podB {
		t.Errorf("adopt = %x, want podB, which was bound meanwhile", got)
	}
}

func TestAChangeToldWhileABindingIsWrittenIsNotForgotten(t *testing.T) {
	tab, one := testTable(t)
	tab.bind(one, podB, now)
	key, _ := tab.take(one)
	tab.changed(one)
	if st := tab.lookup(one, now); !st.dirty || st.key != podB {
		t.Errorf("while it is written: %+v, want podB", st)
	}
	tab.taken(one, key)
	if tab.lookup(one, now).agreed {
		t.Error("the change was forgotten")
	}
}

func TestTheLastBindingIsWrittenWhateverTheOrderOfTheQueue(t *testing.T) {
	tab, one := testTable(t)
	if tab.bind(one, podB, now) || !tab.bind(one, podA, now) {
		t.Error("a session must be queued once, not never and not twice")
	}
	key, ok := tab.take(one)
	if !ok || key != podA {
		t.Errorf("take = %x, %v, want podA", key, ok)
	}
	tab.bind(one, podB, now)
	tab.taken(one, key)
	if !tab.lookup(one, now).dirty {
		t.Error("podB counts as written, but podA was")
	}
}

func TestABindingThatCouldNotBeWrittenIsRetriedOnce(t *testing.T) {
	tab, one := testTable(t)
	if tab.retry(one) {
		t.Error("a binding that was taken is to be written again")
	}
	tab.bind(one, podB, now)
	tab.take(one)
	if !tab.retry(one) || tab.retry(one) {
		t.Error("a binding that was not taken must be queued once more, and once")
	}
}

func TestASessionThatTheStoreHasLostIsWrittenBack(t *testing.T) {
	tab, one := testTable(t)
	if !tab.lost(one) || tab.lost(one) {
		t.Error("a lost session must be queued once")
	}
	if key, ok := tab.take(one); !ok || key != podA {
		t.Errorf("take = %x, %v, want podA", key, ok)
	}
}

func TestEditsOfUnknownSessionsDoNothing(t *testing.T) {
	tab, _ := testTable(t)
	two := sumOf(scope, id(2))
	_, ok := tab.take(two)
	if ok || tab.retry(two) || tab.lost(two) {
		t.Error("there is something to write for a session that is not known")
	}
	tab.taken(two, podA)
	tab.renew(two, now)
	tab.changed(two)
	if tab.len() != 1 {
		t.Errorf("%d sessions, want 1", tab.len())
	}
}

func TestNamesOfKeys(t *testing.T) {
	one := sumOf(scope, id(1))
	c := &client{prefix: "limpet:1:"}
	if got, ok := idOf(c.prefix, c.name(one)); !ok || got != one {
		t.Errorf("idOf(name) = %x, %v", got, ok)
	}
	for _, name := range []string{"", "limpet:1:", "limpet:2:" + c.name(one)[9:], c.name(one) + "0", c.name(one)[:40] + "g",
		"other"} {
		if _, ok := idOf(c.prefix, name); ok {
			t.Errorf("%q passes for a key", name)
		}
	}
}

func TestTheStoreKeepsASessionAQuarterLongerThanIdle(t *testing.T) {
	for idle, want := range map[int64]int64{1: 2000, 3: 4000, 8: 10_000, 3600: 4_500_000} {
		if got := lifetime(idle); got != want {
			t.Errorf("lifetime(%d) = %d ms, want %d", idle, got, want)
		}
	}
}
