package exchange

import (
	"bytes"
	"io"
	"runtime"
	"testing"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// The size of a coding is charged to the memory budget, so it must not be too low.
func TestCodings_memory(t *testing.T) {
	text := bytes.Repeat([]byte("All limpets return to their place. "), 1<<15)
	for i := range text {
		text[i] += byte(i * i >> 7 % 3)
	}
	for _, c := range []*coding{&gzipCoding, &brotliCoding} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		e := c.encoders.New().(encoder)
		e.Reset(io.Discard)
		if _, err := e.Write(text); err != nil {
			t.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		runtime.KeepAlive(e)
		if size := int(after.HeapAlloc) - int(before.HeapAlloc); size > c.size || size < c.size/16 {
			t.Errorf("%s: an encoder takes %d bytes, charged are %d", c.name, size, c.size)
		}
	}
}

func TestParseWeight(t *testing.T) {
	for text, want := range map[string]int{
		"1": 1000, "0": 0, "0.5": 500, "0.123": 123, "1.000": 1000, "1.5": 1000, "0.": 0, "": 0, "2": 0, "0.1234": 0, "-1": 0, "0,5": 0,
		".5": 0, "0.x": 0,
	} {
		if got := parseWeight([]byte(text)); got != want {
			t.Errorf("%q: got %d, want %d", text, got, want)
		}
	}
}

func TestIsCompressible(t *testing.T) {
	for text, want := range map[string]bool{
		"text/html": true, "TEXT/HTML ; charset=x": true, "application/json": true, "application/ld+json": true, "image/svg+xml": true,
		"text/event-stream": false, "text/event-stream;charset=utf-8": false, "image/png": false, "application/grpc": false,
		"application/grpc+proto": false, "": false, "text": false, "application/jsonx": false,
	} {
		if got := isCompressible([]byte(text)); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
}

func BenchmarkMayCompress(b *testing.B) {
	var head http1.Response
	head.Status, head.ContentLength = 200, -1
	for _, f := range [][2]string{{"Content-Type", "application/json"}, {"Cache-Control", "no-cache"}, {"X-A", "1"}, {"Etag", `"1"`}} {
		head.Add([]byte(f[0]), []byte(f[1]))
	}
	b.ReportAllocs()
	for b.Loop() {
		mayCompress(&head)
	}
}
