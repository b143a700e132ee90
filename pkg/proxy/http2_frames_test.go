package proxy

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2"
)

// frameCase is a sequence of frames that a client sends, mostly on stream 1, and its expected result.
type frameCase struct {
	name     string
	settings []http2.Setting
	send     func(p *peer) error
	// want is the outcome of the stream, or several with " or " between them where RFC 9113 leaves the choice: a status,
	// the code of its reset, or GOAWAY and the code of the connection's end. A connection that does not end must serve on.
	want   string
	stream uint32 // 1 if it is not set
}

// nextStream is one that no case uses.
const nextStream = 10_001

// runFrames runs each case on its own connection, and waits until the connections that must end have ended.
func runFrames(t *testing.T, r *rig, cases []frameCase) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := dialHTTP2(t, r.addr, c.settings...)
			p.must(c.send(p))
			got := p.outcome(max(c.stream, 1))
			if !slices.Contains(strings.Split(c.want, " or "), got) {
				t.Errorf("it ends with %s, want %s", got, c.want)
			}
			if strings.HasPrefix(got, "GOAWAY") {
				<-p.ended()
				return
			}
			p.must(p.open(nextStream, true, plain...))
			if got := p.outcome(nextStream); got != "200" {
				t.Errorf("the next stream ends with %s", got)
			}
		})
	}
}

// serveEcho makes the endpoint of cart a pod that responds with the request body. It never responds to /slow.
func (r *rig) serveEcho() {
	r.t.Helper()
	r.servePods(nil, 1, func(_ string, w http.ResponseWriter, q *http.Request) {
		body, err := io.ReadAll(q.Body)
		w.Header().Set("Saw-Mark", q.Header.Get("Mark"))
		if q.URL.Path == "/slow" {
			<-q.Context().Done()
		}
		if err != nil {
			return
		}
		for name := range q.Trailer {
			w.Header().Set("Trailer-"+name, q.Trailer.Get(name))
		}
		w.Write(body)
	})
}

// plainPost are the fields of a request with a body.
var plainPost = append([]string{":method", "POST"}, plain[2:]...)

// raw returns a case that sends one frame, after a POST without its body if after is set.
func raw(name string, after bool, kind http2.FrameType, flags http2.Flags, id uint32, payload []byte, want string) frameCase {
	return frameCase{name: name, want: want, send: func(p *peer) error {
		if after {
			p.must(p.open(1, false, plainPost...))
		}
		return p.WriteRawFrame(kind, flags, id, payload)
	}}
}

// then returns a case that sends frames, and an ordinary request on stream 1 after them.
func then(name string, send func(p *peer) error) frameCase {
	return frameCase{name: name, want: "200", send: func(p *peer) error {
		p.must(send(p))
		return p.open(1, true, plain...)
	}}
}

// octets returns n bytes for a frame whose payload does not matter.
func octets(n int) []byte { return make([]byte, n) }

const (
	protocolError   = "GOAWAY PROTOCOL_ERROR"
	frameSizeError  = "GOAWAY FRAME_SIZE_ERROR"
	sizeOrProtocol  = "GOAWAY FRAME_SIZE_ERROR or GOAWAY PROTOCOL_ERROR"
	undefinedOfData = http2.Flags(0xff &^ 0x9)
	reservedBit     = 1 << 31
)

// RFC 9113 sections 4.1 and 4.2: undefined types, flags and bits are ignored, and frame types with a fixed length must
// have that length.
func TestHTTP2Frames_everyType(t *testing.T) {
	r := newRig(t)
	r.serveEcho()
	runFrames(t, r, []frameCase{
		then("unknown type", func(p *peer) error { return p.WriteRawFrame(0xfa, 0xff, 0, octets(100)) }),
		then("unknown type, longest", func(p *peer) error { return p.WriteRawFrame(0xfa, 0, 0, octets(http2FrameSize)) }),
		then("unknown type on an idle stream", func(p *peer) error { return p.WriteRawFrame(0x20, 0, 77, octets(9)) }),
		then("unknown type on a stream of the server's kind", func(p *peer) error { return p.WriteRawFrame(0x20, 0, 2, nil) }),
		then("priority update", func(p *peer) error { return p.WriteRawFrame(0x10, 0, 0, append(octets(4), "u=1"...)) }),
		{name: "unknown type between head and body", want: "200", send: func(p *peer) error {
			p.must(p.open(1, false, plainPost...), p.WriteRawFrame(0xfa, 0x5, 1, octets(10)))
			return p.WriteData(1, true, []byte("body"))
		}},
		raw("unknown type, too long", true, 0xfa, 0, 0, octets(http2FrameSize+1), frameSizeError),
		{name: "undefined flags", want: "200", send: func(p *peer) error {
			p.must(p.WriteRawFrame(http2.FramePing, 0xfe, 0, octets(8)), p.WriteRawFrame(http2.FrameSettings, 0xfe, 0, nil))
			p.must(p.WriteRawFrame(http2.FrameHeaders, 0x4|0xd2, 1, p.encode(plainPost...)))
			p.must(p.WriteRawFrame(http2.FrameWindowUpdate, 0xff, 1, []byte{0, 0, 0, 1}))
			return p.WriteRawFrame(http2.FrameData, 0x1|undefinedOfData, 1, []byte("body"))
		}},
		{name: "reserved bits", want: "200", send: func(p *peer) error {
			p.must(p.WriteRawFrame(http2.FrameHeaders, 0x4, reservedBit|1, p.encode(plainPost...)))
			p.must(p.WriteRawFrame(http2.FrameWindowUpdate, 0, reservedBit|1, []byte{0x80, 0, 0, 1}))
			p.must(p.WriteRawFrame(http2.FramePing, 0, reservedBit, octets(8)))
			return p.WriteRawFrame(http2.FrameData, 1, reservedBit|1, []byte("body"))
		}},
		{name: "longest frames", want: "200", send: func(p *peer) error {
			p.must(p.open(1, false, plainPost...), p.WriteData(1, false, octets(http2FrameSize)))
			return p.WriteDataPadded(1, true, octets(http2FrameSize-256), octets(255))
		}},
		raw("too long: data", true, http2.FrameData, 0, 1, octets(http2FrameSize+1), "FRAME_SIZE_ERROR or "+frameSizeError),
		raw("too long: headers", false, http2.FrameHeaders, 0, 1, octets(http2FrameSize+1), frameSizeError),
		raw("too long: settings", false, http2.FrameSettings, 0, 0, octets(6*3000), frameSizeError),
		raw("too long: goodbye", false, http2.FrameGoAway, 0, 0, octets(http2FrameSize+1), frameSizeError),
		raw("short reset", true, http2.FrameRSTStream, 0, 1, octets(3), frameSizeError),
		raw("long reset", true, http2.FrameRSTStream, 0, 1, octets(5), frameSizeError),
		raw("short window update", true, http2.FrameWindowUpdate, 0, 1, octets(3), frameSizeError),
		raw("long window update", true, http2.FrameWindowUpdate, 0, 0, octets(5), frameSizeError),
		raw("short ping", false, http2.FramePing, 0, 0, octets(7), frameSizeError),
		raw("long ping", false, http2.FramePing, 0, 0, octets(9), frameSizeError),
		raw("empty ping", false, http2.FramePing, 1, 0, nil, frameSizeError),
		raw("long settings", false, http2.FrameSettings, 0, 0, octets(7), frameSizeError),
		raw("acknowledgement with settings", false, http2.FrameSettings, 1, 0, octets(6), frameSizeError),
		raw("short goodbye", false, http2.FrameGoAway, 0, 0, octets(7), frameSizeError),
		raw("short priority", true, http2.FramePriority, 0, 1, octets(4), "FRAME_SIZE_ERROR or "+frameSizeError),
		raw("long priority", true, http2.FramePriority, 0, 1, octets(6), "FRAME_SIZE_ERROR or "+frameSizeError),
		raw("headers cut in their priority", false, http2.FrameHeaders, 0x24, 1, octets(4), sizeOrProtocol),
		raw("headers cut before their padding", false, http2.FrameHeaders, 0xc, 1, nil, sizeOrProtocol),
		raw("data cut before its padding", true, http2.FrameData, 0x8, 1, nil, sizeOrProtocol),
	})
}

// RFC 9113 section 6: what belongs to a stream is on a stream, and what belongs to the connection is not.
func TestHTTP2Frames_wrongStream(t *testing.T) {
	r := newRig(t)
	r.serveEcho()
	var cases []frameCase
	for kind, payload := range map[http2.FrameType][]byte{
		http2.FrameData: octets(1), http2.FrameHeaders: octets(1), http2.FramePriority: octets(5), http2.FrameRSTStream: octets(4),
		http2.FramePushPromise: octets(4), http2.FrameContinuation: octets(1),
	} {
		cases = append(cases, raw(kind.String()+" on no stream", false, kind, 0x4, 0, payload, protocolError))
	}
	for kind, payload := range map[http2.FrameType][]byte{
		http2.FrameSettings: nil, http2.FramePing: octets(8), http2.FrameGoAway: octets(8),
	} {
		cases = append(cases,
			raw(kind.String()+" on an open stream", true, kind, 0, 1, payload, protocolError),
			raw(kind.String()+" on an idle stream", false, kind, 0, 3, payload, protocolError))
	}
	for _, id := range []uint32{1, 2, 3} {
		cases = append(cases, raw("a push", true, http2.FramePushPromise, 4, id, []byte{0, 0, 0, 2, 0x82}, protocolError))
	}
	runFrames(t, r, cases)
}

// RFC 9113 section 6.5.2.
func TestHTTP2Settings_outOfRange(t *testing.T) {
	r := newRig(t)
	r.serveEcho()
	set := func(name string, id http2.SettingID, value uint32, want string) frameCase {
		return frameCase{name: name, want: want, send: func(p *peer) error {
			p.must(p.WriteSettings(http2.Setting{ID: id, Val: value}))
			return p.open(1, true, plain...)
		}}
	}
	runFrames(t, r, []frameCase{
		set("push 0", http2.SettingEnablePush, 0, "200"),
		set("push 1", http2.SettingEnablePush, 1, "200"),
		set("push 2", http2.SettingEnablePush, 2, protocolError),
		set("largest window", http2.SettingInitialWindowSize, 1<<31-1, "200"),
		set("window too large", http2.SettingInitialWindowSize, 1<<31, "GOAWAY FLOW_CONTROL_ERROR"),
		set("smallest frame", http2.SettingMaxFrameSize, 1<<14, "200"),
		set("largest frame", http2.SettingMaxFrameSize, 1<<24-1, "200"),
		set("frame too small", http2.SettingMaxFrameSize, 1<<14-1, protocolError),
		set("frame too large", http2.SettingMaxFrameSize, 1<<24, protocolError),
		set("no streams", http2.SettingMaxConcurrentStreams, 0, "200"),
		set("all streams", http2.SettingMaxConcurrentStreams, 1<<32-1, "200"),
		set("unknown", 0xf000, 1<<32-1, "200"),
		set("reserved", 0, 7, "200"),
		set("extended CONNECT", http2.SettingEnableConnectProtocol, 1, "200"),
		set("extended CONNECT out of range", http2.SettingEnableConnectProtocol, 2, "200 or "+protocolError),
		set("no priorities", 0x9, 1, "200"),
		set("no table", http2.SettingHeaderTableSize, 0, "200"),
		set("the largest table", http2.SettingHeaderTableSize, 1<<32-1, "200"),
		set("no list of fields", http2.SettingMaxHeaderListSize, 0, "200"),
		then("an unsolicited acknowledgement", func(p *peer) error { return p.WriteSettingsAck() }),
		then("no settings", func(p *peer) error { return p.WriteSettings() }),
		then("an unsolicited ping acknowledgement", func(p *peer) error { return p.WritePing(true, [8]byte{1}) }),
	})
}

func TestHTTP2_settings(t *testing.T) {
	r := newRig(t)
	p := dialHTTP2(t, r.addr)
	told := p.await("settings", func(f http2.Frame) bool { return f.Header().Type == http2.FrameSettings }).(*http2.SettingsFrame)
	for id, want := range map[http2.SettingID]uint32{
		http2.SettingMaxConcurrentStreams:  maxStreams,
		http2.SettingMaxFrameSize:          http2FrameSize,
		http2.SettingInitialWindowSize:     streamWindow,
		http2.SettingEnablePush:            0,
		http2.SettingMaxHeaderListSize:     64 << 10,
		http2.SettingEnableConnectProtocol: 1,
	} {
		if got, ok := told.Value(id); got != want || !ok {
			t.Errorf("%s is %d, want %d", id, got, want)
		}
	}
}

// RFC 9113 sections 6.5.3 and 6.7: each is acknowledged, pings in their order and with their data.
func TestHTTP2_settingsAndPingAck(t *testing.T) {
	r := newRig(t)
	r.serveEcho()
	p := dialHTTP2(t, r.addr)
	const each = 50
	for i := range byte(each) {
		p.must(p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(i)}))
		p.must(p.WritePing(false, [8]byte{i, 7: ^i}))
	}
	p.await("the acknowledgement of the first settings", isSettingsAck)
	for i := range byte(each) {
		p.await("an acknowledgement", isSettingsAck)
		got := p.await("a ping", isPing).(*http2.PingFrame)
		if !got.IsAck() || got.Data != [8]byte{i, 7: ^i} {
			t.Fatalf("ping %d got %v", i, got)
		}
	}
}

func isPing(f http2.Frame) bool { return f.Header().Type == http2.FramePing }

func isSettingsAck(f http2.Frame) bool {
	s, ok := f.(*http2.SettingsFrame)
	return ok && s.IsAck()
}
