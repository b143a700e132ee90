package http1

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net/http/httputil"
	"testing"
)

// sizes are boundary values.
var sizes = []int{1, 2, 15, 16, 17, 255, 4000, BufferSize / 2, BufferSize/2 + 1, BufferSize - 40, BufferSize - 2,
	BufferSize - 1, BufferSize, BufferSize + 1, 3 * BufferSize}

func TestOutput_order(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789abcdef"), BufferSize)
	for _, first := range sizes {
		for _, second := range sizes {
			var o Output
			var got, want bytes.Buffer
			for _, n := range []int{first, second, 1, first} {
				want.Write(text[n : 2*n])
				if err := o.Write(&got, text[n:2*n]); err != nil {
					t.Fatal(err)
				}
			}
			if err := o.Flush(&got); err != nil || !bytes.Equal(got.Bytes(), want.Bytes()) {
				t.Fatalf("%d and %d: %d bytes, %v, want %d", first, second, got.Len(), err, want.Len())
			}
			if o.pooled != nil || o.Buf != nil {
				t.Fatal("a buffer is held with nothing in it")
			}
		}
	}
}

// Chunk headers and trailing CRLFs must fit into the buffer too.
func TestOutput_chunksDoNotGrowBuffer(t *testing.T) {
	for room := range 40 {
		for _, n := range sizes {
			var o Output
			if err := o.Write(io.Discard, make([]byte, BufferSize-room)); err != nil {
				t.Fatal(err)
			}
			if err := o.WriteChunk(io.Discard, make([]byte, n)); err != nil || cap(o.Buf) > BufferSize {
				t.Errorf("with room for %d bytes, a chunk of %d: %v, a buffer of %d bytes", room, n, err, cap(o.Buf))
			}
			o.Drop()
		}
	}
}

func TestOutput_WriteChunk(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		var o Output
		var wire, want bytes.Buffer
		for range 1 + random.IntN(20) {
			chunk := bytes.Repeat([]byte{byte(random.Uint32())}, sizes[random.IntN(len(sizes))])
			want.Write(chunk)
			if err := o.WriteChunk(&wire, chunk); err != nil {
				t.Fatal(err)
			}
			if cap(o.Buf) > BufferSize {
				t.Fatalf("the buffer has grown to %d bytes", cap(o.Buf))
			}
		}
		if err := o.Flush(&wire); err != nil {
			t.Fatal(err)
		}
		wire.WriteString("0\r\n\r\n")
		got, err := io.ReadAll(httputil.NewChunkedReader(&wire))
		if err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Fatalf("%d bytes read back, %v, want %d", len(got), err, want.Len())
		}
	}
}

func TestOutput_oversizedHead(t *testing.T) {
	var o Output
	var got bytes.Buffer
	head := bytes.Repeat([]byte("h"), 3*BufferSize)
	o.Begin()
	o.Buf = append(o.Buf, head...)
	if err := errors.Join(o.WriteChunk(&got, []byte("body")), o.Flush(&got)); err != nil {
		t.Fatal(err)
	}
	if want := string(head) + "4\r\nbody\r\n"; got.String() != want {
		t.Errorf("%d bytes were written, want %d", got.Len(), len(want))
	}
}

func TestOutput_errors(t *testing.T) {
	_, broken := io.Pipe()
	broken.Close()
	var o Output
	if err := o.Write(broken, []byte("a")); err != nil {
		t.Errorf("collecting fails with %v", err)
	}
	if err := o.Flush(broken); err == nil || o.pooled != nil {
		t.Errorf("Flush = %v", err)
	}
	if err := o.Flush(broken); err != nil {
		t.Errorf("Flush of an empty buffer = %v", err)
	}
	if err := o.WriteChunk(broken, make([]byte, 2*BufferSize)); err == nil {
		t.Error("WriteChunk succeeded, want an error")
	}
}

func TestOutput_allocatesNothing(t *testing.T) {
	var o Output
	chunk := make([]byte, 1000)
	if n := testing.AllocsPerRun(1000, func() {
		if o.WriteChunk(io.Discard, chunk) != nil {
			t.Fatal("WriteChunk fails")
		}
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
