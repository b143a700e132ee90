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

// tape is a connection that plays what a peer says, in pieces, and records what it is told.
type tape struct {
	left  []byte
	piece int

	mu      sync.Mutex
	written bytes.Buffer
}

func (p *tape) Read(b []byte) (int, error) {
	if len(p.left) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.left[:min(len(p.left), p.piece)])
	p.left = p.left[n:]
	return n, nil
}

func (p *tape) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.written.Write(b)
}

func (*tape) Close() error                     { return nil }
func (*tape) LocalAddr() net.Addr              { return nil }
func (*tape) RemoteAddr() net.Addr             { return nil }
func (*tape) SetDeadline(time.Time) error      { return nil }
func (*tape) SetReadDeadline(time.Time) error  { return nil }
func (*tape) SetWriteDeadline(time.Time) error { return nil }

func fuzzOptions() *Options {
	return &Options{
		Streams: 4, StreamWindow: 1 << 16, ConnectionWindow: 1 << 18, HeadBytes: 8 << 10, Fields: 32, TrailerBytes: 1 << 10,
		ExtendedConnect: true, Clock: func() int64 { return 0 },
		Budget: Budget{ResetsAtOnce: 100, EmptyAtOnce: 100},
	}
}

// behaviour is what the owner of a stream does, by the bits of a byte.
type behaviour byte

func (b behaviour) reads() bool   { return b&1 != 0 }
func (b behaviour) answers() bool { return b&2 != 0 }
func (b behaviour) echoes() bool  { return b&4 != 0 }
func (b behaviour) leaves() bool  { return b&8 != 0 }

// FuzzServe plays a client to a server.
func FuzzServe(f *testing.F) {
	for _, raw := range clientSeeds(f) {
		for _, b := range []byte{0, 1, 3, 7, 15} {
			f.Add(append([]byte{verbatim}, raw...), b, 1)
			f.Add(shorten(raw), b, 1<<14)
		}
	}
	f.Fuzz(func(t *testing.T, short []byte, b byte, piece int) {
		raw := lengthen(short)
		p := &tape{left: append([]byte(Preface), raw...), piece: max(piece, 1)}
		var mu sync.Mutex
		var all []*told
		c := NewServer(http1.NewConn(p), p, fuzzOptions(), func(s *Stream) {
			got := behaviour(b).serve(s)
			mu.Lock()
			defer mu.Unlock()
			all = append(all, got)
		})
		if behaviour(b).leaves() {
			c.Leave()
		}
		if err := c.Serve(); err == nil {
			t.Fatal("it has ended without an error")
		}
		settle(t, c)
		streams, lenient := listen(raw)
		mu.Lock()
		defer mu.Unlock()
		for _, got := range all {
			got.compare(t, streams, lenient)
		}
		checkWritten(t, p.written.Bytes())
	})
}

// serve does with a stream what the owner does, and tells what it saw.
func (b behaviour) serve(s *Stream) *told {
	defer s.Close(CodeCancel)
	got := &told{id: s.id}
	if s.Head.TooLarge {
		return got
	}
	got.heads = []string{describe(fieldsOf(s.Head))}
	if b.answers() {
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
	if b.answers() {
		_ = s.SendEnd()
	}
	return got
}

func (got *told) end(s *Stream, err error) {
	got.whole = errors.Is(err, io.EOF)
	if trailers := s.Trailers(); got.whole && len(trailers) > 0 {
		got.trailers = []byte(describe(plain(trailers)))
	}
}

// settle waits until all owners have let go, and fails if something is left then.
func settle(t *testing.T, c *Conn) {
	t.Helper()
	for {
		c.mu.Lock()
		running := c.running
		c.mu.Unlock()
		if running == 0 {
			break
		}
		runtime.Gosched()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.writing {
		c.written.Wait()
	}
	if len(c.streams) > 0 || len(c.queue) > 0 || c.turn != nil || c.out != nil {
		t.Fatalf("there are %d streams left, %d that wait, and %d bytes to write", len(c.streams), len(c.queue), c.pending())
	}
}

// FuzzAsk plays a pod to a client with three requests.
func FuzzAsk(f *testing.F) {
	for _, raw := range podSeeds(f) {
		f.Add(append([]byte{verbatim}, raw...), 1)
		f.Add(shorten(raw), 1<<14)
	}
	f.Fuzz(func(t *testing.T, short []byte, piece int) {
		raw := lengthen(short)
		p := &tape{left: raw, piece: max(piece, 1)}
		c := NewClient(http1.NewConn(p), p, fuzzOptions())
		var owners sync.WaitGroup
		all := make([]*told, 3)
		for i := range all {
			s, err := c.Open(AppendPath(AppendRequest(nil, []byte("GET"), false, []byte("a")), []byte("/"), nil, false), i > 0, i == 2)
			if err != nil {
				t.Fatal(err)
			}
			owners.Go(func() { all[i] = ask(s) })
		}
		if err := c.Serve(); err == nil {
			t.Fatal("it has ended without an error")
		}
		owners.Wait()
		settle(t, c)
		streams, lenient := listen(raw)
		for _, got := range all {
			got.compare(t, streams, lenient)
		}
		checkWritten(t, p.written.Bytes()[len(Preface):])
	})
}

// ask reads what comes on a stream.
func ask(s *Stream) *told {
	defer s.Close(CodeCancel)
	got := &told{id: s.id}
	for {
		h, err := s.AwaitHead()
		if err != nil {
			return got
		}
		got.heads = append(got.heads, describe(fieldsOf(h)))
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
