package proxy

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
)

// attack is an action that a client repeats. The connection may survive it or end.
type attack struct {
	first func(p *peer) error
	again func(p *peer, i uint32) error
	times int
	// most is the maximum number of requests that may reach the pod, if that is bounded.
	most int64
}

// runAttacks has an honest client served beside each, within the bound of memory.
func runAttacks(t *testing.T, attacks map[string]attack) {
	t.Helper()
	for name, a := range attacks {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, slowly)
			var reached atomic.Int64
			r.servePods(nil, 1, func(name string, w http.ResponseWriter, q *http.Request) {
				if q.URL.Path == "/slow" {
					reached.Add(1)
				}
				_, err := io.Copy(io.Discard, q.Body)
				if q.URL.Path == "/slow" && err == nil {
					<-q.Context().Done()
				}
				io.WriteString(w, name)
			})
			bounded(t, r, func() {
				p := dialHTTP2(t, r.addr)
				ended := p.ended()
				if a.first != nil {
					p.must(a.first(p))
				}
				for i := range uint32(a.times) {
					if a.again(p, i) != nil {
						<-ended
						return
					}
				}
				p.conn.Close()
				<-ended
			})
			if n := reached.Load(); a.most > 0 && n > a.most {
				t.Errorf("the pod was sent %d requests, and %d are a flood", n, a.most)
			}
		})
	}
}

var (
	slowGet  = append([]string{":path", "/slow"}, plain[:6]...)
	slowPost = append([]string{":path", "/slow"}, plainPost[:6]...)
)

// A client that makes the server reset a stream costs a pod as much as one that resets streams itself (CVE-2025-8671).
func TestHTTP2Flood_inducedResets(t *testing.T) {
	attacks := map[string]attack{}
	for name, broken := range map[string]func(p *peer, id uint32) error{
		"a window that overflows": func(p *peer, id uint32) error { return p.WriteWindowUpdate(id, 1<<31-1) },
		"a window of nothing":     func(p *peer, id uint32) error { return p.WriteWindowUpdate(id, 0) },
		"data after the end":      func(p *peer, id uint32) error { return p.WriteData(id, true, []byte("x")) },
		"a head after the end":    func(p *peer, id uint32) error { return p.open(id, true, plain...) },
		"trailers after the end":  func(p *peer, id uint32) error { return p.open(id, true, "x", "y") },
		"half a priority":         func(p *peer, id uint32) error { return p.WriteRawFrame(http2.FramePriority, 0, id, octets(4)) },
		"a priority to itself": func(p *peer, id uint32) error {
			if err := p.WritePriority(id, http2.PriorityParam{StreamDep: id}); err != nil {
				return err
			}
			return p.WriteRSTStream(id, http2.ErrCodeNo) // where that is ignored
		},
	} {
		attacks[name] = attack{times: 50_000, most: 50 * defaultBudget.ResetBurst, again: func(p *peer, i uint32) error {
			if err := p.open(2*i+1, true, slowGet...); err != nil {
				return err
			}
			return broken(p, 2*i+1)
		}}
	}
	for name, broken := range map[string]func(p *peer, id uint32) error{
		"more than its length": func(p *peer, id uint32) error { return p.WriteData(id, true, []byte("more than was said")) },
		"less than its length": func(p *peer, id uint32) error { return p.WriteData(id, true, nil) },
		"trailers that are malformed": func(p *peer, id uint32) error {
			return p.open(id, true, ":path", "/")
		},
		"trailers that do not end": func(p *peer, id uint32) error { return p.open(id, false, "x", "y") },
	} {
		attacks[name] = attack{times: 50_000, most: 50 * defaultBudget.ResetBurst, again: func(p *peer, i uint32) error {
			if err := p.open(2*i+1, false, append(slowPost[:8:8], "content-length", "3")...); err != nil {
				return err
			}
			return broken(p, 2*i+1)
		}}
	}
	runAttacks(t, attacks)
}

func TestHTTP2Flood_otherFrames(t *testing.T) {
	bomb := strings.Repeat("b", 4000)
	references := bytes.Repeat([]byte{0x80 | 62}, http2FrameSize)
	runAttacks(t, map[string]attack{
		"windows of a byte": {times: 200_000, again: func(p *peer, _ uint32) error { return p.WriteWindowUpdate(0, 1) }},
		"windows of a stream": {
			times: 200_000, first: func(p *peer) error { return p.open(1, true, slowGet...) },
			again: func(p *peer, _ uint32) error { return p.WriteWindowUpdate(1, 1) },
		},
		"windows of closed streams": {
			times: 200_000, first: func(p *peer) error { return p.open(99, true, plain...) },
			again: func(p *peer, i uint32) error { return p.WriteWindowUpdate(i%49*2+1, 1) },
		},
		"bytes": {
			times: 60_000, first: func(p *peer) error { return p.open(1, false, slowPost...) },
			again: func(p *peer, _ uint32) error { return p.WriteData(1, false, []byte("x")) },
		},
		"bytes on all streams": {
			times: maxStreams * 1000, first: func(p *peer) error {
				for i := range uint32(maxStreams) {
					p.must(p.open(2*i+1, false, slowPost...))
				}
				return nil
			},
			again: func(p *peer, i uint32) error { return p.WriteData(i%maxStreams*2+1, false, []byte("x")) },
		},
		"padding": {
			times: 100_000, first: func(p *peer) error { return p.open(1, false, slowPost...) },
			again: func(p *peer, _ uint32) error { return p.WriteDataPadded(1, false, nil, octets(255)) },
		},
		"lists of references to a long field": {
			times: 300, first: func(p *peer) error { return p.open(1, true, append(plain[:8:8], "bomb", bomb)...) },
			again: func(p *peer, i uint32) error {
				return p.WriteHeaders(http2.HeadersFrameParam{
					StreamID: 2*i + 3, BlockFragment: append(literal(plain...), references[:10_000]...), EndStream: true, EndHeaders: true,
				})
			},
		},
		"one list of references": {
			times: 5_000, first: func(p *peer) error {
				p.must(p.open(1, true, append(plain[:8:8], "bomb", bomb)...))
				return p.WriteRawFrame(http2.FrameHeaders, 0x1, 3, literal(plain...))
			},
			again: func(p *peer, _ uint32) error { return p.WriteContinuation(3, false, references) },
		},
		"one list of what is in every table": {
			times: 5_000, first: func(p *peer) error { return p.WriteRawFrame(http2.FrameHeaders, 0x1, 1, literal(plain...)) },
			again: func(p *peer, _ uint32) error {
				return p.WriteContinuation(1, false, bytes.Repeat([]byte{0x82}, http2FrameSize))
			},
		},
		"a field that does not end": {
			times: 5_000, first: func(p *peer) error { // of 16 MiB, by its length
				return p.WriteRawFrame(http2.FrameHeaders, 0x1, 1, append(literal(plain...), 0, 1, 'x', 0x7f, 0x81, 0xff, 0xff, 0x07))
			},
			again: func(p *peer, _ uint32) error { return p.WriteContinuation(1, false, octets(http2FrameSize)) },
		},
		"a field in bytes": {
			times: 200_000, first: func(p *peer) error {
				return p.WriteRawFrame(http2.FrameHeaders, 0x1, 1, append(literal(plain...), 0, 1, 'x', 0x7f, 0x81, 0xff, 0x03))
			},
			again: func(p *peer, _ uint32) error { return p.WriteContinuation(1, false, []byte("x")) },
		},
		"tables that change": {
			times: 500, first: func(p *peer) error { return p.WriteRawFrame(http2.FrameHeaders, 0x1, 1, nil) },
			again: func(p *peer, _ uint32) error {
				return p.WriteContinuation(1, false, bytes.Repeat([]byte{0x20, 0x3f, 0xe1, 0x1f}, http2FrameSize/4))
			},
		},
		"trailers that do not end": {
			times: 5_000, first: func(p *peer) error {
				p.must(p.open(1, false, slowPost...))
				return p.WriteRawFrame(http2.FrameHeaders, 0x1, 1, nil)
			},
			again: func(p *peer, _ uint32) error { return p.WriteContinuation(1, false, literal("x", bomb)) },
		},
		"long lists, refused": {
			times: 3_000, again: func(p *peer, i uint32) error {
				return p.WriteHeaders(http2.HeadersFrameParam{
					StreamID: 2*i + 1, EndStream: true, EndHeaders: true,
					BlockFragment: append(literal(plain...), bytes.Repeat(literal("x", "y"), 1000)...),
				})
			},
		},
		"goodbyes": {times: 100_000, again: func(p *peer, _ uint32) error { return p.WriteGoAway(0, http2.ErrCodeNo, octets(1000)) }},
		"unknown frames that are long": {times: 100_000, again: func(p *peer, _ uint32) error {
			return p.WriteRawFrame(0xfa, 0, 0, octets(8000))
		}},
		"ping acknowledgements": {times: 200_000, again: func(p *peer, _ uint32) error { return p.WritePing(true, [8]byte{}) }},
		"acknowledgements":      {times: 200_000, again: func(p *peer, _ uint32) error { return p.WriteSettingsAck() }},
		"long settings": {times: 2_000, again: func(p *peer, _ uint32) error {
			return p.WriteRawFrame(http2.FrameSettings, 0, 0, bytes.Repeat([]byte{0, 4, 0, 0, 0, 9}, http2FrameSize/6))
		}},
	})
}

// Settings that change the windows of all streams are work for each of them.
func TestHTTP2Flood_settings(t *testing.T) {
	runAttacks(t, map[string]attack{"windows": {
		times: 100_000, first: func(p *peer) error {
			for i := range uint32(maxStreams) {
				p.must(p.open(2*i+1, true, slowGet...))
			}
			return nil
		},
		again: func(p *peer, i uint32) error {
			return p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: i % 2})
		},
	}})
}
