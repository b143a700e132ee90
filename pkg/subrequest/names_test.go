package subrequest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/test/wait"
)

// TestDo_reservedAddresses checks that no name and no literal leads to an address of the machine or of the cloud.
func TestDo_reservedAddresses(t *testing.T) {
	s, _ := server(t, func(http.ResponseWriter, *http.Request) { t.Error("the server got a request") })
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	c := newClient(t, nil)
	c.names.lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
		if host == "rebind.example" {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("::ffff:127.0.0.1")}, nil
		}
		return lookup(ctx, host)
	}
	for _, host := range []string{
		"127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "rebind.example",
		"[64:ff9b::7f00:1]",
	} {
		q := get(nil)
		q.URL, q.Timeout = "http://"+host+":"+port+"/", long
		if _, err := c.Do(q); err == nil || !strings.Contains(err.Error(), "must not resolve") {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func TestDo_name(t *testing.T) {
	s, _ := server(t, func(http.ResponseWriter, *http.Request) {})
	_, port, _ := net.SplitHostPort(s.Listener.Addr().String())
	c := newClient(t, nil)
	lookups := 0
	c.isAllowed = func(string) error { return nil }
	c.names.lookup = func(context.Context, string) ([]netip.Addr, error) {
		lookups++
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}
	for range 3 {
		q := get(nil)
		q.URL = "http://auth.example:" + port
		if _, err := c.Do(q); err != nil {
			t.Fatal(err)
		}
		c.transport.CloseIdleConnections()
	}
	if lookups != 1 {
		t.Errorf("3 connections looked up the name %d times", lookups)
	}
}

func TestNames_bounded(t *testing.T) {
	var n nameCache
	for i := range 3 * maxNames {
		n.put(fmt.Sprint(i), nameEntry{})
	}
	if len(n.names) > maxNames {
		t.Errorf("%d names are kept", len(n.names))
	}
}

func TestDo_refusedURLs(t *testing.T) {
	for _, url := range []string{"ftp://auth/", "http:///x", "/x", "http://user@auth/", "http://auth/\x00", "http://a b/"} {
		q := get(&fixed{})
		q.URL = url
		if _, err := newClient(t, nil).Do(q); err == nil || errors.Is(err, filter.ErrNoEndpoint) {
			t.Errorf("%q: %v", url, err)
		}
	}
}

func TestDo_permits(t *testing.T) {
	c := newClient(t, nil)
	_, endpoints := server(t, func(http.ResponseWriter, *http.Request) {})
	busy := permitOwner{"a", filter.PurposeAuth}
	for c.permits.shares.Take(busy, 1) {
	}
	q := get(endpoints)
	q.Namespace, q.Purpose, q.Timeout = "a", filter.PurposeAuth, short
	if _, err := c.Do(q); !errors.Is(err, filter.ErrNoPermit) {
		t.Errorf("got %v", err)
	}
	for _, owner := range []permitOwner{{"b", filter.PurposeAuth}, {"a", filter.PurposeErrorPage}} {
		q.Namespace, q.Purpose, q.Timeout = owner.namespace, owner.purpose, long
		if _, err := c.Do(q); err != nil {
			t.Errorf("%v cannot send requests while %v waits: %v", owner, busy, err)
		}
	}
	if n := len(c.permits.waiting); n != 0 {
		t.Errorf("%d owners wait", n)
	}
}

// Permits are granted in order, and one that is granted while its wait ends is not lost.
func TestPermits_order(t *testing.T) {
	p := newPermits(2)
	owner, done := permitOwner{"a", ""}, make(chan int)
	if !p.acquire(t.Context(), owner) {
		t.Fatal("there is no permit")
	}
	for i := range 2 {
		go func() {
			if p.acquire(t.Context(), owner) {
				done <- i
			}
		}()
		wait.Until(t, "the wait to begin", func() bool {
			p.mu.Lock()
			defer p.mu.Unlock()
			return len(p.waiting[owner]) == i+1
		})
	}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if p.acquire(canceled, owner) {
		t.Error("the wait does not end")
	}
	for i := range 2 {
		p.release(owner)
		if got := <-done; got != i {
			t.Errorf("permit %d was granted to %d", i, got)
		}
	}
	p.release(owner)
	if p.shares.Held(owner) != 0 || len(p.waiting) != 0 {
		t.Errorf("%d permits are held, and %v wait", p.shares.Held(owner), p.waiting)
	}
}
