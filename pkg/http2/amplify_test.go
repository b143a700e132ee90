package http2

import (
	"runtime"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2"

	"github.com/limpet-dev/limpet/pkg/http1"
)

const (
	amplifiedValue  = 3900 // fits in the dynamic table
	amplifiedFields = 15
)

// amplifiedHeads returns frames that open streams. Each head refers many times to the same entry of the dynamic table, so it
// takes only a few bytes on the wire.
func amplifiedHeads(tb testing.TB, streams int) []byte {
	tb.Helper()
	fields := slices.Clone(getFields)
	for range amplifiedFields {
		fields = append(fields, "x-amplified", strings.Repeat("v", amplifiedValue))
	}
	return append([]byte(Preface), peerFrames(tb, func(f *http2.Framer, block func(...string) []byte) {
		f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0})
		for i := range streams {
			f.WriteHeaders(http2.HeadersFrameParam{
				StreamID: uint32(2*i + 1), BlockFragment: block(fields...), EndStream: true, EndHeaders: true,
			})
		}
	})...)
}

// TestHead_memorySize checks that a head does not keep the smaller arrays that it has outgrown. With them, 58,548 bytes of
// fields kept 247,712 bytes alive.
func TestHead_memorySize(t *testing.T) {
	const streams = 50
	o := testOptions()
	o.HeadBytes, o.Fields = 64<<10, 128
	p := &scriptedConn{input: amplifiedHeads(t, streams), chunkSize: 1 << 20}
	handled, release := make(chan *Stream, streams), make(chan struct{})
	before := liveBytes()
	c := NewServer(http1.NewConn(p), p, o, func(s *Stream) {
		handled <- s
		<-release
		s.Close(CodeInternal)
	})
	served := make(chan error, 1)
	go func() { served <- c.Serve() }()
	var open []*Stream
	for range streams {
		open = append(open, <-handled)
	}
	each := (liveBytes() - before) / streams
	if maxSize := int64(amplifiedFields*amplifiedValue + 24<<10); each > maxSize {
		t.Errorf("a stream occupies %d bytes, want at most %d", each, maxSize)
	}
	for _, s := range open {
		if got := string(s.Head.Fields[amplifiedFields-1].Value); got != strings.Repeat("v", amplifiedValue) {
			t.Fatalf("the last value is %q", got)
		}
		if string(s.Head.Path) != "/" || string(s.Head.Authority) != "a.example" {
			t.Fatalf("path %q, authority %q", s.Head.Path, s.Head.Authority)
		}
	}
	close(release)
	<-served
}

func liveBytes() int64 {
	runtime.GC()
	runtime.GC() // the first one keeps pooled objects
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
