package proxy

import (
	"testing"

	"golang.org/x/net/http2"
)

const (
	streamClosed = "STREAM_CLOSED or GOAWAY STREAM_CLOSED"
	maxStreamID  = 1<<31 - 1
)

// states are the ways to bring stream 1 to where a frame comes too late, or not.
var states = map[string]func(p *peer){
	// Both sides of the stream have ended.
	"answered": func(p *peer) {
		p.must(p.open(1, true, plain...))
		p.await("the end of the response", func(f http2.Frame) bool { return ends(f) })
	},
	// reset by the client, who still gets what was on its way.
	"reset": func(p *peer) {
		p.must(p.open(1, false, plainPost...), p.WriteRSTStream(1, http2.ErrCodeCancel))
	},
	// waiting: the client has ended its side.
	"waiting": func(p *peer) {
		p.must(p.open(1, true, append([]string{":path", "/slow"}, plain[:6]...)...))
	},
}

func ends(f http2.Frame) bool {
	switch f := f.(type) {
	case *http2.MetaHeadersFrame:
		return f.StreamEnded()
	case *http2.DataFrame:
		return f.StreamEnded()
	}
	return false
}

// RFC 9113 section 5.1.
func TestHTTP2Frames_streamStates(t *testing.T) {
	r := newRig(t)
	r.serveEcho()
	data := func(p *peer) error { return p.WriteData(1, false, []byte("late")) }
	lastData := func(p *peer) error { return p.WriteData(1, true, nil) }
	trailers := func(p *peer) error { return p.open(1, true, "x", "y") }
	again := func(p *peer) error { return p.open(1, true, plain...) }
	window := func(p *peer) error { return p.WriteWindowUpdate(1, 10) }
	reset := func(p *peer) error { return p.WriteRSTStream(1, http2.ErrCodeCancel) }
	priority := func(p *peer) error { return p.WritePriority(1, http2.PriorityParam{StreamDep: 5}) }
	goesOn := func(p *peer) error { return p.open(3, true, plain...) }
	var cases []frameCase
	add := func(state, name string, send func(p *peer) error, stream uint32, want string) {
		cases = append(cases, frameCase{name: name + ", " + state, stream: stream, want: want, send: func(p *peer) error {
			states[state](p)
			p.must(send(p))
			if stream == 3 {
				return goesOn(p)
			}
			return nil
		}})
	}
	for _, state := range []string{"answered", "reset", "waiting"} {
		add(state, "window", window, 3, "200")
		add(state, "priority", priority, 3, "200")
		add(state, "reset", reset, 3, "200")
	}
	for name, send := range map[string]func(p *peer) error{"data": data, "last data": lastData, "trailers": trailers} {
		add("waiting", name, send, 1, streamClosed)
		add("answered", name, send, 1, streamClosed+" or "+protocolError)
		// Frames after a reset may have been in transit. Those of a peer are treated as such (section 5.1).
		add("reset", name, send, 3, "200 or "+streamClosed+" or "+protocolError)
	}
	add("answered", "another head", again, 1, streamClosed+" or "+protocolError)
	add("waiting", "another head", again, 1, streamClosed+" or "+protocolError)
	runFrames(t, r, cases)
}

// RFC 9113 sections 5.1.1 and 5.1: streams are opened by odd numbers that go up, and by HEADERS only.
func TestHTTP2_streamIDsIncrease(t *testing.T) {
	r := newRig(t)
	r.serveEcho()
	idle := func(name string, send func(p *peer) error) frameCase {
		return frameCase{name: name + " on an idle stream", stream: 5, want: protocolError, send: send}
	}
	runFrames(t, r, []frameCase{
		idle("data", func(p *peer) error { return p.WriteData(5, true, []byte("x")) }),
		idle("a reset", func(p *peer) error { return p.WriteRSTStream(5, http2.ErrCodeCancel) }),
		idle("a window", func(p *peer) error { return p.WriteWindowUpdate(5, 1) }),
		idle("a window of the server's", func(p *peer) error { return p.WriteWindowUpdate(2, 1) }),
		idle("a reset of the server's", func(p *peer) error { return p.WriteRSTStream(2, http2.ErrCodeCancel) }),
		idle("data of the server's", func(p *peer) error { return p.WriteData(2, true, nil) }),
		idle("a continuation", func(p *peer) error { return p.WriteContinuation(5, true, p.encode(plain...)) }),
		{name: "priorities open nothing", want: "200", send: func(p *peer) error {
			p.must(p.WritePriority(9, http2.PriorityParam{StreamDep: 11}), p.WritePriority(2, http2.PriorityParam{}))
			return p.open(1, true, plain...)
		}},
		{name: "an idle stream that depends on itself", want: "200 or " + protocolError, send: func(p *peer) error {
			p.must(p.WritePriority(1, http2.PriorityParam{StreamDep: 1}))
			return p.open(1, true, plain...)
		}},
		{name: "half a priority of an idle stream", want: frameSizeError, send: func(p *peer) error {
			return p.WriteRawFrame(http2.FramePriority, 0, 1, octets(4))
		}},
		{name: "a stream that depends on itself", want: "200 or PROTOCOL_ERROR or " + protocolError, send: func(p *peer) error {
			return p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: p.encode(plain...), EndHeaders: true,
				EndStream: true, Priority: http2.PriorityParam{StreamDep: 1, Weight: 3}})
		}},
		{name: "priority in the head", want: "200", send: func(p *peer) error {
			return p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: p.encode(plain...), EndHeaders: true,
				EndStream: true, Priority: http2.PriorityParam{StreamDep: 99, Exclusive: true, Weight: 255}, PadLength: 7})
		}},
		{name: "of the server's kind", stream: 2, want: protocolError, send: func(p *peer) error { return p.open(2, true, plain...) }},
		{name: "going down", stream: 3, want: protocolError, send: func(p *peer) error {
			p.must(p.open(5, false, plainPost...))
			return p.open(3, true, plain...)
		}},
		{name: "that were left out are closed", stream: 1, want: protocolError + " or " + streamClosed, send: func(p *peer) error {
			p.must(p.open(5, false, plainPost...))
			return p.WriteData(1, true, []byte("x"))
		}},
		{name: "a window where one was left out", stream: 5, want: "200 or " + protocolError, send: func(p *peer) error {
			p.must(p.open(5, false, plainPost...), p.WriteWindowUpdate(3, 5))
			return p.WriteData(5, true, []byte("x"))
		}},
		{name: "gaps", stream: 9999, want: "200", send: func(p *peer) error { return p.open(9999, true, plain...) }},
	})
}

func TestHTTP2_maxStreamID(t *testing.T) {
	r := newRig(t)
	r.serveEcho()
	p := dialHTTP2(t, r.addr)
	p.must(p.open(maxStreamID, true, plain...))
	if got := p.outcome(maxStreamID); got != "200" {
		t.Errorf("it ends with %s", got)
	}
	p.must(p.open(maxStreamID-2, true, plain...))
	if got := p.outcome(0); got != protocolError {
		t.Errorf("one below it ends with %s", got)
	}
}
