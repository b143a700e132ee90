package http2

import (
	"bytes"
	"errors"
	"io"
	"net"
	"runtime"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/limpet-dev/limpet/pkg/http1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scriptedConn is a connection. Reads return input in chunks, and writes are recorded.
type scriptedConn struct {
	input     []byte
	chunkSize int

	mu      sync.Mutex
	written bytes.Buffer
}

func (p *scriptedConn) Read(b []byte) (int, error) {
	if len(p.input) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.input[:min(len(p.input), p.chunkSize)])
	p.input = p.input[n:]
	return n, nil
}

func (p *scriptedConn) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.written.Write(b)
}

func (*scriptedConn) Close() error                     { return nil }
func (*scriptedConn) LocalAddr() net.Addr              { return nil }
func (*scriptedConn) RemoteAddr() net.Addr             { return nil }
func (*scriptedConn) SetDeadline(time.Time) error      { return nil }
func (*scriptedConn) SetReadDeadline(time.Time) error  { return nil }
func (*scriptedConn) SetWriteDeadline(time.Time) error { return nil }

func fuzzOptions() *Options {
	return &Options{
		Streams: 4, StreamWindow: 1 << 16, ConnectionWindow: 1 << 18, HeadBytes: 8 << 10, Fields: 32, TrailerBytes: 1 << 10,
		ExtendedConnect: true, Clock: func() int64 { return 0 },
		Budget: Budget{ResetBurst: 100, EmptyFrameBurst: 100},
	}
}

// handlerBehaviour is a set of bits that select what the owner of a stream does.
type handlerBehaviour byte

func (b handlerBehaviour) reads() bool     { return b&1 != 0 }
func (b handlerBehaviour) responds() bool  { return b&2 != 0 }
func (b handlerBehaviour) echoes() bool    { return b&4 != 0 }
func (b handlerBehaviour) shutsDown() bool { return b&8 != 0 }

// FuzzServe runs a server with the frames of a client, and compares the result with golang.org/x/net/http2.
func FuzzServe(f *testing.F) {
	for _, raw := range clientSeeds(f) {
		for _, b := range []byte{0, 1, 3, 7, 15} {
			f.Add(append([]byte{verbatim}, raw...), b, 1)
			f.Add(shorten(raw), b, 1<<14)
		}
	}
	f.Fuzz(func(t *testing.T, short []byte, b byte, piece int) {
		raw := lengthen(short)
		p := &scriptedConn{input: append([]byte(Preface), raw...), chunkSize: max(piece, 1)}
		var mu sync.Mutex
		var all []*streamResult
		c := NewServer(http1.NewConn(p), p, fuzzOptions(), func(s *Stream) {
			got := handlerBehaviour(b).serve(s)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, got)
		})
		if handlerBehaviour(b).shutsDown() {
			c.StartGracefulShutdown()
		}
		if err := c.Serve(); err == nil {
			t.Fatal("Serve returned nil")
		}
		checkNothingLeft(t, c)
		streams, lenient := readOracle(raw)
		mu.Lock()
		defer mu.Unlock()
		for _, got := range all {
			got.compare(t, streams, lenient)
		}
		checkWritten(t, p.written.Bytes())
	})
}

// serve handles a stream and returns what was received on it.
func (b handlerBehaviour) serve(s *Stream) *streamResult {
	defer s.Close(CodeCancel)
	got := &streamResult{id: s.id}
	if s.Head.TooLarge {
		return got
	}
	got.heads = []string{formatFields(headFields(s.Head))}
	if b.responds() {
		_ = s.SendHead(AppendLength(AppendStatus(nil, 200), 5), false)
	}
	for b.reads() {
		span, err := s.Next(true)
		if err != nil {
			got.end(s, err)
			break
		}
		got.body = append(got.body, span...)
		if b.echoes() {
			_ = s.Send(span)
		}
	}
	if b.responds() {
		_ = s.SendEnd()
	}
	return got
}

func (got *streamResult) end(s *Stream, err error) {
	got.complete = errors.Is(err, io.EOF)
	if trailers := s.Trailers(); got.complete && len(trailers) > 0 {
		got.trailers = []byte(formatFields(hpackFields(trailers)))
	}
}

// checkNothingLeft waits until all streams are closed, and fails if the connection still holds streams or output.
func checkNothingLeft(t *testing.T, c *Conn) {
	t.Helper()
	for {
		c.mu.Lock()
		running := c.owned
		c.mu.Unlock()
		if running == 0 {
			break
		}
		runtime.Gosched()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.writing {
		c.outputChanged.Wait()
	}
	if len(c.streams) > 0 || len(c.sendQueue) > 0 || c.sender != nil || c.out != nil {
		t.Fatalf("%d streams, %d queued streams and %d bytes of output are left", len(c.streams), len(c.sendQueue), c.pending())
	}
}

// FuzzClient runs a client with three requests and the frames of a pod.
func FuzzClient(f *testing.F) {
	for _, raw := range podSeeds(f) {
		f.Add(append([]byte{verbatim}, raw...), 1)
		f.Add(shorten(raw), 1<<14)
	}
	f.Fuzz(func(t *testing.T, short []byte, piece int) {
		raw := lengthen(short)
		p := &scriptedConn{input: raw, chunkSize: max(piece, 1)}
		c := NewClient(http1.NewConn(p), p, fuzzOptions())
		var owners sync.WaitGroup
		all := make([]*streamResult, 3)
		for i := range all {
			s, err := c.Open(AppendPath(AppendRequest(nil, []byte("GET"), false, []byte("a")), []byte("/"), nil, false), i > 0, i == 2)
			if err != nil {
				t.Fatal(err)
			}
			owners.Go(func() { all[i] = readResponse(s) })
		}
		if err := c.Serve(); err == nil {
			t.Fatal("Serve returned nil")
		}
		owners.Wait()
		checkNothingLeft(t, c)
		streams, lenient := readOracle(raw)
		for _, got := range all {
			got.compare(t, streams, lenient)
		}
		checkWritten(t, p.written.Bytes()[len(Preface):])
	})
}

// readResponse reads a response and returns what was received.
func readResponse(s *Stream) *streamResult {
	defer s.Close(CodeCancel)
	got := &streamResult{id: s.id}
	for {
		h, err := s.AwaitHead()
		if err != nil {
			return got
		}
		got.heads = append(got.heads, formatFields(headFields(h)))
		if h.Status >= 200 {
			break
		}
	}
	for {
		span, err := s.Next(true)
		if err != nil {
			got.end(s, err)
			return got
		}
		got.body = append(got.body, span...)
	}
}
