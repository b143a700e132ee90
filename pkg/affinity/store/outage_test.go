package store

import (
	"sync"
	"testing"
	"time"
)

// bound is the maximum duration of a Lookup during an outage: Wait, and slack for slow machines.
const bound = 50*time.Millisecond + 200*time.Millisecond

// withinWait fails the test if f takes longer than Wait allows.
func withinWait(t *testing.T, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if took := time.Since(start); took > bound {
		t.Errorf("a request was delayed by %v", took)
	}
}

func TestOutage_serverRestarts(t *testing.T) {
	server := startRedis(t)
	one, two := open(t, server.url(), defaultWait), open(t, server.url(), defaultWait)
	for i := range 300 {
		one.Remember(scope, id(i), podA)
	}
	one.waitWritten(t)
	eventually(t, "a session on the other replica", func() bool { _, ok := two.Lookup(scope, id(299)); return ok })

	server.kill()
	for i := range 300 {
		withinWait(t, func() { wantPod(t, one, id(i), podA) })
	}
	for i := range 20 {
		withinWait(t, func() { wantPod(t, two, id(i), none) })
	}
	wantPod(t, two, id(299), podA)
	eventually(t, "Down", func() bool { return two.events.count(Down) == 1 })
	asked := two.events.count(Failed)
	for i := range 1000 {
		two.Lookup(scope, id(1000+i))
	}
	if two.events.count(Failed) != asked || two.events.count(Skipped) < 1000 {
		t.Errorf("an unavailable store was queried %d times", two.events.count(Failed)-asked)
	}
	two.Remember(scope, id(500), podB)
	withinWait(t, func() { wantPod(t, two, id(500), podB) })

	server.start(t)
	eventually(t, "Up", func() bool { return one.events.count(Up) >= 1 && two.events.count(Up) == 2 })
	for i := range 300 {
		wantPod(t, one, id(i), podA)
	}
	wantPod(t, two, id(500), podB)
	eventually(t, "what one replica knew and the store had lost, on the other", func() bool {
		for i := range 300 {
			one.Lookup(scope, id(i))
			if key, _ := two.Lookup(scope, id(i)); key != podA {
				return false
			}
		}
		return true
	})
	eventually(t, "what was bound meanwhile, on the other", func() bool {
		two.Lookup(scope, id(500))
		key, _ := one.Lookup(scope, id(500))
		return key == podB
	})
	if two.log.count("is unavailable") != 1 || two.log.count("store is available") != 2 {
		t.Errorf("logged: %q, want each change once", two.log.all())
	}
}

func TestOutage_unresponsiveServer(t *testing.T) {
	server := startRedis(t)
	one := open(t, server.url(), defaultWait)
	one.Remember(scope, id(1), podA)
	one.waitWritten(t)
	server.freeze(t)
	t.Cleanup(func() { server.thaw(t) })
	var group sync.WaitGroup
	for g := range 50 {
		group.Go(func() {
			for i := range 20 {
				withinWait(t, func() { wantPod(t, one, id(1000*g+i+2), none) })
			}
		})
	}
	group.Wait()
	withinWait(t, func() { wantPod(t, one, id(1), podA) })
	if one.events.count(Down) != 1 || one.events.count(Failed) > 100 {
		t.Errorf("down %d times, %d requests waited; want once, and no more than were under way",
			one.events.count(Down), one.events.count(Failed))
	}
	start := time.Now()
	for i := range 10_000 {
		one.Remember(scope, id(i+2), podB)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("10000 bindings took %v", took)
	}
	server.thaw(t)
	eventually(t, "Up", func() bool { return one.events.count(Up) == 2 })
	eventually(t, "all written", func() bool {
		for i := range 10_000 {
			wantPod(t, one, id(i+2), podB)
		}
		two := open(t, server.url())
		key, _ := two.Lookup(scope, id(10_001))
		return key == podB
	})
}

// A query on a broken connection is repeated on a new one, if there is enough time.
func TestOutage_connectionReset(t *testing.T) {
	server := startRedis(t)
	one, two := open(t, server.url()), open(t, server.url())
	for i := range 100 {
		one.Remember(scope, id(i), podA)
	}
	one.waitWritten(t)
	for i := range 100 {
		server.must(t, "CLIENT", "KILL", "TYPE", "normal")
		wantPod(t, two, id(i), podA)
	}
}

func TestOutage_missedInvalidation(t *testing.T) {
	server := startRedis(t)
	one, two := open(t, server.url()), open(t, server.url())
	one.Remember(scope, id(1), podA)
	one.waitWritten(t)
	server.must(t, "CLIENT", "KILL", "TYPE", "normal")
	two.Remember(scope, id(1), podB)
	eventually(t, "the move on the other replica", func() bool {
		two.Lookup(scope, id(1))
		key, _ := one.Lookup(scope, id(1))
		return key == podB
	})
}

func TestOutage_atStart(t *testing.T) {
	server := startRedis(t)
	server.kill()
	one := open(t, server.url())
	withinWait(t, func() { wantPod(t, one, id(1), none) })
	one.Remember(scope, id(1), podA)
	wantPod(t, one, id(1), podA)
	eventually(t, "Down", func() bool { return one.events.count(Down) == 1 && one.events.count(Up) == 0 })
	server.start(t)
	eventually(t, "Up", func() bool { return one.events.count(Up) == 1 })
	wantPod(t, one, id(1), podA)
	one.waitWritten(t)
	wantPod(t, open(t, server.url()), id(1), podA)
}

func TestClose_unresponsiveServer(t *testing.T) {
	server := startRedis(t)
	one := open(t, server.url())
	server.freeze(t)
	t.Cleanup(func() { server.thaw(t) })
	one.Remember(scope, id(1), podA)
	start := time.Now()
	one.Close()
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("Close took %v", took)
	}
}

func TestOpen_password(t *testing.T) {
	server := startRedis(t, "--requirepass", "hunter2")
	good := open(t, "redis://:hunter2@"+server.addr())
	good.Remember(scope, id(1), podA)
	good.waitWritten(t)
	wantPod(t, open(t, "redis://default:hunter2@"+server.addr()), id(1), podA)
	bad := open(t, "redis://:letmein@"+server.addr())
	wantPod(t, bad, id(1), none)
	eventually(t, "Down", func() bool { return bad.events.count(Down) == 1 })
	if bad.log.count("is unavailable") != 1 || bad.log.count("WRONGPASS") != 1 || bad.log.count("letmein") != 0 {
		t.Errorf("logged: %q", bad.log.all())
	}
}
