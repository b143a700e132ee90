package proxy

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/model"
)

func TestRetry_refusedStreamOrGoAway(t *testing.T) {
	for name, refuse := range map[string]func(p *http2Pod, stream uint32){
		"refused stream": func(p *http2Pod, s uint32) { p.WriteRSTStream(s, http2.ErrCodeRefusedStream) },
		"farewell":       func(p *http2Pod, _ uint32) { p.WriteGoAway(0, http2.ErrCodeNo, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int32
			pod := startHTTP2(t, "pod-a", func(p *http2Pod, stream uint32) {
				if asked.Add(1) == 1 {
					p.ReadFrame() // the body, which must be sent once more
					refuse(p, stream)
					return
				}
				p.answer(stream, "second")
			})
			r := newRig(t)
			r.serveBy(overHTTP2, nil, pod.addr)
			r.dial().post("/", "body").expectOK(t, "second")
		})
	}
}

func TestRetry_onlyIfIdempotent(t *testing.T) {
	for _, c := range []struct {
		method, body string
		status, seen int
	}{{"GET", "", 200, 2}, {"HEAD", "", 200, 2}, {"POST", "", 502, 1}, {"POST", "body", 502, 1}, {"GET", "body", 502, 1}} {
		t.Run(c.method+" "+c.body, func(t *testing.T) {
			pod := startHTTP2(t, "pod-a", func(p *http2Pod, stream uint32) {
				if len(p.conn.pod.requests()) == 1 {
					p.conn.Conn.Close()
					return
				}
				p.head(stream, true, ":status", "200")
			})
			r := newRig(t)
			r.serveBy(overHTTP2, nil, pod.addr)
			client := r.dial()
			client.send(request(c.method, "/", c.body))
			client.read(c.method).expectStatus(t, c.status)
			if got := len(pod.requests()); got != c.seen {
				t.Errorf("the pod has seen %d requests, want %d", got, c.seen)
			}
		})
	}
}

func TestRetry_http2PodGone(t *testing.T) {
	good := startBackend(t, nil, func(w http.ResponseWriter, q *http.Request) { io.Copy(w, q.Body) })
	r := newRig(t)
	r.serveBy(overHTTP2, cookieAffinity(), deadAddress(t), addressOf(good))
	for range 20 {
		got := r.dial().post("/", "body")
		got.expectOK(t, "body")
		if len(got.header.Values("Set-Cookie")) != 1 {
			t.Errorf("cookies: %q", got.header.Values("Set-Cookie"))
		}
	}
}

func TestResponseTimeout_http2Pod(t *testing.T) {
	pod := startHTTP2(t, "pod-a", func(*http2Pod, uint32) {})
	r := newRig(t, quick(func(o *exchange.Timeouts) { o.Response = 200 * time.Millisecond }))
	r.serveBy(overHTTP2, nil, pod.addr)
	r.dial().post("/", "body").expectStatus(t, 504)
}

// During a pod's graceful shutdown, requests that it no longer accepts are sent to other pods, for any method.
func TestRetry_http2PodsStop(t *testing.T) {
	r := newRig(t)
	var addresses []string
	var pods []*http.Server
	for range 3 {
		pod := startBackend(t, nil, func(w http.ResponseWriter, q *http.Request) { io.Copy(w, q.Body) })
		pods, addresses = append(pods, pod.Config), append(addresses, addressOf(pod))
	}
	r.serveBy(overHTTP2, nil, addresses...)
	var served, lost atomic.Int32
	running, stop := context.WithCancel(t.Context())
	var load sync.WaitGroup
	for range 8 {
		load.Go(func() {
			for c := r.dial(); running.Err() == nil; served.Add(1) {
				c.send(request("POST", "/", "body"))
				if got, err := c.tryRead("POST"); err != nil || got.body != "body" {
					lost.Add(1)
					return
				}
			}
		})
	}
	for i := range 2 {
		before := served.Load()
		eventually(t, "requests to be served", func() bool { return served.Load() > before+200 })
		if err := pods[i].Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	}
	before := served.Load()
	eventually(t, "requests to be served", func() bool { return served.Load() > before+200 })
	stop()
	load.Wait()
	if lost.Load() != 0 {
		t.Errorf("%d requests were lost, %d served", lost.Load(), served.Load())
	}
}

// A client that does not read holds back its own response only, although all of them share a connection to the pod.
func TestHTTP2_slowReaderBlocksNoOther(t *testing.T) {
	pod := startBackend(t, nil, func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/long" {
			io.Copy(w, io.LimitReader(zeros{}, 256<<20))
			return
		}
		io.WriteString(w, "short")
	})
	r := newRig(t)
	r.serveBy(overHTTP2, nil, addressOf(pod))
	for range 50 {
		r.dial().send(request("GET", "/long", ""))
	}
	endpoint := r.pools.Pool(cart).Set().Endpoint(0)
	eventually(t, "the long responses to begin", func() bool { return endpoint.InFlight() == 50 })
	client := r.dial()
	for range 50 {
		client.get("/").expectOK(t, "short")
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestHTTP2Pod_removedEndpoint(t *testing.T) {
	begun, end := make(chan struct{}), make(chan struct{})
	pod := startHTTP2(t, "pod-a", func(p *http2Pod, stream uint32) {
		close(begun)
		<-end
		p.answer(stream, "last")
	})
	r := newRig(t)
	r.serveBy(overHTTP2, nil, pod.addr)
	client := r.dial()
	client.send(request("GET", "/", ""))
	<-begun
	r.replace(cart)
	if pod.connections() != 1 {
		t.Errorf("%d connections while a request is in flight", pod.connections())
	}
	close(end)
	client.read("GET").expectOK(t, "last")
	eventually(t, "the connection to end", func() bool { return pod.connections() == 0 })
}

func TestHTTP2Upload_slowPodBlocksNoOther(t *testing.T) {
	r := newRig(t)
	stuck := startPod(t, "stuck", func(*podConn) { <-t.Context().Done() })
	r.replace(blog, stuck.endpoint(model.EndpointReady))
	r.replace(cart, startEcho(t, "pod-a").endpoint(model.EndpointReady))
	long := routeTo(blog, nil)
	long.Path = "/long"
	r.publish(routeTo(cart, nil), long)
	c := http2Client(t)
	ctx, cancel := context.WithCancel(t.Context())
	var sent atomic.Int64
	var uploads sync.WaitGroup
	for range 40 {
		uploads.Go(func() {
			body := io.TeeReader(zeros{}, counter{&sent})
			q, _ := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+r.addr+"/long", body)
			if answer, err := c.Do(q); err == nil {
				answer.Body.Close()
			}
		})
	}
	before := int64(-1)
	tick := time.NewTicker(300 * time.Millisecond)
	for now := sent.Load(); now != before || now == 0; now = sent.Load() {
		before = now
		<-tick.C
	}
	tick.Stop()
	for range 5 {
		if got := do(t, c, newRequest(t, http.MethodPost, "http://"+r.addr+"/", strings.NewReader("short"))); got.body != "short" {
			t.Errorf("got %q", got.body)
		}
	}
	cancel()
	uploads.Wait()
}

type counter struct{ n *atomic.Int64 }

func (c counter) Write(p []byte) (int, error) { c.n.Add(int64(len(p))); return len(p), nil }
