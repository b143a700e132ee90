package memory

import (
	"sync"
	"testing"
)

const mebibyte = 1 << 20

// takeAll takes in pieces of 16 KiB until the Account is refused, and returns how much that was.
func takeAll(a *Account) (n int64) {
	for a.Take(16 << 10) {
		n += 16 << 10
	}
	return n
}

func TestBudget_sharesAmongGreedyConnections(t *testing.T) {
	const limit = 128 * mebibyte
	for _, connections := range []int{1, 10, 100} {
		b := NewBudget(limit)
		var total int64
		for range connections {
			total += takeAll(NewAccount(b))
		}
		if total > limit || b.Used() > limit {
			t.Errorf("%d connections hold %d bytes, and have reserved %d", connections, total, b.Used())
		}
		if b.Full() {
			t.Errorf("%d connections have left nothing", connections)
		}
		if !NewAccount(b).Take(32 << 10) {
			t.Errorf("beside %d connections there is no room for one more", connections)
		}
	}
}

func TestBudget_boundsOneConnection(t *testing.T) {
	b := NewBudget(64 * mebibyte)
	if got := takeAll(NewAccount(b)); got != 8*mebibyte {
		t.Errorf("one connection takes %d bytes", got)
	}
	if b.Refused() != 1 {
		t.Errorf("%d refusals are counted", b.Refused())
	}
}

func TestAccount_returnsWhatItReserved(t *testing.T) {
	b := NewBudget(mebibyte)
	a := NewAccount(b)
	for range 3 {
		if !a.Take(10) || b.Used() != step {
			t.Fatalf("%d bytes are reserved", b.Used())
		}
		a.Return(10)
	}
	if a.Trim(); b.Used() != 0 {
		t.Errorf("%d bytes are still reserved", b.Used())
	}
}

func TestBudget_fullAfterSample(t *testing.T) {
	b := NewBudget(mebibyte)
	if b.Sample(mebibyte); !b.Full() {
		t.Error("it is not full")
	}
	if NewAccount(b).Take(1) {
		t.Error("a full budget gives more")
	}
	if b.Sample(0); b.Full() {
		t.Error("it stays full")
	}
}

func TestBudget_noneHasNoBound(t *testing.T) {
	var none *Budget
	none.Sample(1 << 40)
	if none.Full() || !NewAccount(none).Take(1<<40) {
		t.Error("no budget refuses something")
	}
	if b := NewBudget(0); !NewAccount(b).Take(1 << 40) {
		t.Error("a budget without a limit refuses something")
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
	if a.Trim(); b.Used() != 0 || a.Held() != 0 {
		t.Errorf("%d bytes are held, %d reserved", a.Held(), b.Used())
	}
}

// The last streams of a connection let go of what they hold after it has ended.
func TestAccount_returnsAfterClose(t *testing.T) {
	b := NewBudget(mebibyte)
	a := NewAccount(b)
	a.Take(3 * step)
	a.Close()
	a.Return(2 * step)
	if b.Used() != step {
		t.Errorf("%d bytes are reserved, want %d", b.Used(), step)
	}
	if a.Return(step); b.Used() != 0 {
		t.Errorf("%d bytes stay reserved", b.Used())
	}
}
