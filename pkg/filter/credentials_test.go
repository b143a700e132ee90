package filter

import (
	"net/netip"
	"sync"
	"testing"
	"time"
)

func TestCredentials_failures(t *testing.T) {
	c := newTestCredentials()
	now := time.Unix(1000, 0)
	client, other := netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("2001:db8:0:1::1")
	ran := 0
	try := func(i int, from netip.Addr, ok bool, at time.Time) outcome {
		return c.verify(credentialKey{byte(i), byte(i >> 8)}, from, false, at, func() bool { ran++; return ok })
	}
	for i := range maxFailures {
		if got := try(i, client, false, now); got != outcomeWrong {
			t.Fatalf("attempt %d: %d", i, got)
		}
	}
	if got := try(99, client, true, now); got != outcomeTooMany || ran != maxFailures {
		t.Errorf("got %d after %d checks", got, ran)
	}
	if got := try(99, netip.MustParseAddr("2001:db8::2"), true, now); got != outcomeTooMany {
		t.Errorf("another address of the network: %d", got)
	}
	if got := try(99, other, true, now); got != outcomeRight {
		t.Errorf("another network: %d", got)
	}
	if !c.isVerified(credentialKey{99}, now) {
		t.Error("verified credentials of a network that failed are refused")
	}
	if got := try(100, client, true, now.Add(forgetEvery)); got != outcomeRight {
		t.Errorf("after one failure is forgotten: %d", got)
	}
	for i := range 3 * maxClients / 2 {
		c.recordFailure(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), now)
	}
	if len(c.failures) > maxClients {
		t.Errorf("%d clients are recorded", len(c.failures))
	}
}

func TestCredentials_verifiedExpire(t *testing.T) {
	c := newTestCredentials()
	now := time.Unix(1000, 0)
	right := func() bool { return true }
	c.verify(credentialKey{1}, netip.Addr{}, false, now, right)
	for range 10 { // each use extends it
		if now = now.Add(verifiedFor * 2 / 3); !c.isVerified(credentialKey{1}, now) {
			t.Fatal("credentials in use are forgotten")
		}
	}
	if c.isVerified(credentialKey{1}, now.Add(verifiedFor+time.Second)) || len(c.verified) != 0 {
		t.Error("unused credentials are remembered")
	}
	for i := range maxVerified + 10 {
		c.verify(credentialKey{byte(i), byte(i >> 8), byte(i >> 16), 1}, netip.Addr{}, false, now, right)
	}
	if len(c.verified) > maxVerified {
		t.Errorf("%d credentials are remembered", len(c.verified))
	}
}

// Requests with the same password share one verification, and others beyond the bound are refused immediately.
func TestCredentials_concurrentChecks(t *testing.T) {
	c := newTestCredentials()
	now := time.Now()
	var done sync.WaitGroup
	started, finish := make(chan struct{}), make(chan struct{})
	var once sync.Once
	checks := make(chan struct{}, 100)
	block := func() bool {
		checks <- struct{}{}
		once.Do(func() { close(started) })
		<-finish
		return true
	}
	results := make(chan outcome, 100)
	done.Go(func() { results <- c.verify(credentialKey{1}, netip.Addr{}, true, now, block) })
	<-started
	for range 20 {
		done.Go(func() { results <- c.verify(credentialKey{1}, netip.Addr{}, true, now, block) })
	}
	for range cap(c.waiting) - len(c.waiting) {
		c.waiting <- struct{}{} // as if others waited
	}
	if got := c.verify(credentialKey{2}, netip.Addr{}, true, now, func() bool { return true }); got != outcomeBusy {
		t.Errorf("beyond the bound: %d", got)
	}
	if got := c.verify(credentialKey{3}, netip.Addr{}, false, now, func() bool { return true }); got != outcomeRight {
		t.Errorf("a fast check beyond the bound: %d", got)
	}
	close(finish)
	done.Wait()
	close(results)
	for got := range results {
		if got != outcomeRight {
			t.Errorf("got %d", got)
		}
	}
	if len(checks) > 21 || len(c.flights) != 0 {
		t.Errorf("%d checks ran, %d are recorded", len(checks), len(c.flights))
	}
}

func TestCredentials_panicInCheck(t *testing.T) {
	c := newTestCredentials()
	func() {
		defer func() { _ = recover() }()
		c.verify(credentialKey{1}, netip.Addr{}, true, time.Now(), func() bool { panic("check") })
	}()
	if got := c.verify(credentialKey{1}, netip.Addr{}, true, time.Now(), func() bool { return true }); got != outcomeRight {
		t.Errorf("got %d", got)
	}
	if len(c.slots)+len(c.waiting) != 0 {
		t.Error("the slot is still taken")
	}
}
