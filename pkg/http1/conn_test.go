package http1

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// connPair returns a Conn and its peer.
func connPair(tb testing.TB) (*Conn, net.Conn) {
	tb.Helper()
	near, far := socketPair(tb)
	return NewConn(near), far
}

func TestConn_idleHoldsNoBuffer(t *testing.T) {
	conn, far := connPair(t)
	conn.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if err := conn.Fill(0); !errors.Is(err, os.ErrDeadlineExceeded) || conn.buf != nil {
		t.Errorf("a wait for nothing ends with %v and a buffer of %d bytes", err, len(conn.buf))
	}
	conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(far, "hello")
	if err := conn.Fill(0); err != nil || conn.buf == nil {
		t.Fatalf("Fill = %v, buffer of %d bytes", err, len(conn.buf))
	}
	conn.Consume(4)
	if conn.Release(); string(conn.Buffered()) != "o" {
		t.Errorf("Release let go of a byte that was not consumed")
	}
	conn.Consume(1)
	if conn.Release(); conn.buf != nil || conn.pooled != nil {
		t.Errorf("a buffer is held with nothing in it")
	}
	far.Close()
	if err := conn.Fill(0); err != io.EOF || conn.buf != nil {
		t.Errorf("at the end of the stream: Fill = %v, buffer of %d bytes", err, len(conn.buf))
	}
}

func TestConn_longBufferAfterFullOne(t *testing.T) {
	conn, far := connPair(t)
	text := strings.Repeat("0123456789abcde", 8*longBufferSize/15)
	go io.WriteString(far, text)
	var got strings.Builder
	long := false
	for got.Len() < len(text) {
		if err := conn.Fill(0); err != nil {
			t.Fatal(err)
		}
		long = long || conn.long != nil
		got.Write(conn.Buffered())
		conn.Consume(len(conn.Buffered()))
	}
	if got.String() != text {
		t.Error("what was read is not what was sent")
	}
	if !long {
		t.Error("no long buffer was taken")
	}
	if conn.Release(); conn.buf != nil || conn.pooled != nil || conn.long != nil {
		t.Error("a buffer is held with nothing in it")
	}
}

func TestConn_bufferLimit(t *testing.T) {
	const limit = 40_000
	conn, far := connPair(t)
	go io.WriteString(far, strings.Repeat("x", 2*limit))
	for {
		err := conn.Fill(limit)
		if err == ErrBufferFull {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if got := len(conn.Buffered()); got != limit {
		t.Errorf("%d bytes are buffered, want %d", got, limit)
	}
	conn.Consume(limit - 1)
	if err := conn.Fill(0); err != nil || conn.Buffered()[0] != 'x' {
		t.Errorf("Fill after Consume = %v", err)
	}
}

func TestConn_Hold(t *testing.T) {
	for _, rest := range []int{0, 1, 1000, BufferSize, 3 * BufferSize} {
		conn, far := connPair(t)
		head := strings.Repeat("h", 100)
		text := head + strings.Repeat("r", rest)
		go io.WriteString(far, text)
		for len(conn.Buffered()) < len(text) {
			if err := conn.Fill(len(text) + 1); err != nil {
				t.Fatal(err)
			}
		}
		kept := conn.Buffered()[:len(head)]
		var held Held
		conn.Hold(len(head), &held)
		if got := string(conn.Buffered()); got != text[len(head):] {
			t.Errorf("of %d bytes behind the head %d are left", rest, len(got))
		}
		if rest == 0 && conn.buf != nil {
			t.Error("a buffer is held with nothing in it")
		}
		conn.Consume(rest)
		conn.Release()
		io.WriteString(far, strings.Repeat("n", 100))
		if err := conn.Fill(0); err != nil {
			t.Fatal(err)
		}
		if string(kept) != head {
			t.Errorf("with %d bytes behind it the head became %q", rest, kept)
		}
		held.Release()
		held.Release()
	}
}

func TestConn_Read(t *testing.T) {
	conn, far := connPair(t)
	io.WriteString(far, "hello")
	if err := conn.Fill(0); err != nil {
		t.Fatal(err)
	}
	io.WriteString(far, " world")
	far.Close()
	if all, err := io.ReadAll(conn); string(all) != "hello world" || err != nil {
		t.Errorf("got %q, %v", all, err)
	}
}

func TestConn_Stale(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(far net.Conn)
		want bool
	}{
		"nothing": {func(net.Conn) {}, false},
		"bytes":   {func(far net.Conn) { io.WriteString(far, "?") }, true},
		"end":     {func(far net.Conn) { far.(*net.TCPConn).CloseWrite() }, true},
		"closed":  {func(far net.Conn) { far.Close() }, true},
		"reset":   {func(far net.Conn) { far.(*net.TCPConn).SetLinger(0); far.Close() }, true},
	} {
		conn, far := connPair(t)
		c.do(far)
		deadline := time.Now().Add(20 * time.Second)
		for c.want && !conn.Stale() && time.Now().Before(deadline) {
		}
		if got := conn.Stale(); got != c.want {
			t.Errorf("%s: Stale is %v", name, got)
		}
	}
	conn, _ := connPair(t)
	if conn.Close(); !conn.Stale() {
		t.Error("a connection closed here is not stale")
	}
}

func TestConn_bufferedBytesAreStale(t *testing.T) {
	conn, far := connPair(t)
	io.WriteString(far, "hello")
	if err := conn.Fill(0); err != nil || !conn.Stale() {
		t.Errorf("Fill = %v, Stale = %v", err, conn.Stale())
	}
}

func TestAsk_writesAndWaits(t *testing.T) {
	for name, question := range map[string]string{"short": "?", "longer than all buffers": strings.Repeat("?", 32<<20)} {
		t.Run(name, func(t *testing.T) {
			conn, far := connPair(t)
			go func() {
				if n, err := io.CopyN(io.Discard, far, int64(len(question))); n == int64(len(question)) && err == nil {
					io.WriteString(far, "answer")
				}
			}()
			if err := conn.WriteAndWait([]byte(question), 0); err != nil || string(conn.Buffered()) != "answer" {
				t.Errorf("got %q, %v", conn.Buffered(), err)
			}
		})
	}
}

func TestAsk_noResponse(t *testing.T) {
	for name, end := range map[string]func(conn *Conn, far net.Conn){
		"closed there":        func(_ *Conn, far net.Conn) { far.Close() },
		"ended there":         func(conn *Conn, far net.Conn) { conn.CheckBeforeWrite(); far.(*net.TCPConn).CloseWrite() },
		"closed here":         func(conn *Conn, _ net.Conn) { conn.Close() },
		"the deadline passes": func(conn *Conn, _ net.Conn) { conn.SetDeadline(time.Now().Add(10 * time.Millisecond)) },
		"the deadline passed": func(conn *Conn, _ net.Conn) { conn.SetDeadline(time.Unix(1, 0)) },
	} {
		conn, far := connPair(t)
		end(conn, far)
		if err := conn.WriteAndWait([]byte("?"), 0); err == nil || conn.buf != nil {
			t.Errorf("%s: got %v and a buffer of %d bytes", name, err, len(conn.buf))
		}
	}
}

// Connections other than sockets are supported too.
func TestConn_withoutSocket(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	conn := NewConn(near)
	go func() {
		io.WriteString(far, "hello")
		far.Close()
	}()
	if err := conn.Fill(0); err != nil || string(conn.Buffered()) != "hello" || conn.reader.readable() {
		t.Errorf("got %q, %v", conn.Buffered(), err)
	}
	conn.Consume(5)
	conn.Release()
	if err := conn.Fill(0); err != io.EOF || conn.buf != nil {
		t.Errorf("at the end: %v, holding a buffer of %d bytes", err, len(conn.buf))
	}
}

func TestFill_allocatesNothing(t *testing.T) {
	conn, far := connPair(t)
	word := []byte("hello")
	one := func() {
		far.Write(word)
		if conn.Fill(0) != nil {
			t.Fatal("Fill fails")
		}
		conn.Consume(len(conn.Buffered()))
		conn.Release()
	}
	if n := testing.AllocsPerRun(100, one); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// waiting implements waiter.
type waiting struct {
	net.Conn
	wait func() error
}

func (w waiting) WaitReadable() error { return w.wait() }

func TestConn_waiterHoldsNoBuffer(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	waited := 0
	var conn *Conn
	conn = NewConn(waiting{near, func() error {
		waited++
		if conn.buf != nil {
			t.Error("a buffer is held")
		}
		return nil
	}})
	go far.Write([]byte("hello"))
	if err := conn.Fill(0); err != nil || string(conn.Buffered()) != "hello" || waited != 1 {
		t.Errorf("got %q, %v after waiting %d times", conn.Buffered(), err, waited)
	}
}
