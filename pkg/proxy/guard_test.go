package proxy

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

func TestAGuardInterruptsWhatTakesTooLong(t *testing.T) {
	var g guard
	var d deadlines
	g.start(&d, 100)
	if g.sweep(99); !d.both.IsZero() {
		t.Error("it fires too early")
	}
	if g.sweep(100); !d.both.Equal(longAgo) {
		t.Error("it does not fire")
	}
	if !g.stop() || !d.both.IsZero() {
		t.Error("after stop the deadline is still in the past")
	}
	if g.stop() {
		t.Error("it has fired twice")
	}
	g.start(&d, 100)
	if g.stop() {
		t.Error("a wait that was short is said to be long")
	}
	if g.sweep(200); !d.both.IsZero() {
		t.Error("it fires although nobody waits")
	}
}

func TestAGuardOfReadingLeavesWritingAlone(t *testing.T) {
	g := guard{reads: true}
	var d deadlines
	g.start(&d, 100)
	if g.sweep(100); !d.read.Equal(longAgo) || !d.both.IsZero() {
		t.Errorf("read %v, both %v", d.read, d.both)
	}
	if !g.stop() || !d.read.IsZero() {
		t.Error("after stop the deadline is still in the past")
	}
}

func TestAGuardIsExtendedOnlyWhileItRuns(t *testing.T) {
	var g guard
	var d deadlines
	if g.extend(100); g.until.Load() != guardOff {
		t.Error("a guard that is off was started")
	}
	g.start(&d, 100)
	g.extend(200)
	if g.sweep(150); !d.both.IsZero() {
		t.Error("it fires at the time that it had first")
	}
	g.sweep(200)
	if g.extend(300); !g.stop() {
		t.Error("a guard that has fired was extended")
	}
}

// Whoever waits, whoever extends and the sweeper never wait for each other, and no deadline is left behind.
func TestAGuardIsUsedFromAllSides(t *testing.T) {
	var g guard
	var d deadlines
	done := make(chan struct{})
	var others sync.WaitGroup
	for _, do := range []func(int64){g.sweep, g.extend} {
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
		g.start(&d, 1+n%3)
		g.stop()
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

func TestNoConnectionIsTakenInAfterTheEnd(t *testing.T) {
	r := newRig(t)
	r.server.Close()
	near, far := loopbackPair(t)
	r.server.admit(near, service{serve: func(*client) { t.Error("it is served") }})
	callOver(t, far).expectClosed()
}
