package proxy

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/model"
)

// Each of these pods accepts connections but no requests on them. Limpet must not retry without end, nor open more
// connections than there are requests.
func TestHTTP2Dial_zeroStreamsFewConnections(t *testing.T) {
	for name, greet := range map[string]func(p *http2Pod){
		"allows none": func(p *http2Pod) {
			p.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 0})
		},
		"leaves immediately": func(p *http2Pod) {
			p.WriteSettings()
			p.WriteGoAway(0, http2.ErrCodeNo, nil)
		},
		"sends nothing":       func(*http2Pod) {},
		"speaks HTTP/1.1":     func(p *http2Pod) { p.conn.say("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n") },
		"breaks the protocol": func(p *http2Pod) { p.WriteRawFrame(http2.FrameSettings, 0, 0, []byte{1}) },
	} {
		t.Run(name, func(t *testing.T) {
			pod := startGreeting(t, "pod-a", greet, func(p *http2Pod, stream uint32) {
				p.WriteRSTStream(stream, http2.ErrCodeRefusedStream)
			})
			r := newRig(t, quick(func(o *exchange.Timeouts) { o.Dial = 300 * time.Millisecond }))
			r.serveBy(overHTTP2, nil, pod.addr)
			const asked = 3
			for range asked {
				if got := r.dial().post("/", "body"); got.status != 502 && got.status != 503 {
					t.Fatalf("got %d", got.status)
				}
			}
			if n := pod.accepted(); n > asked*exchange.DefaultAttempts {
				t.Errorf("it got %d connections", n)
			}
			eventually(t, "the connections to end", func() bool { return pod.connections() == 0 })
		})
	}
}

// The pod's stream limit is known before the first request is sent. Otherwise the first 100 requests would be sent to
// it at the same time.
func TestHTTP2Pod_maxConcurrentStreams(t *testing.T) {
	var mu sync.Mutex
	open := map[*http2Pod]bool{}
	pod := startGreeting(t, "pod-a", func(p *http2Pod) {
		p.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 1})
	}, func(p *http2Pod, stream uint32) {
		mu.Lock()
		defer mu.Unlock()
		if open[p] {
			p.WriteRSTStream(stream, http2.ErrCodeRefusedStream)
			return
		}
		open[p] = true
		time.AfterFunc(20*time.Millisecond, func() {
			mu.Lock()
			defer mu.Unlock()
			delete(open, p)
			p.answer(stream, "ok")
		})
	})
	r := newRig(t)
	r.serveBy(overHTTP2, nil, pod.addr)
	var all sync.WaitGroup
	for range 50 {
		client := r.dial()
		all.Go(func() {
			client.send(request("POST", "/", "body"))
			if got, err := client.tryRead("POST"); err != nil || got.status != http.StatusOK {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
	all.Wait()
}

func TestRouteLimits_http2ConnectTimeout(t *testing.T) {
	pod := startPod(t, "pod-a", (*podConn).untilClosed)
	r := newRig(t, quick(func(o *exchange.Timeouts) { o.Dial = time.Hour }))
	r.serveBy(overHTTP2, nil, pod.addr)
	route := routeTo(cart, nil)
	route.Backends[0].Transport = overHTTP2
	route.Limits = &model.Limits{ConnectTimeout: 200 * time.Millisecond}
	r.publish(route)
	r.dial().get("/").expectStatus(t, 503)
}
