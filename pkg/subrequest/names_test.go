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
	for range maxActive {
		c.permits <- struct{}{}
	}
	q := get(&fixed{})
	q.Timeout = short
	if _, err := c.Do(q); !errors.Is(err, filter.ErrNoPermit) {
		t.Errorf("got %v", err)
	}
}
