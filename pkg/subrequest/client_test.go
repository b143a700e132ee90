package subrequest

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/limpet-dev/limpet/pkg/filter"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// long is a timeout that passing tests do not reach, and short is one that they wait for.
const (
	long  = 20 * time.Second
	short = 50 * time.Millisecond
)

// fixed are endpoints that a test changes.
type fixed struct {
	mu    sync.Mutex
	addrs []string
	next  int
}

func (f *fixed) PickAddress() (string, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.addrs) == 0 {
		return "", false
	}
	f.next++
	return f.addrs[f.next%len(f.addrs)], true
}

func (f *fixed) HasAddress(address string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.addrs {
		if a == address {
			return true
		}
	}
	return false
}

func (f *fixed) set(addrs ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.addrs = addrs
}

func newClient(t testing.TB, roots *x509.CertPool) *Client {
	c := New(Options{Roots: roots})
	t.Cleanup(c.Close)
	return c
}

func server(t testing.TB, h http.HandlerFunc) (*httptest.Server, *fixed) {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s, &fixed{addrs: []string{s.Listener.Addr().String()}}
}

// raw starts a server that runs a script on each connection.
func raw(t testing.TB, script func(net.Conn)) *fixed {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var busy sync.WaitGroup
	busy.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			busy.Go(func() {
				defer conn.Close()
				_, _ = conn.Read(make([]byte, 4096))
				script(conn)
			})
		}
	})
	t.Cleanup(func() { l.Close(); busy.Wait() })
	return &fixed{addrs: []string{l.Addr().String()}}
}

func get(e filter.Endpoints) *filter.Subrequest {
	return &filter.Subrequest{Method: "GET", URL: "http://auth.ns.svc:4180/check?x=1", Endpoints: e, Timeout: long, MaxBody: 100}
}

func TestDo_service(t *testing.T) {
	_, endpoints := server(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Seen", fmt.Sprint(r.Method, " ", r.Host, " ", r.URL, " ", r.Header))
		w.WriteHeader(202)
		_, _ = io.WriteString(w, "hello")
	})
	s := get(endpoints)
	s.Header = http.Header{"X-A": {"1", "2"}}
	got, err := newClient(t, nil).Do(s)
	if err != nil || got.Status != 202 || string(got.Body) != "hello" {
		t.Fatalf("got %+v, %v", got, err)
	}
	if seen := got.Header.Get("X-Seen"); seen != "GET auth.ns.svc:4180 /check?x=1 map[X-A:[1 2]]" {
		t.Errorf("the server saw %s", seen)
	}
}

func TestDo_redirect(t *testing.T) {
	_, endpoints := server(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) })
	got, err := newClient(t, nil).Do(get(endpoints))
	if err != nil || got.Status != 302 {
		t.Errorf("got %+v, %v; want the redirect itself", got, err)
	}
}

// TestDo_broken has servers that fail as real ones do.
func TestDo_broken(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, c := range map[string]struct {
		script  func(net.Conn)
		timeout time.Duration
	}{
		"slow head":       {func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) }, short},
		"slow body":       {func(c net.Conn) { io.WriteString(c, ok+"Content-Length: 9\r\n\r\nhal"); c.Read(make([]byte, 1)) }, short},
		"reset":           {func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) }, long},
		"no HTTP":         {func(c net.Conn) { io.WriteString(c, "220 smtp.example ESMTP\r\n") }, long},
		"huge head":       {func(c net.Conn) { io.WriteString(c, ok+"X: "+strings.Repeat("a", 2*maxHeadBytes)+"\r\n\r\n") }, long},
		"huge body":       {func(c net.Conn) { io.WriteString(c, ok+"Content-Length: 101\r\n\r\n"+strings.Repeat("a", 101)) }, long},
		"incomplete body": {func(c net.Conn) { io.WriteString(c, ok+"Content-Length: 9\r\n\r\nhal") }, long},
		"two lengths":     {func(c net.Conn) { io.WriteString(c, ok+"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab") }, long},
	} {
		t.Run(name, func(t *testing.T) {
			s := get(raw(t, c.script))
			s.Timeout = c.timeout
			if got, err := newClient(t, nil).Do(s); err == nil {
				t.Errorf("got %+v, want an error", got)
			}
		})
	}
}

func TestDo_discardsBody(t *testing.T) {
	release := make(chan struct{})
	_, endpoints := server(t, func(w http.ResponseWriter, _ *http.Request) {
		w.(http.Flusher).Flush()
		<-release
		_, _ = io.WriteString(w, strings.Repeat("x", 1000))
	})
	c := newClient(t, nil)
	s := get(endpoints)
	s.MaxBody = 0
	got, err := c.Do(s) // returns although the body has not been sent
	if err != nil || got.Status != 200 || got.Body != nil {
		t.Errorf("got %+v, %v", got, err)
	}
	close(release)
	for range maxActive { // the last one waits until the goroutine that reads the body has returned its permit
		c.permits <- struct{}{}
	}
}

func TestDo_keepsConnections(t *testing.T) {
	var mu sync.Mutex
	peers := map[string]int{}
	count := func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		peers[r.RemoteAddr]++
	}
	_, endpoints := server(t, count)
	c := newClient(t, nil)
	for range 5 {
		if _, err := c.Do(get(endpoints)); err != nil {
			t.Fatal(err)
		}
	}
	if len(peers) != 1 {
		t.Errorf("5 requests used %d connections", len(peers))
	}
}

func TestDo_leavesRemovedEndpoint(t *testing.T) {
	name := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
	}
	_, endpoints := server(t, name("old"))
	other, _ := server(t, name("new"))
	c := newClient(t, nil)
	if got, err := c.Do(get(endpoints)); err != nil || string(got.Body) != "old" {
		t.Fatalf("got %+v, %v", got, err)
	}
	endpoints.set(other.Listener.Addr().String())
	if got, err := c.Do(get(endpoints)); err != nil || string(got.Body) != "new" {
		t.Errorf("after the endpoint was removed: got %+v, %v", got, err)
	}
	endpoints.set()
	if got, err := c.Do(get(endpoints)); !errors.Is(err, filter.ErrNoEndpoint) {
		t.Errorf("without endpoints: got %+v, %v", got, err)
	}
}

func TestDo_nextEndpoint(t *testing.T) {
	closed, _ := server(t, nil)
	closed.Close()
	_, endpoints := server(t, func(http.ResponseWriter, *http.Request) {})
	endpoints.set(closed.Listener.Addr().String(), endpoints.addrs[0])
	for range 4 {
		if _, err := newClient(t, nil).Do(get(endpoints)); err != nil {
			t.Errorf("one of two endpoints refuses connections: %v", err)
		}
	}
}

func TestDo_tls(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	endpoints := &fixed{addrs: []string{s.Listener.Addr().String()}}
	for url, c := range map[string]struct {
		roots *x509.CertPool
		ok    bool
	}{
		"https://example.com/":   {roots, true}, // a name of the test certificate
		"https://auth.ns.svc/":   {roots, false},
		"https://example.com/2/": {nil, false},
	} {
		q := get(endpoints)
		q.URL = url
		if _, err := newClient(t, c.roots).Do(q); (err == nil) != c.ok {
			t.Errorf("%s: %v", url, err)
		}
	}
}

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

func TestClose_cancels(t *testing.T) {
	started := make(chan struct{})
	endpoints := raw(t, func(c net.Conn) { close(started); _, _ = c.Read(make([]byte, 1)) })
	c := newClient(t, nil)
	ended := make(chan error)
	go func() {
		_, err := c.Do(get(endpoints))
		ended <- err
	}()
	<-started
	c.Close()
	if err := <-ended; err == nil {
		t.Error("the request did not fail")
	}
}
