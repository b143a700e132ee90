package store

import (
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

func TestReplicasShareBindings(t *testing.T) {
	server := startRedis(t)
	one, two := open(t, server.url()), open(t, server.url())
	for i := range 300 {
		one.Remember(scope, id(i), model.KeyOf(string(id(i))))
	}
	one.settled(t)
	for i := range 300 {
		wantPod(t, two, id(i), model.KeyOf(string(id(i))))
	}
	wantPod(t, two, id(1000), none)
	if n := one.events.count(Written); n != 300 {
		t.Errorf("%d written, want 300", n)
	}
}

func TestAReplicaAsksOnce(t *testing.T) {
	server := startRedis(t)
	one, two := open(t, server.url()), open(t, server.url())
	one.Remember(scope, id(1), podA)
	one.settled(t)
	for range 100 {
		wantPod(t, one, id(1), podA)
	}
	if n := one.events.count(Asked); n != 0 {
		t.Errorf("asked %d times for a session that was bound here", n)
	}
	wantPod(t, two, id(1), podA)
	// Two tells the store that the session is used, which is news to one only.
	eventually(t, "the renewal", func() bool { return two.events.count(Written) == 1 })
	for range 100 {
		wantPod(t, two, id(1), podA)
	}
	if n := two.events.count(Asked); n != 1 {
		t.Errorf("asked %d times, want 1", n)
	}
}

func TestAReplicaHearsOfAMove(t *testing.T) {
	server := startRedis(t)
	one, two := open(t, server.url()), open(t, server.url())
	one.Remember(scope, id(1), podA)
	one.settled(t)
	wantPod(t, two, id(1), podA)
	two.Remember(scope, id(1), podB)
	wantPod(t, two, id(1), podB)
	eventually(t, "the move on the other replica", func() bool {
		key, _ := one.Lookup(scope, id(1))
		return key == podB
	})
	wantPod(t, two, id(1), podB)
}

func TestAReplicaHearsOfARelease(t *testing.T) {
	server := startRedis(t)
	one, two, three := open(t, server.url()), open(t, server.url()), open(t, server.url())
	one.Remember(scope, id(1), podA)
	one.settled(t)
	wantPod(t, two, id(1), podA)
	two.Forget(scope, id(1))
	wantPod(t, two, id(1), none)
	two.settled(t)
	eventually(t, "the release on the other replica", func() bool { _, ok := one.Lookup(scope, id(1)); return !ok })
	wantPod(t, three, id(1), none)
	wantPod(t, one, id(1), none)
}

func TestReplicasThatBindOneSessionAgreeInTheEnd(t *testing.T) {
	server := startRedis(t)
	one, two := open(t, server.url()), open(t, server.url())
	for round := range 100 {
		go one.Remember(scope, id(round), podA)
		two.Remember(scope, id(round), podB)
	}
	one.settled(t)
	two.settled(t)
	for i := range 100 {
		eventually(t, "one binding on both replicas", func() bool {
			a, _ := one.Lookup(scope, id(i))
			b, _ := two.Lookup(scope, id(i))
			return a == b && a != none
		})
	}
}

func TestWhatTheStoreHoldsTellsNeitherIdsNorPods(t *testing.T) {
	server := startRedis(t)
	one := open(t, server.url()+"/3?prefix=blue:")
	one.Remember(scope, []byte("JSESSIONID-of-alice"), podA)
	one.settled(t)
	c := client{prefix: "blue:1:"}
	name := c.name(sumOf(scope, []byte("JSESSIONID-of-alice")))
	if size := server.must(t, "DBSIZE"); size != ":0" {
		t.Errorf("database 0 has %s keys, want none", size)
	}
	other := open(t, server.url()+"/3")
	wantPod(t, other, []byte("JSESSIONID-of-alice"), none)
	if strings.Contains(name, "alice") || len(name) != len("blue:1:")+32 {
		t.Errorf("the key is %q", name)
	}
	wantPod(t, open(t, server.url()+"/3?prefix=blue:"), []byte("JSESSIONID-of-alice"), podA)
}

func TestTheStoreEndsSessionsByItself(t *testing.T) {
	server := startRedis(t)
	one := open(t, server.url(), func(o *Options) { o.Idle = 40 * time.Second })
	one.Remember(scope, id(1), podA)
	one.settled(t)
	name := (&client{prefix: "limpet:1:"}).name(sumOf(scope, id(1)))
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

func TestASessionThatTheStoreHasLostComesBack(t *testing.T) {
	server := startRedis(t)
	one, two := open(t, server.url()), open(t, server.url())
	one.Remember(scope, id(1), podA)
	one.settled(t)
	server.must(t, "FLUSHALL")
	wantPod(t, two, id(1), none)
	eventually(t, "the session on the other replica", func() bool {
		wantPod(t, one, id(1), podA)
		key, _ := two.Lookup(scope, id(1))
		return key == podA
	})
}

func TestARenewalBringsBackASessionThatTheStoreHasLostUnheard(t *testing.T) {
	server := startRedis(t)
	one, two := open(t, server.url()), open(t, server.url())
	one.Remember(scope, id(1), podA)
	one.settled(t)
	name := (&client{prefix: "limpet:1:"}).name(sumOf(scope, id(1)))
	server.must(t, "DEL", name)
	one.clock.add(time.Hour / 2)
	wantPod(t, one, id(1), podA)
	eventually(t, "the session on the other replica", func() bool {
		key, _ := two.Lookup(scope, id(1))
		return key == podA
	})
}

func TestValuesOfOthersAreNotFound(t *testing.T) {
	server := startRedis(t)
	one := open(t, server.url())
	c := &client{prefix: "limpet:1:"}
	server.must(t, "SET", c.name(sumOf(scope, id(1))), "short")
	server.must(t, "SET", c.name(sumOf(scope, id(2))), "seventeen-bytes-x")
	server.must(t, "LPUSH", c.name(sumOf(scope, id(3))), "x")
	for i := range 3 {
		wantPod(t, one, id(i+1), none)
	}
	if n := one.events.count(Down); n != 0 {
		t.Error("what others wrote made the store count as down")
	}
}

func TestAStoreThatRefusesWritesIsStillRead(t *testing.T) {
	server := startRedis(t)
	one, two := open(t, server.url()), open(t, server.url())
	one.Remember(scope, id(1), podA)
	one.settled(t)
	server.must(t, "CONFIG", "SET", "maxmemory", "1")
	two.Remember(scope, id(2), podB)
	eventually(t, "a refusal", func() bool { return two.log.count("refuses writes") == 1 })
	wantPod(t, two, id(1), podA)
	wantPod(t, two, id(2), podB)
	server.must(t, "CONFIG", "SET", "maxmemory", "0")
	wantPod(t, two, id(2), podB)
	two.settled(t)
	wantPod(t, one, id(2), podB)
	eventually(t, "the end of the refusals", func() bool {
		two.clock.add(calm * time.Second)
		two.Remember(scope, id(3), podB)
		return two.log.count("accepts writes") == 1
	})
	if two.events.count(Down) != 0 {
		t.Errorf("a store that refuses writes counts as down: %q", two.log.all())
	}
}

func TestCloseWritesWhatWaits(t *testing.T) {
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
