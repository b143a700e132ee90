package proxy

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// directHTTP3 passes a request to the handler of HTTP/3, without a connection. It reports whether the stream is reset.
func directHTTP3(t *testing.T, c *client, q *http.Request) (w *httptest.ResponseRecorder, reset bool) {
	t.Helper()
	defer func() {
		switch cause := recover(); cause {
		case nil:
		case http.ErrAbortHandler:
			reset = true
		default:
			t.Errorf("the handler panicked with %v", cause)
		}
	}()
	w = httptest.NewRecorder()
	serveHTTP3Stream(deadlines{w}, q.WithContext(context.WithValue(t.Context(), clientKey{}, c)))
	return w, false
}

// deadlines makes a recorder accept deadlines.
type deadlines struct{ *httptest.ResponseRecorder }

func (deadlines) SetReadDeadline(time.Time) error  { return nil }
func (deadlines) SetWriteDeadline(time.Time) error { return nil }

// newHTTP3Client returns a client connection whose streams the test serves itself.
func (r *rig) newHTTP3Client() *client {
	near, far := loopbackPair(r.t)
	r.t.Cleanup(func() { near.Close(); far.Close() })
	c := r.server.newClient(near)
	c.quic = r.server.newQUICConn(nil)
	return c
}

// brokenBody panics when it is read.
type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { panic("body") }
func (brokenBody) Close() error             { return nil }

func TestHTTP3_containsPanic(t *testing.T) {
	budget, bounded := withBudget(10 * mebi)
	r := newRig(t, bounded)
	r.publish()
	c := r.newHTTP3Client()
	for name, length := range map[string]int64{"reading the head": -1, "draining the body": 10} {
		q := newRequest(t, http.MethodGet, "https://shop.example/none", brokenBody{})
		q.ContentLength, q.RequestURI = length, "/none"
		if _, reset := directHTTP3(t, c, q); !reset {
			t.Errorf("%s: the stream is not reset", name)
		}
	}
	r.expectMetric("limpet_panics_total", 2)
	if !c.guards.isEmptySince(c.server.Clock()) {
		t.Error("a stream is still being served")
	}
	c.Account.Close()
	if used := budget.Used(); used != 0 {
		t.Errorf("%d bytes are held", used)
	}
}

func TestHTTP3_refusedGRPC(t *testing.T) {
	_, bounded := withBudget(mebi)
	r := newRig(t, bounded)
	c := r.newHTTP3Client()
	for content, want := range map[string]struct {
		status int
		grpc   string
	}{"application/grpc+proto": {200, "14"}, "text/plain": {503, ""}} {
		q := newRequest(t, http.MethodPost, "https://shop.example/", strings.NewReader("x"))
		q.Header.Set("Content-Type", content)
		q.Header.Set("X-Large", strings.Repeat("v", mebi))
		w, _ := directHTTP3(t, c, q)
		h := w.Header()
		if w.Code != want.status || h.Get("Grpc-Status") != want.grpc || h.Get("Retry-After") != "5" {
			t.Errorf("%s: status %d, %v", content, w.Code, h)
		}
	}
}
