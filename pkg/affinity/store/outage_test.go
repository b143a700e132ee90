package store

import (
	"sync"
	"testing"
	"time"
)

// bound is what a Lookup may take where the store is down: Wait, and what a busy machine adds.
const bound = 50*time.Millisecond + 200*time.Millisecond

// quick fails the test if f takes longer than Wait allows.
func quick(t *testing.T, f func()) {
	t.Helper()
	start := time.Now()
	f()
	if took := time.Since(start); took > bound {
		t.Errorf("a request was held up for %v", took)
	}
}

func TestAStoreThatDiesAndComesBack(t *testing.T) {
	server := startRedis(t)
	one, two := open(t, server.url(), brief), open(t, server.url(), brief)
	for i := range 300 {
		one.Remember(scope, id(i), podA)
	}
	one.settled(t)
	eventually(t, "a session on the other replica", func() bool { _, ok := two.Lookup(scope, id(299)); return ok })

	server.kill()
	for i := range 300 {
		quick(t, func() { wantPod(t, one, id(i), podA) })
	}
	for i := range 20 {
		quick(t, func() { wantPod(t, two, id(i), none) })
	}
	wantPod(t, two, id(299), podA)
	eventually(t, "Down", func() bool { return two.events.count(Down) == 1 })
	asked := two.events.count(Failed)
	for i := range 1000 {
		two.Lookup(scope, id(1000+i))
	}
	if two.events.count(Failed) != asked || two.events.count(Skipped) < 1000 {
		t.Errorf("a store known to be down was asked %d times", two.events.count(Failed)-asked)
	}
	two.Remember(scope, id(500), podB)
	quick(t, func() { wantPod(t, two, id(500), podB) })

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
	if two.log.count("does not respond") != 1 || two.log.count("store responds") != 2 {
		t.Errorf("logged: %q, want each change once", two.log.all())
	}
}

func TestAStoreThatHangsHoldsNobodyUp(t *testing.T) {
	server := startRedis(t)
	one := open(t, server.url(), brief)
	one.Remember(scope, id(1), podA)
	one.settled(t)
	server.freeze(t)
	t.Cleanup(func() { server.thaw(t) })
	var group sync.WaitGroup
	for g := range 50 {
		group.Go(func() {
			for i := range 20 {
				quick(t, func() { wantPod(t, one, id(1000*g+i+2), none) })
			}
		})
	}
	group.Wait()
	quick(t, func() { wantPod(t, one, id(1), podA) })
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

// The question that finds the connection cut is put again on a new one, if there is time for that.
func TestAConnectionThatIsCutCostsNoSession(t *testing.T) {
	server := startRedis(t)
	one, two := open(t, server.url()), open(t, server.url())
	for i := range 100 {
		one.Remember(scope, id(i), podA)
	}
	one.settled(t)
	for i := range 100 {
		server.must(t, "CLIENT", "KILL", "TYPE", "normal")
		wantPod(t, two, id(i), podA)
	}
}

func TestAReplicaThatWasCutOffHearsOfTheMoveItMissed(t *testing.T) {
	server := startRedis(t)
	one, two := open(t, server.url()), open(t, server.url())
	one.Remember(scope, id(1), podA)
	one.settled(t)
	server.must(t, "CLIENT", "KILL", "TYPE", "normal")
	two.Remember(scope, id(1), podB)
	eventually(t, "the move on the other replica", func() bool {
		two.Lookup(scope, id(1))
		key, _ := one.Lookup(scope, id(1))
		return key == podB
	})
}

func TestAStoreThatIsNotThereWhenLimpetStarts(t *testing.T) {
	server := startRedis(t)
	server.kill()
	one := open(t, server.url())
	quick(t, func() { wantPod(t, one, id(1), none) })
	one.Remember(scope, id(1), podA)
	wantPod(t, one, id(1), podA)
	eventually(t, "Down", func() bool { return one.events.count(Down) == 1 && one.events.count(Up) == 0 })
	server.start(t)
	eventually(t, "Up", func() bool { return one.events.count(Up) == 1 })
	wantPod(t, one, id(1), podA)
	one.settled(t)
	wantPod(t, open(t, server.url()), id(1), podA)
}

func TestCloseEndsThoughTheStoreHangs(t *testing.T) {
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

func TestAPasswordIsUsed(t *testing.T) {
	server := startRedis(t, "--requirepass", "hunter2")
	good := open(t, "redis://:hunter2@"+server.addr())
	good.Remember(scope, id(1), podA)
	good.settled(t)
	wantPod(t, open(t, "redis://default:hunter2@"+server.addr()), id(1), podA)
	bad := open(t, "redis://:letmein@"+server.addr())
	wantPod(t, bad, id(1), none)
	eventually(t, "Down", func() bool { return bad.events.count(Down) == 1 })
	if bad.log.count("does not respond") != 1 || bad.log.count("WRONGPASS") != 1 || bad.log.count("letmein") != 0 {
		t.Errorf("logged: %q", bad.log.all())
	}
}
