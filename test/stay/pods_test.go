package stay

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const podPort = 8080

// pod is an app that responds with its name.
type pod struct {
	name  string
	ip    string
	uid   string
	held  atomic.Int64  // requests that wait for the gate
	given atomic.Int64  // sessions of the app
	gate  chan struct{} // closed to let them go
	once  sync.Once     // it is closed
	stop  func()        // closes its listener and its idle connections immediately, as an app does on SIGTERM
}

func newPod(i int) *pod {
	return &pod{
		name: fmt.Sprintf("pod-%d", i), ip: fmt.Sprintf("10.250.0.%d", i+1), gate: make(chan struct{}),
		uid: fmt.Sprintf("5f0d9ae1-0000-4000-8000-%012d", i),
	}
}

// startPods starts pods with addresses of the sandbox's network. They end with the test.
func startPods(t *testing.T, n int) []*pod {
	t.Helper()
	pods := make([]*pod, n)
	for i := range pods {
		pods[i] = newPod(i)
		pods[i].start(t)
	}
	return pods
}

func (p *pod) address() string { return net.JoinHostPort(p.ip, strconv.Itoa(podPort)) }

func (p *pod) start(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", p.address())
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: p}
	go func() { _ = server.Serve(l) }()
	p.stop = func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		_ = server.Shutdown(ctx)
	}
	t.Cleanup(func() { server.Close() })
}

// ServeHTTP responds with the pod's name and what the pod received, and does what the request demands of an app.
func (p *pod) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	for _, name := range []string{"Cookie", movedHeader, sessionHeader, handoffHeader} {
		w.Header().Set("Saw-"+name, r.Header.Get(name))
	}
	p.keepSession(w, r)
	switch r.URL.Path {
	case "/logout":
		w.Header().Set("Limpet-Release-Session", "true")
	case "/unavailable":
		w.WriteHeader(http.StatusServiceUnavailable)
	case "/hold":
		p.held.Add(1)
		<-p.gate
	case "/stream":
		p.stream(w, r)
		return
	}
	fmt.Fprint(w, p.name)
}

// keepSession sets a session of the app's own if the policy depends on one. It sets none if the client sends a session
// that this pod created: sessions are in the memory of one pod.
func (p *pod) keepSession(w http.ResponseWriter, r *http.Request) {
	how := backend(strings.TrimSuffix(r.Host, ".example.com"))
	id := fmt.Sprintf("%d.%s", p.given.Add(1), p.name)
	switch how {
	case byNamed, byWrappedCookie, byLearnedCookie:
		if cookie, err := r.Cookie(sessionCookie); err != nil || !strings.HasSuffix(cookie.Value, "."+p.name) {
			http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: id, Path: "/"})
		}
	case byWrapped, byLearned:
		if !strings.HasSuffix(r.Header.Get(sessionHeader), "."+p.name) {
			w.Header().Set(sessionHeader, id)
		}
	}
}

// movedHeader is the header field in which policies of these tests notify apps of moves.
const movedHeader = "X-Moved"

// handoffHeader is the default of drain.handoff.header.
const handoffHeader = "X-Session-Handoff"

// stream sends one server-sent event immediately, and another when the gate is opened.
func (p *pod) stream(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	fmt.Fprintf(w, "data: %s\n\n", p.name)
	_ = http.NewResponseController(w).Flush()
	p.held.Add(1)
	defer p.held.Add(-1)
	select {
	case <-p.gate:
		fmt.Fprintf(w, "data: %s\n\n", p.name)
	case <-r.Context().Done():
	}
}
