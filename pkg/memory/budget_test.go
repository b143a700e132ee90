package memory

import (
	"sync"
	"testing"
)

const mebibyte = 1 << 20

// takeAll takes steps of 16 KiB until the Account refuses, and returns the total.
func takeAll(a *Account) (n int64) {
	for a.Take(16 << 10) {
		n += 16 << 10
	}
	return n
}

func TestBudget_manyGreedyConnections(t *testing.T) {
	const limit = 128 * mebibyte
	for _, connections := range []int{1, 10, 100} {
		b := NewBudget(limit)
		var total int64
		for range connections {
			total += takeAll(NewAccount(b))
		}
		if total > limit || b.Used() > limit {
			t.Errorf("%d connections use %d bytes, reserved %d", connections, total, b.Used())
		}
		if b.Full() {
			t.Errorf("%d connections exhausted the budget", connections)
		}
		if !NewAccount(b).Take(32 << 10) {
			t.Errorf("beside %d connections, another one was refused", connections)
		}
	}
}

func TestBudget_boundsOneConnection(t *testing.T) {
	b := NewBudget(64 * mebibyte)
	if got := takeAll(NewAccount(b)); got != 8*mebibyte {
		t.Errorf("one connection took %d bytes", got)
	}
	if b.Refused() != 1 {
		t.Errorf("%d refusals counted", b.Refused())
	}
}

func TestAccount_trim(t *testing.T) {
	b := NewBudget(mebibyte)
	a := NewAccount(b)
	for range 3 {
		if !a.Take(10) || b.Used() != reserveStep {
			t.Fatalf("%d bytes reserved", b.Used())
		}
		a.Return(10)
	}
	if a.Trim(); b.Used() != 0 {
		t.Errorf("%d bytes still reserved", b.Used())
	}
}

func TestBudget_fullAfterSample(t *testing.T) {
	b := NewBudget(mebibyte)
	if b.Sample(mebibyte); !b.Full() {
		t.Error("Full is false")
	}
	if NewAccount(b).Take(1) {
		t.Error("a full budget granted memory")
	}
	if b.Sample(0); b.Full() {
		t.Error("still full")
	}
}

func TestBudget_withoutLimit(t *testing.T) {
	var none *Budget
	none.Sample(1 << 40)
	if none.Full() || !NewAccount(none).Take(1<<40) {
		t.Error("a nil budget refused memory")
	}
	if b := NewBudget(0); !NewAccount(b).Take(1 << 40) {
		t.Error("a budget without a limit refused memory")
	}
}

func TestAccount_concurrentUse(t *testing.T) {
	b := NewBudget(16 * mebibyte)
	a := NewAccount(b)
	var users sync.WaitGroup
	for range 8 {
		users.Go(func() {
			for range 1000 {
				if a.Take(10_000) {
					a.Return(10_000)
				}
				a.Trim()
			}
		})
	}
	users.Wait()
	if a.Trim(); b.Used() != 0 || a.Used() != 0 {
		t.Errorf("%d bytes in use, %d reserved", a.Used(), b.Used())
	}
}

// The last streams of a connection may return memory after the connection has ended.
func TestAccount_returnAfterClose(t *testing.T) {
	b := NewBudget(mebibyte)
	a := NewAccount(b)
	a.Take(3 * reserveStep)
	a.Close()
	a.Return(2 * reserveStep)
	if b.Used() != reserveStep {
		t.Errorf("%d bytes reserved, want %d", b.Used(), reserveStep)
	}
	if a.Return(reserveStep); b.Used() != 0 {
		t.Errorf("%d bytes still reserved", b.Used())
	}
}
