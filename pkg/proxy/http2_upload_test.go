package proxy

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	engine "github.com/limpet-dev/limpet/pkg/http2"
)

// giver is a peer that sends bodies, and keeps to the windows that it is given.
type giver struct {
	*peer
	initial int64
	conn    int64
	windows map[uint32]int64
	fates   map[uint32]string // of streams: their status, and the code of their reset if there is no status before it
	body    map[uint32]string // of their responses
}

func dialGiver(t *testing.T, addr string) *giver {
	t.Helper()
	p := dialHTTP2(t, addr, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 20}) // enough for all responses
	g := &giver{
		peer: p, initial: firstWindow, conn: firstWindow,
		windows: map[uint32]int64{}, fates: map[uint32]string{}, body: map[uint32]string{},
	}
	acknowledged := false
	for !acknowledged {
		f := g.next()
		acknowledged = isSettingsAck(f)
	}
	return g
}

// next reads a frame, and records its effect on windows and streams.
func (g *giver) next() http2.Frame {
	g.t.Helper()
	frame, err := g.ReadFrame()
	g.must(err)
	id := frame.Header().StreamID
	switch f := frame.(type) {
	case *http2.SettingsFrame:
		if initial, ok := f.Value(http2.SettingInitialWindowSize); ok {
			g.initial = int64(initial)
		}
	case *http2.WindowUpdateFrame:
		if id == 0 {
			g.conn += int64(f.Increment)
		} else {
			g.windows[id] += int64(f.Increment)
		}
	case *http2.MetaHeadersFrame:
		g.fates[id] = f.PseudoValue("status")
	case *http2.DataFrame:
		g.body[id] += string(f.Data())
		if f.Length > 0 {
			g.must(g.WriteWindowUpdate(0, f.Length))
		}
	case *http2.RSTStreamFrame:
		if g.fates[id] == "" {
			g.fates[id] = f.ErrCode.String()
		}
	}
	return frame
}

func (g *giver) begin(id uint32, path string) {
	g.t.Helper()
	g.windows[id] = g.initial
	g.must(g.open(id, false, append([]string{":path", path}, plainPost[:6]...)...))
}

// send sends n bytes of a body in frames of this size, as windows allow, unless the stream ends before. Padding comes on
// top.
func (g *giver) send(id uint32, n, size, pad int) {
	g.t.Helper()
	cost := int64(size)
	if pad > 0 {
		cost += int64(pad) + 1
	}
	for sent := 0; sent < n; sent += size {
		for g.conn < cost || g.windows[id] < cost {
			if g.next(); g.fates[id] != "" {
				return
			}
		}
		var padding []byte
		if pad > 0 {
			padding = octets(pad)
		}
		g.must(g.WriteDataPadded(id, false, octets(min(size, n-sent)), padding))
		g.conn -= cost
		g.windows[id] -= cost
	}
}

// end ends the body, and returns the result of the stream.
func (g *giver) end(id uint32) string {
	g.t.Helper()
	g.must(g.WriteData(id, true, nil))
	return g.fate(id)
}

func (g *giver) fate(id uint32) string {
	g.t.Helper()
	for g.fates[id] == "" {
		g.next()
	}
	return g.fates[id]
}

// RFC 9113 section 6.9.1: window credit is returned for everything that a pod has read, including padding.
func TestHTTP2Window_anyLength(t *testing.T) {
	r := newRig(t)
	r.servePods(nil, 1, func(_ string, w http.ResponseWriter, q *http.Request) {
		n, _ := io.Copy(io.Discard, q.Body)
		fmt.Fprint(w, n)
	})
	for _, c := range []struct {
		name         string
		n, size, pad int
	}{
		{"long", 40 << 20, http2FrameSize, 0},
		{"a byte at a time", 200 << 10, 1, 0},
		{"padding only", 1 << 10, 1, 255},
		{"padded", 1 << 20, 1000, 100},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := dialGiver(t, r.addr)
			g.begin(1, "/")
			g.send(1, c.n, c.size, c.pad)
			if got := g.end(1); got != "200" {
				t.Fatalf("it ends with %s", got)
			}
			for !ends(g.next()) {
			}
			if got := g.body[1]; got != strconv.Itoa(c.n) {
				t.Errorf("the pod has got %s bytes, want %d", got, c.n)
			}
		})
	}
}

// However a stream ends, its share of the connection's window is returned. Otherwise the window would be exhausted
// after a while.
func TestHTTP2Window_returnedAfterStreams(t *testing.T) {
	r := newRig(t, func(o *Options) { o.budget = engine.Budget{ResetBurst: 1e6, EmptyFrameBurst: 1e6} })
	r.servePods(nil, 1, func(_ string, w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/unread" {
			http.NewResponseController(w).EnableFullDuplex() // else net/http waits for the body
			io.WriteString(w, "a response before the body")
			return
		}
		io.Copy(io.Discard, q.Body)
	})
	const body = 48 << 10
	for name, finish := range map[string]func(g *giver, id uint32){
		"early response": func(g *giver, id uint32) {
			g.begin(id, "/unread")
			g.send(id, body, http2FrameSize, 0)
			g.fate(id)
			g.must(g.WriteRSTStream(id, http2.ErrCodeNo))
		},
		"reset by the client": func(g *giver, id uint32) {
			g.begin(id, "/")
			g.send(id, body, http2FrameSize, 0)
			g.must(g.WriteRSTStream(id, http2.ErrCodeCancel))
		},
		"malformed": func(g *giver, id uint32) {
			g.begin(id, "/")
			g.send(id, body, http2FrameSize, 0)
			g.must(g.WriteWindowUpdate(id, 0))
			g.fate(id)
		},
		"refused before it was read": func(g *giver, id uint32) {
			g.begin(id, "/../")
			g.send(id, body, http2FrameSize, 0)
			g.fate(id)
		},
		"data after the end, padded": func(g *giver, id uint32) {
			g.must(g.open(id, true, plain...))
			for range body / 256 {
				g.must(g.WriteDataPadded(id, false, nil, octets(255)))
				g.conn -= 256
			}
			for g.conn < body {
				g.next()
			}
		},
		"data after the reset": func(g *giver, id uint32) {
			g.begin(id, "/")
			g.must(g.WriteWindowUpdate(id, 0))
			g.send(id, body, http2FrameSize, 0)
			g.fate(id)
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := dialGiver(t, r.addr)
			id := uint32(1)
			for total := 0; total < connectionWindow+(4<<20); total += body {
				finish(g, id)
				id += 2
			}
			g.begin(id, "/")
			g.send(id, body, http2FrameSize, 0)
			if got := g.end(id); got != "200" {
				t.Errorf("the stream after them ends with %s", got)
			}
		})
	}
}

// RFC 9113 section 6.9.1: what comes beyond a window is refused, and not held.
func TestHTTP2Window_exceeded(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startSilent(t))
	p := dialHTTP2(t, r.addr)
	p.must(p.open(1, false, plainPost...))
	got := make(chan string, 1)
	go func() { got <- p.outcome(1) }()
	for range 64 << 20 / http2FrameSize { // more than fits into the buffers of the sockets to the pod
		if p.WriteData(1, false, octets(http2FrameSize)) != nil {
			break
		}
	}
	if outcome := <-got; !strings.Contains("FLOW_CONTROL_ERROR GOAWAY FLOW_CONTROL_ERROR", outcome) {
		t.Errorf("it ends with %s", outcome)
	}
}
