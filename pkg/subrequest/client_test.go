package subrequest

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
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
		w.WriteHeader(http.StatusAccepted)
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
	for range maxActive / 2 { // the last one waits until the goroutine that reads the body has returned its permit
		if !c.permits.acquire(t.Context(), permitOwner{}) {
			t.Fatal("the permit was not returned")
		}
	}
}

func TestDo_keepsConnections(t *testing.T) {
	var mu sync.Mutex
	peers := map[string]int{}
	count := func(_ http.ResponseWriter, r *http.Request) {
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

// TestDo_authority has servers that a CA of their own verifies.
func TestDo_authority(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	trusted := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	c := newClient(t, nil)
	for i, step := range []struct {
		url, authority string
		ok             bool
	}{
		{"https://example.com/", "", false}, {"https://example.com/", trusted, true},
		{"https://example.com/", "", false}, // although a connection is kept that the CA has verified
		{"https://example.com/", "broken", false}, {"https://auth.ns.svc/", trusted, false}, {"https://example.com/", trusted, true},
	} {
		q := get(&fixed{addrs: []string{s.Listener.Addr().String()}})
		q.URL, q.AuthorityPEM = step.url, step.authority
		if _, err := c.Do(q); (err == nil) != step.ok {
			t.Errorf("request %d: %v", i, err)
		}
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
