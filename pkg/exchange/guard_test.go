package exchange

import (
	"sync"
	"testing"
	"time"
)

// deadlines notes which ones are set.
type deadlines struct {
	mu         sync.Mutex
	both, read time.Time
}

func (d *deadlines) SetDeadline(t time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.both = t
	return nil
}

func (d *deadlines) SetReadDeadline(t time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.read = t
	return nil
}

func TestGuard_interruptsAtDeadline(t *testing.T) {
	var g Guard
	var d deadlines
	g.Start(&d, 100)
	if g.Sweep(99); !d.both.IsZero() {
		t.Error("it fires too early")
	}
	if g.Sweep(100); !d.both.Equal(aLongTimeAgo) {
		t.Error("it does not fire")
	}
	if !g.Stop() || !d.both.IsZero() {
		t.Error("after stop the deadline is still in the past")
	}
	if g.Stop() {
		t.Error("it has fired twice")
	}
	g.Start(&d, 100)
	if g.Stop() {
		t.Error("a wait that was short is said to be long")
	}
	if g.Sweep(200); !d.both.IsZero() {
		t.Error("it fires although nobody waits")
	}
}

func TestGuard_readOnly(t *testing.T) {
	g := Guard{readOnly: true}
	var d deadlines
	g.Start(&d, 100)
	if g.Sweep(100); !d.read.Equal(aLongTimeAgo) || !d.both.IsZero() {
		t.Errorf("read %v, both %v", d.read, d.both)
	}
	if !g.Stop() || !d.read.IsZero() {
		t.Error("after stop the deadline is still in the past")
	}
}

func TestGuard_extend(t *testing.T) {
	var g Guard
	var d deadlines
	if g.extend(100); g.deadline.Load() != guardOff {
		t.Error("a guard that is off was started")
	}
	g.Start(&d, 100)
	g.extend(200)
	if g.Sweep(150); !d.both.IsZero() {
		t.Error("it fires at the time that it had first")
	}
	g.Sweep(200)
	if g.extend(300); !g.Stop() {
		t.Error("a guard that has fired was extended")
	}
}

// Whoever waits, whoever extends and the sweeper never wait for each other, and no deadline is left behind.
func TestGuard_concurrentUse(t *testing.T) {
	var g Guard
	var d deadlines
	done := make(chan struct{})
	var others sync.WaitGroup
	for _, do := range []func(int64){g.Sweep, g.extend} {
		others.Go(func() {
			for n := int64(1); ; n++ {
				select {
				case <-done:
					return
				default:
					do(n % 3)
				}
			}
		})
	}
	for n := range int64(20_000) {
		g.Start(&d, 1+n%3)
		g.Stop()
		d.mu.Lock()
		clean := d.both.IsZero()
		d.mu.Unlock()
		if !clean {
			t.Fatal("after stop the deadline is in the past")
		}
	}
	close(done)
	others.Wait()
}
