package http2

import (
	"bytes"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// verbatim marks fuzz input that is in the wire format. Other input is in a short format in which most inputs are valid frames:
// kind, flags, stream and length are one byte each.
const verbatim = 0xff

func lengthen(short []byte) []byte {
	if len(short) > 0 && short[0] == verbatim {
		return short[1:]
	}
	var raw []byte
	for len(short) >= 4 {
		f := frame{kind: short[0], flags: short[1], stream: uint32(short[2]), length: min(int(short[3]), len(short)-4)}
		raw = append(appendFrame(raw, f), short[4:4+f.length]...)
		short = short[4+f.length:]
	}
	return raw
}

// shorten converts frames to the short format. It drops frames that are too long for it.
func shorten(raw []byte) []byte {
	var short []byte
	for len(raw) >= frameHeadBytes {
		f := parseFrame(raw)
		if f.length < 256 {
			short = append(short, f.kind, f.flags, byte(f.stream), byte(f.length))
			short = append(short, raw[frameHeadBytes:frameHeadBytes+f.length]...)
		}
		raw = raw[frameHeadBytes+f.length:]
	}
	return short
}

var getFields = []string{":method", "GET", ":scheme", "http", ":authority", "a.example", ":path", "/"}

func clientSeeds(tb testing.TB) [][]byte {
	tb.Helper()
	type block = func(fields ...string) []byte
	var seeds [][]byte
	add := func(write func(f *http2.Framer, b block)) {
		seeds = append(seeds, peerFrames(tb, func(f *http2.Framer, b func(...string) []byte) {
			f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 100})
			write(f, b)
		}))
	}
	open := func(f *http2.Framer, id uint32, end bool, block []byte) {
		f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndStream: end, EndHeaders: true})
	}
	add(func(f *http2.Framer, b block) { open(f, 1, true, b(getFields...)) })
	add(func(f *http2.Framer, b block) {
		open(f, 1, false, b(append(getFields[:8:8], "content-length", "8", "cookie", "a=b", "te", "trailers")...))
		f.WriteDataPadded(1, false, []byte("body"), make([]byte, 9))
		f.WriteWindowUpdate(1, 100)
		f.WriteWindowUpdate(0, 100)
		f.WriteData(1, false, []byte("more"))
		open(f, 1, true, b("check", "sum"))
	})
	add(func(f *http2.Framer, b block) {
		head := b(append(getFields[:8:8], "x", strings.Repeat("v", 300))...)
		f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: head[:7], PadLength: 3,
			Priority: http2.PriorityParam{StreamDep: 5, Weight: 7}})
		f.WriteContinuation(1, false, head[7:100])
		f.WriteContinuation(1, true, head[100:])
		for id := uint32(3); id < 15; id += 2 {
			open(f, id, id%4 == 1, b(getFields...))
			f.WritePing(false, [8]byte{byte(id)})
		}
		f.WriteRSTStream(3, http2.ErrCodeCancel)
		f.WriteData(3, true, []byte("late"))
		f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}, http2.Setting{ID: 9, Val: 1})
		f.WriteSettingsAck()
		f.WritePing(true, shutdownPing)
		f.WriteGoAway(0, http2.ErrCodeNo, []byte("bye"))
		open(f, 15, true, b(getFields...))
	})
	for _, fields := range [][]string{
		{":method", "", ":method", "GET", ":scheme", "http", ":path", "/"},
		{":method", "GET", ":scheme", "http", ":path", "/", "X", "y"},
		{":method", "GET", "x", "y", ":scheme", "http", ":path", "/"},
		{":method", "GET", ":scheme", "http", ":path", "/", "x", " y"},
		{":method", "GET", ":scheme", "http", ":path", "/", "x", "a\r\nb"},
		{":method", "CONNECT", ":authority", "a"},
		{":method", "CONNECT", ":protocol", "websocket", ":scheme", "http", ":path", "/", ":authority", "a"},
		{":status", "200"},
		{"big", strings.Repeat("v", 9<<10)},
	} {
		add(func(f *http2.Framer, b block) {
			open(f, 1, true, b(fields...))
			open(f, 3, true, b(append(getFields[:8:8], fields[len(fields)-2:]...)...))
		})
	}
	add(func(f *http2.Framer, b block) {
		f.WritePriority(1, http2.PriorityParam{StreamDep: 1})
		f.WriteRawFrame(http2.FramePriority, 0, 3, []byte{1})
		f.WriteRawFrame(0x10, 0, 3, []byte{1})
		open(f, 1, true, append([]byte{0x20, 0x3f, 0xe1, 0x1f}, b(getFields...)...))
	})
	return seeds
}

func podSeeds(tb testing.TB) [][]byte {
	tb.Helper()
	type block = func(fields ...string) []byte
	var seeds [][]byte
	add := func(write func(f *http2.Framer, b block)) {
		seeds = append(seeds, peerFrames(tb, func(f *http2.Framer, b func(...string) []byte) {
			f.WriteSettings(http2.Setting{ID: http2.SettingMaxConcurrentStreams, Val: 100})
			f.WriteSettingsAck()
			write(f, b)
		}))
	}
	head := func(f *http2.Framer, id uint32, end bool, block []byte) {
		f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndStream: end, EndHeaders: true})
	}
	add(func(f *http2.Framer, b block) {
		head(f, 1, false, b(":status", "103", "link", "</a>"))
		head(f, 1, false, b(":status", "200", "content-length", "4"))
		f.WriteDataPadded(1, false, []byte("body"), make([]byte, 200))
		head(f, 1, true, b("check", "sum"))
		head(f, 3, true, b(":status", "204"))
		head(f, 5, true, b(":status", "200", "content-length", "99"))
	})
	add(func(f *http2.Framer, b block) {
		f.WriteRSTStream(1, http2.ErrCodeRefusedStream)
		f.WriteGoAway(3, http2.ErrCodeNo, nil)
		head(f, 3, false, b(":status", "200"))
		f.WriteData(3, true, []byte("last"))
	})
	for _, fields := range [][]string{
		{":status", "101"}, {":status", "20"}, {":status", "2000"}, {":status", "200", ":status", "200"}, {"x", "y"},
		{":status", "200", "content-length", "1", "content-length", "1"}, {":status", "200", "content-length", "-1"},
		{":path", "/"}, {":status", "200", "connection", "close"},
	} {
		add(func(f *http2.Framer, b block) {
			head(f, 1, false, b(fields...))
			f.WriteData(1, true, []byte("x"))
		})
	}
	add(func(f *http2.Framer, b block) {
		f.WriteData(1, true, []byte("before its head"))
		f.WritePushPromise(http2.PushPromiseParam{StreamID: 3, PromiseID: 2, BlockFragment: b(getFields...), EndHeaders: true})
	})
	return seeds
}

// peerFrames returns the frames that write writes.
func peerFrames(tb testing.TB, write func(f *http2.Framer, block func(fields ...string) []byte)) []byte {
	tb.Helper()
	var raw, block bytes.Buffer
	f := http2.NewFramer(&raw, nil)
	f.AllowIllegalWrites = true
	e := hpack.NewEncoder(&block)
	write(f, func(fields ...string) []byte {
		block.Reset()
		for i := 0; i < len(fields); i += 2 {
			if err := e.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}); err != nil {
				tb.Fatal(err)
			}
		}
		return bytes.Clone(block.Bytes())
	})
	return raw.Bytes()
}
