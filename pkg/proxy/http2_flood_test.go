package proxy

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/limpet-dev/limpet/pkg/exchange"
)

// mostFrames is more than any flood gets through: its allowance, what that grows by while the test runs, and what is
// in the buffers of the sockets when the connection is ended.
const mostFrames = 2_000_000

// mostMemory is more than the heap may grow by while one connection floods.
const mostMemory = 64 << 20

func TestHTTP2Flood_closesConnection(t *testing.T) {
	type flood = func(p *peer, i uint32) error
	for name, c := range map[string]struct {
		byFrames bool // it is the number of frames that ends it, not what they hold
		first    flood
		rest     flood
	}{
		"rapid resets": {true, nil, func(p *peer, i uint32) error {
			if err := p.open(2*i+1, true, plain...); err != nil {
				return err
			}
			return p.WriteRSTStream(2*i+1, http2.ErrCodeCancel)
		}},
		"streams that bring themselves to be reset": {true, nil, func(p *peer, i uint32) error {
			if err := p.open(2*i+1, true, plain...); err != nil {
				return err
			}
			return p.WriteWindowUpdate(2*i+1, 0)
		}},
		"requests on a stream that was reset": {true, resetByServer, func(p *peer, _ uint32) error {
			return p.open(1, true, plain...)
		}},
		"trailers on a stream that was reset": {true, resetByServer, func(p *peer, i uint32) error {
			return p.open(1, i%2 == 0, "x-sum", "1")
		}},
		"settings": {true, nil, func(p *peer, i uint32) error {
			return p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: i % 65536})
		}},
		"pings":      {true, nil, func(p *peer, _ uint32) error { return p.WritePing(false, [8]byte{}) }},
		"priorities": {true, nil, func(p *peer, _ uint32) error { return p.WritePriority(1, http2.PriorityParam{StreamDep: 3}) }},
		"empty data": {true, openPost, func(p *peer, _ uint32) error { return p.WriteData(1, false, nil) }},
		"unknown frames": {true, nil, func(p *peer, _ uint32) error {
			return p.WriteRawFrame(0xfa, 0, 0, nil)
		}},
		"empty continuations": {true, openUnfinished, func(p *peer, _ uint32) error { return p.WriteContinuation(1, false, nil) }},
		"continuations of a byte": {true, openUnfinished, func(p *peer, i uint32) error {
			const field = "\x00\x01x\x7f\xff\xff\x02" // of many bytes, by its length
			return p.WriteContinuation(1, false, []byte{(field + "y")[min(i, uint32(len(field)))]})
		}},
		"continuations": {false, openUnfinished, func(p *peer, i uint32) error {
			return p.WriteContinuation(1, false, p.encode(fmt.Sprintf("x-%d", i), strings.Repeat("v", 1000)))
		}},
		"continuations after something invalid": {false, openUnfinished, func(p *peer, i uint32) error {
			return p.WriteContinuation(1, false, p.encode("X-Upper", fmt.Sprint(i)))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, slowly)
			var reached atomic.Int64
			r.servePods(nil, 1, func(name string, w http.ResponseWriter, q *http.Request) {
				reached.Add(1)
				io.Copy(io.Discard, q.Body)
				fmt.Fprint(w, name)
			})
			bounded(t, r, func() {
				p := dialHTTP2(t, r.addr)
				ended := p.ended()
				if c.first != nil {
					p.must(c.first(p, 0))
				}
				for i := range uint32(mostFrames) {
					if c.rest(p, i) != nil {
						<-ended
						return
					}
				}
				t.Error("the flood continues")
			})
			if n := reached.Load(); n > 50*defaultBudget.ResetBurst {
				t.Errorf("the pod was sent %d requests", n)
			}
			if c.byFrames {
				r.expectMetric(`limpet_connections_refused_total{reason="flood"}`, 1)
			}
		})
	}
}

// slowly keeps allowances from growing faster than a busy machine can flood.
func slowly(o *Options) {
	o.budget = defaultBudget
	o.budget.ResetsPerSecond, o.budget.EmptyFramesPerSecond = 5, 50
}

func openPost(p *peer, _ uint32) error {
	return p.open(1, false, append([]string{":method", "POST"}, plain[2:]...)...)
}

// resetByServer opens a stream and makes Limpet reset it.
func resetByServer(p *peer, _ uint32) error {
	if err := openPost(p, 0); err != nil {
		return err
	}
	return p.WriteWindowUpdate(1, 0)
}

func openUnfinished(p *peer, _ uint32) error {
	return p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: p.encode(plain...)})
}

// bounded runs an attack, beside which an honest client must be served, and memory must stay within its bound.
func bounded(t *testing.T, r *rig, attack func()) {
	t.Helper()
	before := heap()
	done := make(chan struct{})
	go func() {
		defer close(done)
		attack()
	}()
	honest, most := http2Client(t), uint64(0)
	for n := 0; ; n++ {
		if got := do(t, honest, newRequest(t, http.MethodGet, "http://"+r.addr+"/honest", nil)); got.body != "cart-0" {
			t.Fatalf("an honest client got %q", got.body)
		}
		if n%50 == 0 {
			most = max(most, heap())
		}
		select {
		case <-done:
			if most > before+mostMemory {
				t.Errorf("the heap has grown by %d MiB", (most-before)>>20)
			}
			return
		default:
		}
	}
}

// A connection may reset all of its streams and remain open, and may send pings as fast as responses arrive.
func TestHTTP2Flood_ordinaryClients(t *testing.T) {
	r := newRig(t)
	r.servePods(nil, 1, func(name string, w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/slow" {
			<-q.Context().Done()
			return
		}
		fmt.Fprint(w, name)
	})
	p := dialHTTP2(t, r.addr)
	slow := append([]string{":path", "/slow"}, plain[:6]...)
	id := uint32(1)
	for range maxStreams {
		p.must(p.open(id, true, slow...))
		id += 2
	}
	for back := range uint32(maxStreams) {
		p.must(p.WriteRSTStream(1+2*back, http2.ErrCodeCancel))
	}
	for range 2000 {
		p.must(p.WritePing(false, [8]byte{1}))
		p.await("the answer to a ping", func(f http2.Frame) bool { return f.Header().Type == http2.FramePing })
	}
	p.must(p.open(id, true, plain...))
	if got := p.outcome(id); got != "200" {
		t.Errorf("the next request ends with %s", got)
	}
}

// Clients that request much and read nothing hold streams, and the pods behind them, until the read timeout.
func TestHTTP2Window_neverOpened(t *testing.T) {
	r := newRig(t, quick(func(o *exchange.Timeouts) { o.Body = 500 * time.Millisecond }))
	var open atomic.Int64
	r.servePods(nil, 1, func(name string, w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/honest" {
			fmt.Fprint(w, name)
			return
		}
		open.Add(1)
		defer open.Add(-1)
		for {
			if _, err := io.WriteString(w, mebibyte); err != nil {
				return
			}
		}
	})
	bounded(t, r, func() {
		p := dialHTTP2(t, r.addr, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
		const streams = 100
		for i := range uint32(streams) {
			p.must(p.open(2*i+1, true, plain...))
		}
		for ended := 0; ended < streams; ended++ {
			p.await("a reset", func(f http2.Frame) bool { return f.Header().Type == http2.FrameRSTStream })
		}
	})
	eventually(t, "the pod to be released", func() bool { return open.Load() == 0 })
}

func TestHTTP2_maxConcurrentStreams(t *testing.T) {
	r := newRig(t)
	release := make(chan struct{})
	r.servePods(nil, 1, func(name string, w http.ResponseWriter, q *http.Request) {
		if q.URL.Path != "/honest" {
			<-release
		}
		fmt.Fprint(w, name)
	})
	bounded(t, r, func() {
		p := dialHTTP2(t, r.addr)
		const over = 2 * maxStreams
		for i := range uint32(over) {
			p.must(p.open(2*i+1, true, plain...))
		}
		for refused := 0; refused < over-maxStreams; refused++ {
			p.await("a refusal", func(f http2.Frame) bool { return f.Header().Type == http2.FrameRSTStream })
		}
		close(release)
		for answered := 0; answered < maxStreams; answered++ {
			p.await("a response", func(f http2.Frame) bool { return f.Header().Flags.Has(http2.FlagDataEndStream) })
		}
	})
}

// A list of fields is measured as decoded: references to the dynamic table make much of few bytes.
func TestHTTP2_fieldListTooLarge(t *testing.T) {
	r := newRig(t)
	r.servePods(nil, 1, sayName)
	large := strings.Repeat("v", 4000)
	for name, c := range map[string]struct{ fields, want string }{
		"one field":      {strings.Repeat("w", 80<<10), "431"}, // which is the affair of its stream
		"one far longer": {strings.Repeat("w", 160<<10), "GOAWAY COMPRESSION_ERROR"},
		"a reference":    {large, "431"},
	} {
		t.Run(name, func(t *testing.T) {
			p := dialHTTP2(t, r.addr)
			fields := append([]string{}, plain...)
			for range 30 {
				fields = append(fields, "x", c.fields)
				if len(c.fields) > 4000 {
					break
				}
			}
			block := p.encode(fields...)
			p.must(p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block[:min(len(block), http2FrameSize)],
				EndStream: true, EndHeaders: len(block) <= http2FrameSize}))
			for rest := block[min(len(block), http2FrameSize):]; len(rest) > 0; {
				n := min(len(rest), http2FrameSize)
				p.must(p.WriteContinuation(1, n == len(rest), rest[:n]))
				rest = rest[n:]
			}
			if got := p.outcome(1); got != c.want {
				t.Errorf("it ends with %s, want %s", got, c.want)
			}
			if c.want != "431" {
				<-p.ended()
			}
		})
	}
}
