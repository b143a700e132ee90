package http2

import (
	"bytes"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// blockingConn is a connection. Writes block until writable is closed, Close blocks until closed is closed, and reads return
// input.
type blockingConn struct {
	scriptedConn
	writable chan struct{}
	input    *io.PipeReader
	writes   atomic.Int32
	closed   chan struct{}
}

func newBlockingConn() (conn *blockingConn, peer *io.PipeWriter) {
	conn = &blockingConn{writable: make(chan struct{}), closed: make(chan struct{})}
	conn.input, peer = io.Pipe()
	return conn, peer
}

func (g *blockingConn) Read(b []byte) (int, error) { return g.input.Read(b) }

func (g *blockingConn) Write(b []byte) (int, error) {
	g.writes.Add(1)
	<-g.writable
	return g.scriptedConn.Write(b)
}

func (g *blockingConn) Close() error {
	<-g.closed
	return nil
}

func testOptions() *Options {
	o := fuzzOptions()
	o.Streams, o.ConnectionWindow = 250, 250<<16
	return o
}

// open opens a stream as a request of the peer does.
func open(c *Conn, id uint32) *Stream {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owned++
	return c.newStream(id)
}

func pending(c *Conn) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pending()
}

// TestSendHead_waitsForPeerToRead checks that a client that does not read cannot make the server buffer any number of response
// heads, which are not subject to flow control.
func TestSendHead_waitsForPeerToRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := newBlockingConn()
		c := NewServer(http1.NewConn(g), g, testOptions(), func(*Stream) {})
		head := bytes.Repeat([]byte{0x88}, 1<<10)
		var owners sync.WaitGroup
		for i := range 200 {
			s := open(c, uint32(2*i+1))
			owners.Go(func() {
				if err := s.SendHead(head, true); err != nil {
					t.Error(err)
				}
				s.Close(CodeInternal)
			})
		}
		synctest.Wait()
		if got := pending(c); got > maxPending+2*len(head) {
			t.Errorf("%d bytes are buffered, want about %d", got, maxPending)
		}
		close(g.writable)
		owners.Wait()
	})
}

func TestSendHead_deadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := newBlockingConn()
		c := NewServer(http1.NewConn(g), g, testOptions(), func(*Stream) {})
		c.StartGracefulShutdown() // blocks the writer
		synctest.Wait()
		filler, s := open(c, 1), open(c, 3)
		failed := make(chan error)
		go func() {
			_ = filler.SendHead(make([]byte, maxPending), false)
			failed <- s.SendHead([]byte{0x88}, true)
		}()
		synctest.Wait()
		_ = s.SetWriteDeadline(time.Unix(1, 0))
		if err := <-failed; err == nil {
			t.Error("the head was buffered")
		}
		close(g.writable)
	})
}

// TestOpen_limitedByConnectionWindow covers a pod without a stream limit. If more responses were requested than fit in the
// connection window, clients that do not read theirs would block all others.
func TestOpen_limitedByConnectionWindow(t *testing.T) {
	o := testOptions()
	p := &scriptedConn{}
	c := NewClient(http1.NewConn(p), p, o)
	c.peer.maxStreams = maxStream
	for range o.ConnectionWindow / o.StreamWindow {
		s, err := c.Open([]byte{0x82}, true, false)
		if err != nil {
			t.Fatal(err)
		}
		c.mu.Lock()
		s.recvEnded = true // the response has ended but was not read
		c.removeStream(s)
		c.mu.Unlock()
	}
	if _, err := c.Open([]byte{0x82}, true, false); !errors.Is(err, ErrFull) {
		t.Errorf("another stream was opened: %v", err)
	}
	c.fail(ErrClosed)
}

// TestServe_noWritesAfterReturn checks that the connection belongs to the caller after Serve has returned.
func TestServe_noWritesAfterReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, peer := newBlockingConn()
		close(g.writable)
		c := NewServer(http1.NewConn(g), g, testOptions(), func(*Stream) {})
		s := open(c, 1)
		go func() {
			io.WriteString(peer, Preface)
			peer.Write(appendFrame(nil, frame{kind: frameSettings}))
			synctest.Wait()
			_ = s.SendHead([]byte{0x88}, false)
			_ = s.Send([]byte("some"))
			peer.Close()
		}()
		if err := c.Serve(); !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		before := g.writes.Load()
		_ = s.Flush()
		s.Close(CodeInternal)
		synctest.Wait()
		if after := g.writes.Load(); after != before {
			t.Errorf("%d writes after Serve returned", after-before)
		}
	})
}

// TestConn_requestLimit checks that a client cannot exceed the limit by not acknowledging the PING after the first GOAWAY.
func TestConn_requestLimit(t *testing.T) {
	var clock atomic.Int64
	o := testOptions()
	o.Requests, o.Clock = 2, clock.Load
	p := &scriptedConn{}
	handled := make(chan *Stream, 10)
	c := NewServer(http1.NewConn(p), p, o, func(s *Stream) { handled <- s })
	for id := range uint32(5) {
		clock.Add(goAwayTimeout)
		h := newHead(&spill{})
		c.mu.Lock()
		_ = c.processRequest(&section{stream: 2*id + 1, head: h, endStream: true})
		c.mu.Unlock()
	}
	c.fail(io.EOF)
	if n := c.requestsReceived; n > 4 {
		t.Errorf("%d requests were accepted", n)
	}
	for range c.requestsReceived {
		(<-handled).Close(CodeInternal)
	}
}

// closeUnblocksWrites is a connection whose Close ends blocked writes.
type closeUnblocksWrites struct{ *blockingConn }

func (h closeUnblocksWrites) Close() error {
	close(h.writable)
	return nil
}

// TestServe_floodClosesConnection checks that Serve does not wait for a blocked write. A client that floods probably does not
// read.
func TestServe_floodClosesConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, peer := newBlockingConn()
		socket := closeUnblocksWrites{g}
		c := NewServer(http1.NewConn(socket), socket, testOptions(), func(*Stream) {})
		go func() {
			io.WriteString(peer, Preface)
			frames := appendFrame(nil, frame{kind: frameSettings})
			for range 200 {
				frames = appendPing(frames, 0, [8]byte{})
			}
			peer.Write(frames)
		}()
		if err := c.Serve(); !errors.Is(err, ErrFlood) {
			t.Error(err)
		}
		g.input.Close()
	})
}
