package proxy

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/limpet-dev/limpet/pkg/exchange"
	engine "github.com/limpet-dev/limpet/pkg/http2"
	"github.com/limpet-dev/limpet/pkg/model"
)

// Other frames of a pod, and the frame boundaries of its response, make no difference to the client.
func TestHTTP2Pod_responseFraming(t *testing.T) {
	for name, say := range map[string]func(p *http2Pod, s uint32){
		"in one frame each": func(p *http2Pod, s uint32) { p.answer(s, "whole") },
		"bytes of the head": func(p *http2Pod, s uint32) {
			block := encodeFields(":status", "200", "x-a", "b")
			p.WriteHeaders(http2.HeadersFrameParam{StreamID: s, BlockFragment: block[:1], PadLength: 5})
			for i := range block[1:] {
				p.WriteContinuation(s, i == len(block)-2, block[1+i:2+i])
			}
			p.WriteData(s, true, []byte("whole"))
		},
		"bytes of the body, padded": func(p *http2Pod, s uint32) {
			p.head(s, false, ":status", "200")
			for i := range "whole" {
				p.WriteDataPadded(s, false, []byte("whole"[i:i+1]), octets(255))
			}
			p.WriteDataPadded(s, true, nil, octets(1))
		},
		"an end of its own": func(p *http2Pod, s uint32) {
			p.head(s, false, ":status", "200", "content-length", "5")
			p.WriteData(s, false, []byte("whole"))
			p.WriteData(s, true, nil)
		},
		"after what is only a hint": func(p *http2Pod, s uint32) {
			p.head(s, false, ":status", "100")
			p.answer(s, "whole")
		},
		"between other frames": func(p *http2Pod, s uint32) {
			p.WriteRawFrame(0xfa, 0xff, s, octets(100))
			p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 7}, http2.Setting{ID: 0xf000, Val: 7})
			p.head(s, false, ":status", "200")
			p.WritePing(false, [8]byte{1})
			p.WritePriority(s, http2.PriorityParam{StreamDep: 9})
			p.WriteData(s, false, []byte("who"))
			p.WriteWindowUpdate(0, 1)
			p.WriteGoAway(s, http2.ErrCodeNo, []byte("bye"))
			p.WriteData(s, true, []byte("le"))
		},
		"with trailers": func(p *http2Pod, s uint32) {
			p.head(s, false, ":status", "200")
			p.WriteData(s, false, []byte("whole"))
			p.head(s, true, "x-sum", "5")
		},
		"with the rest of the request refused": func(p *http2Pod, s uint32) {
			p.answer(s, "whole")
			p.WriteRSTStream(s, http2.ErrCodeNo)
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.serveBy(overHTTP2, nil, startHTTP2(t, "pod-a", say).addr)
			client := r.dial()
			for range 3 {
				client.get("/").expectOK(t, "whole")
			}
		})
	}
}

// If a pod violates the protocol in the middle of its response, the client sees the response end early, and that
// connection gets no further request.
func TestHTTP2Pod_protocolErrors(t *testing.T) {
	for name, say := range map[string]func(p *http2Pod, s uint32){
		"another head":      func(p *http2Pod, s uint32) { p.head(s, false, ":status", "200") },
		"a status at last":  func(p *http2Pod, s uint32) { p.head(s, true, ":status", "200") },
		"malformed fields":  func(p *http2Pod, s uint32) { p.head(s, true, "X-Sum", "5") },
		"more than its own": func(p *http2Pod, s uint32) { p.WriteData(s, true, []byte("more than was said")) },
		"no stream":         func(p *http2Pod, _ uint32) { p.WriteData(0, true, nil) },
		"no stream yet":     func(p *http2Pod, s uint32) { p.answer(s+2, "not requested") },
		"a stream of its own": func(p *http2Pod, _ uint32) {
			p.head(2, true, ":status", "200")
		},
		"a push that is allowed": func(p *http2Pod, _ uint32) {
			p.WriteSettings(http2.Setting{ID: http2.SettingEnablePush, Val: 1})
		},
		"more than the window": func(p *http2Pod, s uint32) {
			for range 200 << 20 / http2FrameSize {
				if p.WriteData(s, false, octets(http2FrameSize)) != nil {
					return
				}
			}
		},
		"too much padding": func(p *http2Pod, s uint32) { p.WriteRawFrame(http2.FrameData, 0x8, s, []byte{9, 1}) },
		"a frame too long": func(p *http2Pod, s uint32) { p.WriteData(s, false, octets(http2FrameSize+1)) },
	} {
		t.Run(name, func(t *testing.T) {
			pod := startHTTP2(t, "pod-a", func(p *http2Pod, s uint32) {
				if len(p.conn.pod.requests()) > 1 {
					p.answer(s, "good")
					return
				}
				if name == "more than the window" {
					p.head(s, false, ":status", "200")
				} else {
					p.head(s, false, ":status", "200", "content-length", "8")
				}
				p.WriteData(s, false, []byte("half"))
				say(p, s)
			})
			r := newRig(t)
			r.serveBy(overHTTP2, nil, pod.addr)
			client := r.dial()
			client.send(request("GET", "/", ""))
			if got, err := client.tryRead("GET"); err == nil && got.err == nil {
				t.Errorf("%d with %d bytes passes for a whole response", got.status, len(got.body))
			}
			r.dial().get("/").expectOK(t, "good")
		})
	}
}

// Floods of pods are bounded as those of clients are, if wider.
func TestHTTP2Flood_fromPod(t *testing.T) {
	for name, again := range map[string]func(p *http2Pod, s uint32) error{
		"pings":    func(p *http2Pod, _ uint32) error { return p.WritePing(false, [8]byte{}) },
		"settings": func(p *http2Pod, _ uint32) error { return p.WriteSettings() },
		"nothing":  func(p *http2Pod, s uint32) error { return p.WriteData(s, false, nil) },
		"unknown":  func(p *http2Pod, _ uint32) error { return p.WriteRawFrame(0xfa, 0, 0, nil) },
		"hints": func(p *http2Pod, s uint32) error {
			p.head(s, false, ":status", "103", "x-a", strings.Repeat("b", 1000))
			return p.WritePing(true, [8]byte{})
		},
		"continuations": func(p *http2Pod, s uint32) error {
			return p.WriteRawFrame(http2.FrameContinuation, 0, s, bytes.Repeat([]byte{0x82}, 1000))
		},
	} {
		t.Run(name, func(t *testing.T) {
			pod := startHTTP2(t, "pod-a", func(p *http2Pod, s uint32) {
				if name == "continuations" {
					p.WriteHeaders(http2.HeadersFrameParam{StreamID: s, BlockFragment: encodeFields(":status", "200")})
				}
				for again(p, s) == nil {
				}
			})
			// What grows faster than a busy machine can flood would never be used up.
			few := engine.Budget{ResetBurst: 1000, EmptyFrameBurst: 1000}
			r := newRig(t, func(o *Options) { o.PodBudget = few })
			r.servePods(nil, 1, sayName)
			route := routeTo(blog, nil)
			route.Path = "/flood"
			route.Backends[0].Transport = overHTTP2
			r.replace(blog, pod.endpoint(model.EndpointReady))
			r.publish(routeTo(cart, nil), route)
			bounded(t, r, func() {
				client := r.dial()
				client.send(request("POST", "/flood", "x"))
				got := client.read("POST")
				for got.status == http.StatusEarlyHints {
					got = client.read("POST")
				}
				got.expectStatus(t, http.StatusBadGateway)
			})
		})
	}
}

// A pod that accepts no streams does not cause an unbounded number of connections.
func TestHTTP2Dial_zeroStreams(t *testing.T) {
	pod := startPod(t, "pod-a", func(c *podConn) {
		f := http2.NewFramer(c.Conn, c.Reader)
		f.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 0})
		io.Copy(io.Discard, c.Reader)
	})
	r := newRig(t, quick(func(o *exchange.Timeouts) { o.Response = 200 * time.Millisecond }))
	r.serveBy(overHTTP2, nil, pod.addr)
	const requests = 4
	for range requests {
		if got := r.dial().get("/"); got.status < 500 {
			t.Errorf("got status %d", got.status)
		}
	}
	if n := pod.accepted(); n > 5*requests {
		t.Errorf("%d connections for %d requests", n, requests)
	}
}
