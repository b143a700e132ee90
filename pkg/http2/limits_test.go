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

// gated is a connection whose peer takes nothing until the gate opens, says what comes from said, and takes long to close.
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

// open makes a stream as a request of the peer would.
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

// Heads are not counted in any window: without a bound of their own, HEAD requests would have as much collected as a client
// that does not read asks for.
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
			t.Errorf("%d bytes are collected, want about %d", got, maxPending)
		}
		close(g.writable)
		owners.Wait()
	})
}

func TestSendHead_deadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := newBlockingConn()
		c := NewServer(http1.NewConn(g), g, testOptions(), func(*Stream) {})
		c.StartGracefulShutdown() // something that is being written
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
			t.Error("it was collected")
		}
		close(g.writable)
	})
}

// A pod that takes any number of streams would else be asked for more answers than the window of the connection has room for:
// clients who do not read theirs would hold up all others.
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
		s.recvEnded = true // its answer has come, and was not read
		c.removeStream(s)
		c.mu.Unlock()
	}
	if _, err := c.Open([]byte{0x82}, true, false); !errors.Is(err, ErrFull) {
		t.Errorf("one more is opened: %v", err)
	}
	c.fail(ErrClosed)
}

// Whoever serves the connection goes on with it once Serve has returned.
func TestServe_noWritesAfterReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, say := newBlockingConn()
		close(g.writable)
		c := NewServer(http1.NewConn(g), g, testOptions(), func(*Stream) {})
		s := open(c, 1)
		go func() {
			io.WriteString(say, Preface)
			say.Write(appendFrame(nil, frame{kind: frameSettings}))
			synctest.Wait()
			_ = s.SendHead([]byte{0x88}, false)
			_ = s.Send([]byte("some"))
			say.Close()
		}()
		if err := c.Serve(); !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		before := g.writes.Load()
		_ = s.Flush()
		s.Close(CodeInternal)
		synctest.Wait()
		if after := g.writes.Load(); after != before {
			t.Errorf("%d writes more", after-before)
		}
	})
}

// A client that does not answer the PING after a GOAWAY gains nothing by it.
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
		t.Errorf("%d requests were taken", n)
	}
	for range c.requestsReceived {
		(<-handled).Close(CodeInternal)
	}
}

// hangingUp is a connection whose writes end when it is closed.
type closeUnblocksWrites struct{ *blockingConn }

func (h closeUnblocksWrites) Close() error {
	close(h.writable)
	return nil
}

// Who floods does not read, most likely: waiting for what is being written would keep the connection for as long as a write
// may take.
func TestServe_floodClosesConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, say := newBlockingConn()
		socket := closeUnblocksWrites{g}
		c := NewServer(http1.NewConn(socket), socket, testOptions(), func(*Stream) {})
		go func() {
			io.WriteString(say, Preface)
			said := appendFrame(nil, frame{kind: frameSettings})
			for range 200 {
				said = appendPing(said, 0, [8]byte{})
			}
			say.Write(said)
		}()
		if err := c.Serve(); !errors.Is(err, ErrFlood) {
			t.Error(err)
		}
		g.input.Close()
	})
}
