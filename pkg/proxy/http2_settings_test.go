package proxy

import (
	"testing"

	"golang.org/x/net/http2"
)

// What Limpet sets, and what net/http makes of those who do not keep to it (RFC 9113 sections 4.2, 5.1.2 and 6.9).
func TestHTTP2SettingsAreToldAndKept(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startSilent(t))
	p := dialHTTP2(t, r.addr)
	told := p.await("settings", func(f http2.Frame) bool { return f.Header().Type == http2.FrameSettings }).(*http2.SettingsFrame)
	for id, want := range map[http2.SettingID]uint32{
		http2.SettingMaxConcurrentStreams: maxStreams,
		http2.SettingMaxFrameSize:         http2FrameSize,
		http2.SettingInitialWindowSize:    streamWindow,
		http2.SettingEnablePush:           0,
	} {
		if got, _ := told.Value(id); got != want {
			t.Errorf("%s is %d, want %d", id, got, want)
		}
	}
	if size, _ := told.Value(http2.SettingMaxHeaderListSize); size < 64<<10 || size > 80<<10 {
		t.Errorf("the list of fields may have %d bytes", size)
	}
	all, ends := t, []<-chan struct{}{} // net/http waits a second before it closes
	for name, c := range map[string]struct {
		stream uint32
		send   func(p *peer) error
		want   string
	}{
		"a frame that is too large": {0, func(p *peer) error {
			return p.WriteData(1, false, make([]byte, http2FrameSize+1))
		}, "GOAWAY FRAME_SIZE_ERROR"},
		"a window over its bound":        {1, func(p *peer) error { return p.WriteWindowUpdate(1, 1<<31-1) }, "FLOW_CONTROL_ERROR"},
		"the window over its bound":      {0, func(p *peer) error { return p.WriteWindowUpdate(0, 1<<31-1) }, "GOAWAY FLOW_CONTROL_ERROR"},
		"the window opened by nothing":   {0, func(p *peer) error { return p.WriteWindowUpdate(0, 0) }, "GOAWAY PROTOCOL_ERROR"},
		"a window opened by nothing":     {1, func(p *peer) error { return p.WriteWindowUpdate(1, 0) }, "PROTOCOL_ERROR"},
		"a stream that was never open":   {0, func(p *peer) error { return p.WriteData(9, true, nil) }, "GOAWAY PROTOCOL_ERROR"},
		"a stream of the server's kind":  {0, func(p *peer) error { return p.open(2, true, plain...) }, "GOAWAY PROTOCOL_ERROR"},
		"settings on a stream":           {0, func(p *peer) error { return p.WriteRawFrame(http2.FrameSettings, 0, 1, nil) }, "GOAWAY PROTOCOL_ERROR"},
		"half a setting":                 {0, func(p *peer) error { return p.WriteRawFrame(http2.FrameSettings, 0, 0, []byte{1}) }, "GOAWAY FRAME_SIZE_ERROR"},
		"a ping on a stream":             {0, func(p *peer) error { return p.WriteRawFrame(http2.FramePing, 0, 1, make([]byte, 8)) }, "GOAWAY PROTOCOL_ERROR"},
		"a push":                         {0, func(p *peer) error { return p.WriteRawFrame(http2.FramePushPromise, 4, 1, []byte{0, 0, 0, 2}) }, "GOAWAY PROTOCOL_ERROR"},
		"a continuation of nothing":      {0, func(p *peer) error { return p.WriteContinuation(1, true, nil) }, "GOAWAY PROTOCOL_ERROR"},
		"pseudo headers in trailers":     {1, func(p *peer) error { return p.open(1, true, ":path", "/b") }, "PROTOCOL_ERROR"},
		"trailers that are not the last": {1, func(p *peer) error { return p.open(1, false, "x", "y") }, "PROTOCOL_ERROR"},
	} {
		t.Run(name, func(t *testing.T) {
			p := dialHTTP2(all, r.addr)
			p.must(openPost(p, 0))
			p.must(c.send(p))
			if got := p.outcome(c.stream); got != c.want {
				t.Errorf("it ends with %s, want %s", got, c.want)
			}
			if c.stream == 0 {
				ends = append(ends, p.ended())
			}
		})
	}
	for _, ended := range ends {
		<-ended
	}
}
