package proxy

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/limpet-dev/limpet/pkg/model"
)

var overHTTP2 = model.Transport{HTTP2: true}

// http2Pod is a pod's end of an HTTP/2 connection. It can send arbitrary frames.
type http2Pod struct {
	*http2.Framer
	conn *podConn
}

// startHTTP2 runs a pod that greets, and does what the script says for the head of each request.
func startHTTP2(t *testing.T, name string, script func(p *http2Pod, stream uint32)) *pod {
	t.Helper()
	return startGreeting(t, name, func(p *http2Pod) { p.WriteSettings() }, script)
}

// startGreeting runs a pod that calls greet at the start of each connection, and script for each request.
func startGreeting(t *testing.T, name string, greet func(p *http2Pod), script func(p *http2Pod, stream uint32)) *pod {
	t.Helper()
	return startPod(t, name, func(c *podConn) {
		if _, err := io.ReadFull(c.Reader, make([]byte, len(http2.ClientPreface))); err != nil {
			return
		}
		p := &http2Pod{Framer: http2.NewFramer(c.Conn, c.Reader), conn: c}
		p.AllowIllegalWrites = true
		greet(p)
		for {
			frame, err := p.ReadFrame()
			if err != nil {
				return
			}
			switch f := frame.(type) {
			case *http2.SettingsFrame:
				if !f.IsAck() {
					p.WriteSettingsAck()
				}
			case *http2.HeadersFrame:
				c.pod.note(fmt.Sprint("stream ", f.StreamID))
				script(p, f.StreamID)
			}
		}
	})
}

func (p *http2Pod) head(stream uint32, last bool, fields ...string) {
	p.WriteHeaders(http2.HeadersFrameParam{
		StreamID: stream, BlockFragment: encodeFields(fields...), EndStream: last, EndHeaders: true,
	})
}

func encodeFields(fields ...string) []byte {
	var block bytes.Buffer
	e := hpack.NewEncoder(&block)
	for i := 0; i < len(fields); i += 2 {
		e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]})
	}
	return block.Bytes()
}

func (p *http2Pod) answer(stream uint32, body string) {
	p.head(stream, false, ":status", "200")
	p.WriteData(stream, true, []byte(body))
}

// Nothing of what such a pod sends passes for a response, and the next request finds a way that works.
func TestHTTP2Pod_invalidFields(t *testing.T) {
	for name, say := range map[string]func(p *http2Pod, stream uint32){
		"no status":               func(p *http2Pod, s uint32) { p.head(s, true, "x-a", "b") },
		"a length without a body": func(p *http2Pod, s uint32) { p.head(s, true, ":status", "200", "content-length", "4") },
		"status of letters":       func(p *http2Pod, s uint32) { p.head(s, true, ":status", "abc") },
		"status 101":              func(p *http2Pod, s uint32) { p.head(s, true, ":status", "101") },
		"status 99":               func(p *http2Pod, s uint32) { p.head(s, true, ":status", "99") },
		"status 1000":             func(p *http2Pod, s uint32) { p.head(s, true, ":status", "1000") },
		"upper case name":         func(p *http2Pod, s uint32) { p.head(s, true, ":status", "200", "X-A", "b") },
		"line break in a value":   func(p *http2Pod, s uint32) { p.head(s, true, ":status", "200", "x-a", "b\r\nc: d") },
		"NUL in a value":          func(p *http2Pod, s uint32) { p.head(s, true, ":status", "200", "x-a", "b\x00") },
		"pseudo field of request": func(p *http2Pod, s uint32) { p.head(s, true, ":status", "200", ":path", "/") },
		"pseudo field at the end": func(p *http2Pod, s uint32) { p.head(s, true, "x-a", "b", ":status", "200") },
		"data before the head":    func(p *http2Pod, s uint32) { p.WriteData(s, true, []byte("body")) },
		"broken compression": func(p *http2Pod, s uint32) {
			p.WriteHeaders(http2.HeadersFrameParam{StreamID: s, BlockFragment: []byte{0xff, 0xff, 0xff, 0xff, 0xff}, EndHeaders: true})
		},
		"endless 1xx": func(p *http2Pod, s uint32) {
			for range 100 {
				p.head(s, false, ":status", "103")
			}
		},
		"a head beyond all bounds": func(p *http2Pod, s uint32) {
			p.WriteHeaders(http2.HeadersFrameParam{StreamID: s, BlockFragment: encodeFields(":status", "200")})
			for range 100 {
				p.WriteContinuation(s, false, encodeFields("x-a", strings.Repeat("b", 10000)))
			}
			p.WriteContinuation(s, true, nil)
		},
		"a push": func(p *http2Pod, s uint32) {
			p.WritePushPromise(http2.PushPromiseParam{StreamID: s, PromiseID: 2, EndHeaders: true, BlockFragment: encodeFields(plain...)})
		},
		"a frame size out of range": func(p *http2Pod, _ uint32) {
			p.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: 1})
		},
		"a window out of range": func(p *http2Pod, _ uint32) {
			p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 31})
		},
		"a window that overflows": func(p *http2Pod, s uint32) {
			p.WriteWindowUpdate(s, 1<<31-1)
			p.WriteWindowUpdate(s, 1<<31-1)
		},
		"settings on a stream": func(p *http2Pod, s uint32) { p.WriteRawFrame(http2.FrameSettings, 0, s, nil) },
		"a frame cut off": func(p *http2Pod, s uint32) {
			p.conn.Conn.Write([]byte{0, 0, 9, 1, 4, 0, 0, 0, byte(s), 1, 2})
			p.conn.Conn.Close()
		},
		"not HTTP/2 at all": func(p *http2Pod, _ uint32) {
			p.conn.say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			p.conn.Conn.Close()
		},
		"a reset":          func(p *http2Pod, s uint32) { p.WriteRSTStream(s, http2.ErrCodeInternal) },
		"the end":          func(p *http2Pod, _ uint32) { p.conn.Conn.Close() },
		"a reset of TCP":   func(p *http2Pod, _ uint32) { p.conn.reset() },
		"a farewell first": func(p *http2Pod, s uint32) { p.WriteGoAway(s, http2.ErrCodeInternal, nil); p.conn.Conn.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			var isGood atomic.Bool
			pod := startHTTP2(t, "pod-a", func(p *http2Pod, stream uint32) {
				if isGood.Load() {
					p.answer(stream, "good")
					return
				}
				say(p, stream)
			})
			r := newRig(t)
			r.serveBy(overHTTP2, nil, pod.addr)
			client := r.dial()
			client.send(request("POST", "/", "body"))
			got := client.read("POST")
			for got.status == http.StatusEarlyHints {
				got = client.read("POST")
			}
			got.expectStatus(t, 502)
			isGood.Store(true)
			client.get("/").expectOK(t, "good")
		})
	}
}

func TestHTTP2Cut_seenByClient(t *testing.T) {
	for name, say := range map[string]func(p *http2Pod, stream uint32){
		"reset":                   func(p *http2Pod, s uint32) { p.WriteRSTStream(s, http2.ErrCodeInternal) },
		"end":                     func(p *http2Pod, _ uint32) { p.conn.Conn.Close() },
		"less than was announced": func(p *http2Pod, s uint32) { p.WriteData(s, true, []byte("f")) },
	} {
		t.Run(name, func(t *testing.T) {
			pod := startHTTP2(t, "pod-a", func(p *http2Pod, stream uint32) {
				p.head(stream, false, ":status", "200", "content-length", "8")
				p.WriteData(stream, false, []byte("hal"))
				say(p, stream)
			})
			r := newRig(t)
			r.serveBy(overHTTP2, nil, pod.addr)
			client := r.dial()
			if got := client.get("/"); got.err == nil || got.status != 200 {
				t.Errorf("status %d, body %q, %v", got.status, got.body, got.err)
			}
			client.expectClosed()
		})
	}
}
