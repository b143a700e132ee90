package store

import (
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

func TestShared_bindings(t *testing.T) {
	server := startRedis(t)
	one, two := open(t, server.url()), open(t, server.url())
	for i := range 300 {
		one.Remember(scope, id(i), model.KeyOf(string(id(i))))
	}
	one.waitWritten(t)
	for i := range 300 {
		wantPod(t, two, id(i), model.KeyOf(string(id(i))))
	}
	wantPod(t, two, id(1000), none)
	if n := one.events.count(Written); n != 300 {
		t.Errorf("%d written, want 300", n)
	}
}

func TestShared_queriesOnce(t *testing.T) {
	server := startRedis(t)
	one, two := open(t, server.url()), open(t, server.url())
	one.Remember(scope, id(1), podA)
	one.waitWritten(t)
	for range 100 {
		wantPod(t, one, id(1), podA)
	}
	if n := one.events.count(Asked); n != 0 {
		t.Errorf("%d queries for a session bound on this replica, want 0", n)
	}
	wantPod(t, two, id(1), podA)
	// Two renews the session in the store, which invalidates it on one.
	eventually(t, "the renewal", func() bool { return two.events.count(Written) == 1 })
	for range 100 {
		wantPod(t, two, id(1), podA)
	}
	if n := two.events.count(Asked); n != 1 {
		t.Errorf("%d queries, want 1", n)
	}
}

func TestShared_move(t *testing.T) {
	server := startRedis(t)
	one, two := open(t, server.url()), open(t, server.url())
	one.Remember(scope, id(1), podA)
	one.waitWritten(t)
	wantPod(t, two, id(1), podA)
	two.Remember(scope, id(1), podB)
	wantPod(t, two, id(1), podB)
	eventually(t, "the move on the other replica", func() bool {
		key, _ := one.Lookup(scope, id(1))
		return key == podB
	})
	wantPod(t, two, id(1), podB)
}

func TestShared_release(t *testing.T) {
	server := startRedis(t)
	one, two, three := open(t, server.url()), open(t, server.url()), open(t, server.url())
	one.Remember(scope, id(1), podA)
	one.waitWritten(t)
	wantPod(t, two, id(1), podA)
	two.Forget(scope, id(1))
	wantPod(t, two, id(1), none)
	two.waitWritten(t)
	eventually(t, "the release on the other replica", func() bool { _, ok := one.Lookup(scope, id(1)); return !ok })
	wantPod(t, three, id(1), none)
	wantPod(t, one, id(1), none)
}

func TestShared_concurrentBindings(t *testing.T) {
	server := startRedis(t)
	one, two := open(t, server.url()), open(t, server.url())
	for round := range 100 {
		go one.Remember(scope, id(round), podA)
		two.Remember(scope, id(round), podB)
	}
	one.waitWritten(t)
	two.waitWritten(t)
	for i := range 100 {
		eventually(t, "one binding on both replicas", func() bool {
			a, _ := one.Lookup(scope, id(i))
			b, _ := two.Lookup(scope, id(i))
			return a == b && a != none
		})
	}
}

func TestShared_storesNoSecrets(t *testing.T) {
	server := startRedis(t)
	one := open(t, server.url()+"/3?prefix=blue:")
	one.Remember(scope, []byte("JSESSIONID-of-alice"), podA)
	one.waitWritten(t)
	c := client{prefix: "blue:2:"}
	name := c.name(hashOf(scope, []byte("JSESSIONID-of-alice")))
	if size := server.must(t, "DBSIZE"); size != ":0" {
		t.Errorf("database 0 has %s keys, want none", size)
	}
	other := open(t, server.url()+"/3")
	wantPod(t, other, []byte("JSESSIONID-of-alice"), none)
	if strings.Contains(name, "alice") || len(name) != len("blue:2:")+32 {
		t.Errorf("the key is %q", name)
	}
	wantPod(t, open(t, server.url()+"/3?prefix=blue:"), []byte("JSESSIONID-of-alice"), podA)
}

func TestShared_ttl(t *testing.T) {
	server := startRedis(t)
	one := open(t, server.url(), func(o *Options) { o.Idle = 40 * time.Second })
	one.Remember(scope, id(1), podA)
	one.waitWritten(t)
	name := (&client{prefix: "limpet:2:"}).name(hashOf(scope, id(1)))
	if ttl := server.must(t, "TTL", name); ttl != ":50" {
		t.Errorf("TTL is %s, want 50", ttl)
	}
	server.must(t, "PEXPIRE", name, "20000")
	one.clock.add(9 * time.Second)
	wantPod(t, one, id(1), podA)
	one.clock.add(time.Second)
	wantPod(t, one, id(1), podA)
	eventually(t, "the renewal", func() bool { return server.must(t, "TTL", name) == ":50" })
}

// A renewal counts for all replicas. Otherwise each of them would renew each session.
func TestShared_renewsOnceForAllReplicas(t *testing.T) {
	server := startRedis(t)
	short := func(o *Options) { o.Idle = 40 * time.Second }
	one, two := open(t, server.url(), short), open(t, server.url(), short)
	one.Remember(scope, id(1), podA)
	one.waitWritten(t)
	wantPod(t, two, id(1), podA)
	eventually(t, "the renewal by two", func() bool { return two.events.count(Written) == 1 })
	table, session := one.Store.(*shared).table, sessionOf(learnedID(scope, id(1)))
	isInSync := func() bool { return table.lookup(session, one.clock.now(), true).inSync }
	eventually(t, "one notices the renewal", func() bool { return !isInSync() })
	wantPod(t, one, id(1), podA)
	for _, replica := range []*replica{one, two} {
		replica.clock.add(10 * time.Second) // renewals are due
	}
	wantPod(t, two, id(1), podA)
	eventually(t, "one notices the second renewal", func() bool { return !isInSync() })
	for range 100 {
		wantPod(t, one, id(1), podA)
	}
	one.Remember(scope, id(2), podA) // is written after a renewal that was queued
	one.waitWritten(t)
	eventually(t, "both bindings are counted", func() bool { return one.events.count(Written) >= 2 })
	if n := one.events.count(Written); n != 2 {
		t.Errorf("one has written %d times, want two bindings and no renewal", n)
	}
}

func TestShared_restoresLostSession(t *testing.T) {
	server := startRedis(t)
	one, two := open(t, server.url()), open(t, server.url())
	one.Remember(scope, id(1), podA)
	one.waitWritten(t)
	server.must(t, "FLUSHALL")
	wantPod(t, two, id(1), none)
	eventually(t, "the session on the other replica", func() bool {
		wantPod(t, one, id(1), podA)
		key, _ := two.Lookup(scope, id(1))
		return key == podA
	})
}

func TestShared_renewalRestoresLostSession(t *testing.T) {
	server := startRedis(t)
	one, two := open(t, server.url()), open(t, server.url())
	one.Remember(scope, id(1), podA)
	one.waitWritten(t)
	name := (&client{prefix: "limpet:2:"}).name(hashOf(scope, id(1)))
	server.must(t, "DEL", name)
	one.clock.add(time.Hour / 2)
	wantPod(t, one, id(1), podA)
	eventually(t, "the session on the other replica", func() bool {
		key, _ := two.Lookup(scope, id(1))
		return key == podA
	})
}

func TestShared_foreignValues(t *testing.T) {
	server := startRedis(t)
	one := open(t, server.url())
	c := &client{prefix: "limpet:2:"}
	server.must(t, "SET", c.name(hashOf(scope, id(1))), "short")
	server.must(t, "SET", c.name(hashOf(scope, id(2))), "seventeen-bytes-x")
	server.must(t, "LPUSH", c.name(hashOf(scope, id(3))), "x")
	for i := range 3 {
		wantPod(t, one, id(i+1), none)
	}
	if n := one.events.count(Down); n != 0 {
		t.Error("foreign values made the store unavailable")
	}
}

func TestShared_rejectedWrites(t *testing.T) {
	server := startRedis(t)
	one, two := open(t, server.url()), open(t, server.url())
	one.Remember(scope, id(1), podA)
	one.waitWritten(t)
	server.must(t, "CONFIG", "SET", "maxmemory", "1")
	two.Remember(scope, id(2), podB)
	eventually(t, "a rejection", func() bool { return two.log.count("rejects writes") == 1 })
	wantPod(t, two, id(1), podA)
	wantPod(t, two, id(2), podB)
	server.must(t, "CONFIG", "SET", "maxmemory", "0")
	wantPod(t, two, id(2), podB)
	two.waitWritten(t)
	wantPod(t, one, id(2), podB)
	eventually(t, "the end of the rejectionLog", func() bool {
		two.clock.add(quietPeriod * time.Second)
		two.Remember(scope, id(3), podB)
		return two.log.count("accepts writes") == 1
	})
	if two.events.count(Down) != 0 {
		t.Errorf("a store that rejects writes became unavailable: %q", two.log.all())
	}
}

func TestClose_flushesQueue(t *testing.T) {
	server := startRedis(t)
	one := open(t, server.url())
	for i := range 2000 {
		one.Remember(scope, id(i), podA)
	}
	one.Close()
	two := open(t, server.url())
	for i := range 2000 {
		wantPod(t, two, id(i), podA)
	}
	wantPod(t, one, id(1), podA)
	one.Remember(scope, id(5000), podB)
	wantPod(t, one, id(5000), podB)
}
