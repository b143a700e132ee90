package proxy

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/limpet-dev/limpet/pkg/exchange"
)

// RFC 9113 section 6.9.
func TestHTTP2Window_respected(t *testing.T) {
	r := newRig(t)
	r.serveBytes()
	for name, run := range map[string]func(k *taker){
		"closed at first": func(k *taker) {
			k.ask(1, 100)
			k.quiet(1, 0)
			k.grant(1, 1)
			k.until(1, 1)
			k.quiet(1, 1)
			k.grant(1, 1<<20)
			k.end(1, 100)
		},
		"a byte at a time": func(k *taker) {
			k.ask(1, 500)
			for n := range int64(500) {
				k.grant(1, 1)
				k.until(1, n+1)
			}
			k.end(1, 500)
		},
		"raised while a stream waits": func(k *taker) {
			k.ask(1, 100)
			k.quiet(1, 0)
			k.change(40)
			k.until(1, 40)
			k.quiet(1, 40)
			k.change(100)
			k.end(1, 100)
		},
		"lowered below nothing": func(k *taker) {
			k.change(100)
			k.ask(1, 1000)
			k.until(1, 100)
			k.change(40)
			k.grant(1, 60)
			k.quiet(1, 100) // the window is 0 now
			k.grant(1, 1)
			k.until(1, 101)
			k.quiet(1, 101)
			k.change(0)
			k.change(1000)
			k.end(1, 1000)
		},
		"of the connection": func(k *taker) {
			k.change(1 << 20)
			k.ask(1, 100_000)
			k.ask(3, 100_000)
			for k.conn > 0 {
				k.next()
			}
			k.quiet(1, k.streams[1].got)
			for n := range int64(10) {
				k.grant(0, 1)
				for k.conn > 0 {
					k.next()
				}
				k.quiet(3, firstWindow+n+1-k.streams[1].got)
			}
			k.grant(0, 1<<20)
			k.end(1, 100_000)
			k.end(3, 100_000)
		},
		"opened before there is anything to send": func(k *taker) {
			k.ask(1, 10)
			k.grant(1, 1<<31-1)
			k.end(1, 10)
		},
		"of streams that were reset, and so had none of the connection's": func(k *taker) {
			k.change(30_000)
			for _, id := range []uint32{1, 3} {
				k.ask(id, 1<<20)
				k.until(id, 30_000)
				k.must(k.WriteRSTStream(id, http2.ErrCodeCancel))
			}
			k.ask(5, 30_000)
			k.until(5, firstWindow-60_000)
			k.quiet(5, firstWindow-60_000)
			k.grant(0, 1<<20)
			k.end(5, 30_000)
		},
		"none for what has no bytes": func(k *taker) {
			k.ask(1, 0)
			k.end(1, 0)
			k.streams[3] = &taken{}
			k.must(k.open(3, true, append([]string{":path", "/0?chunked"}, plain[:6]...)...))
			k.end(3, 0)
		},
	} {
		t.Run(name, func(t *testing.T) { run(dialTaker(t, r.addr, 0)) })
	}
}

func TestHTTP2Window_overflow(t *testing.T) {
	r := newRig(t)
	r.serveEcho()
	slow := append([]string{":path", "/slow"}, plain[:6]...)
	runFrames(t, r, []frameCase{
		{name: "a stream's", want: "FLOW_CONTROL_ERROR", send: func(p *peer) error {
			p.must(p.open(1, true, slow...), p.WriteWindowUpdate(1, 1<<31-1-firstWindow))
			return p.WriteWindowUpdate(1, 1)
		}},
		{name: "the connection's", want: "GOAWAY FLOW_CONTROL_ERROR", send: func(p *peer) error {
			p.must(p.WriteWindowUpdate(0, 1<<31-1-firstWindow))
			return p.WriteWindowUpdate(0, 1)
		}},
		{name: "a stream's, by a setting", want: "GOAWAY FLOW_CONTROL_ERROR", send: func(p *peer) error {
			p.must(p.open(1, true, slow...), p.WriteWindowUpdate(1, 1<<31-1-firstWindow))
			return p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: firstWindow + 1})
		}},
		{name: "largest", stream: 3, want: "200", send: func(p *peer) error {
			p.must(p.WriteWindowUpdate(0, 1<<31-1-firstWindow))
			p.must(p.open(1, true, slow...), p.WriteWindowUpdate(1, 1<<31-1-firstWindow))
			p.must(p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}))
			return p.open(3, true, plain...)
		}},
		{name: "the connection's, opened by nothing", want: protocolError, send: func(p *peer) error {
			return p.WriteWindowUpdate(0, 0)
		}},
		{name: "opened by nothing", want: "PROTOCOL_ERROR", send: func(p *peer) error {
			p.must(p.open(1, true, slow...))
			return p.WriteWindowUpdate(1, 0)
		}},
	})
}

// Windows that are opened and changed at random are never exceeded, and everything arrives.
func TestHTTP2Window_changingSettings(t *testing.T) {
	r := newRig(t)
	r.serveBytes()
	for seed := range uint64(10) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 0))
			k := dialTaker(t, r.addr, random.Int64N(20_000))
			sizes := map[uint32]int64{}
			for i := range uint32(20) {
				sizes[2*i+1] = random.Int64N(50_000)
				k.ask(2*i+1, int(sizes[2*i+1]))
			}
			for !k.allEnded() {
				k.refill(random)
				f := k.next()
				if random.IntN(20) == 0 && len(k.changes) < 5 {
					k.change([]int64{0, 1, 100, 5000, 40_000}[random.IntN(5)])
				}
				if s := k.streams[f.Header().StreamID]; s != nil && !s.ended && random.IntN(2) == 0 {
					k.grant(f.Header().StreamID, 1+random.Int64N(1000))
				}
			}
			for id, n := range sizes {
				k.end(id, n)
			}
		})
	}
}

func (k *taker) allEnded() bool {
	for _, s := range k.streams {
		if !s.ended {
			return false
		}
	}
	return true
}

// refill ensures that data can be sent on every stream, regardless of the changes.
func (k *taker) refill(random *rand.Rand) {
	if k.conn < 1000 {
		k.grant(0, 1+random.Int64N(5000))
	}
	least := k.initial
	for _, c := range k.changes {
		least = min(least, c)
	}
	for id, s := range k.streams {
		if short := s.got - s.granted - least; short >= 0 && !s.ended {
			k.grant(id, short+1+random.Int64N(2000))
		}
	}
}

// A stream whose client takes nothing holds up none of the hundred beside it.
func TestHTTP2Window_unreadStream(t *testing.T) {
	r := newRig(t)
	r.serveBytes()
	k := dialTaker(t, r.addr, 10_000)
	k.grant(0, 1<<30)
	const streams, size = 100, 200_000
	for i := range uint32(streams) {
		k.ask(2*i+1, size)
	}
	left := streams - 1
	for left > 0 {
		f := k.next()
		id := f.Header().StreamID
		if d, ok := f.(*http2.DataFrame); ok && id != 1 && d.Length > 0 && !k.streams[id].ended {
			k.grant(id, int64(d.Length))
		}
		if id != 1 && ends(f) {
			left--
		}
	}
	k.quiet(1, 10_000)
	for i := range uint32(streams - 1) {
		k.end(2*i+3, size)
	}
	k.grant(1, size)
	k.end(1, size)
}

// The streams share the connection's window: no stream waits until another has ended.
func TestHTTP2Window_connection(t *testing.T) {
	r := newRig(t)
	r.serveBytes()
	k := dialTaker(t, r.addr, 1<<30)
	const streams, size = 8, 1 << 20
	for i := range uint32(streams) {
		k.ask(2*i+1, size)
	}
	for heads := 0; heads < streams; {
		if _, ok := k.next().(*http2.MetaHeadersFrame); ok {
			heads++
		}
	}
	for done := false; !done; {
		if k.conn < http2FrameSize {
			k.grant(0, firstWindow-k.conn)
		}
		f := k.next()
		done = f.Header().StreamID != 0 && ends(f)
	}
	for id, s := range k.streams {
		if s.got < size/8 {
			t.Errorf("when the first of %d is done, stream %d has %d of %d bytes", streams, id, s.got, size)
		}
	}
}

// A pod may respond without taking anything of the body: its response must be waited for, not its window.
func TestHTTP2Window_responseBeforeBody(t *testing.T) {
	pod := startGreeting(t, "pod-a", func(p *http2Pod) {
		p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
	}, func(p *http2Pod, stream uint32) {
		p.head(stream, true, ":status", "413")
	})
	r := newRig(t, quick(func(o *exchange.Timeouts) { o.Response = time.Hour }))
	r.serveBy(overHTTP2, nil, pod.addr)
	r.dial().post("/", "body").expectStatus(t, http.StatusRequestEntityTooLarge)
}
