package exchange

import (
	"sync"
	"testing"
	"time"
)

// deadlines records the deadlines that are set.
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
		t.Error("the guard fires too early")
	}
	if g.Sweep(100); !d.both.Equal(aLongTimeAgo) {
		t.Error("the guard does not fire")
	}
	if !g.Stop() || !d.both.IsZero() {
		t.Error("the deadline is in the past after Stop")
	}
	if g.Stop() {
		t.Error("Stop reports twice that the guard fired")
	}
	g.Start(&d, 100)
	if g.Stop() {
		t.Error("Stop reports a timeout for a short wait")
	}
	if g.Sweep(200); !d.both.IsZero() {
		t.Error("a stopped guard fires")
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
		t.Error("the deadline is in the past after Stop")
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
		t.Error("the guard fires at its first deadline")
	}
	g.Sweep(200)
	if g.extend(300); !g.Stop() {
		t.Error("a guard that has fired was extended")
	}
}

// TestGuard_concurrentUse checks that Start, Stop, extend and Sweep do not deadlock, and leave no deadline set.
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
			t.Fatal("the deadline is in the past after Stop")
		}
	}
	close(done)
	others.Wait()
}
