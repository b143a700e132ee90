package http1

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// watched returns both ends of a TCP connection, with a deadline.
func watched(t *testing.T) (conn *Conn, peer *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialled, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dialled.Close(); accepted.Close() })
	accepted.SetDeadline(time.Now().Add(10 * time.Second))
	return NewConn(accepted), dialled.(*net.TCPConn)
}

func say(t *testing.T, peer io.Writer, n int) {
	t.Helper()
	if _, err := peer.Write(make([]byte, n)); err != nil {
		t.Error(err)
	}
}

// takeAll consumes what is buffered.
func takeAll(conn *Conn) int {
	n := len(conn.Buffered())
	conn.Consume(n)
	conn.Release()
	return n
}

func TestWatch_bytesBetweenWaits(t *testing.T) {
	conn, peer := watched(t)
	say(t, peer, 1)
	took := 0
	err := conn.Watch(func() bool {
		if took += takeAll(conn); took < 100 {
			say(t, peer, 1) // over loopback it has arrived when this returns
		}
		return took < 100
	})
	if err != nil || took != 100 {
		t.Errorf("took %d of 100 bytes, then %v", took, err)
	}
}

// After a read that fills the buffer, the rest was reported by the poller already.
func TestWatch_fullBuffer(t *testing.T) {
	for _, size := range []int{BufferSize, 3 * BufferSize, 3*BufferSize + 1} {
		conn, peer := watched(t)
		say(t, peer, size)
		took := 0
		err := conn.Watch(func() bool {
			took += takeAll(conn)
			return took < size
		})
		if err != nil || took != size {
			t.Errorf("took %d of %d bytes, then %v", took, size, err)
		}
	}
}

func TestWatch_endAndDeadline(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(conn *Conn, peer *net.TCPConn)
		want error
	}{
		"end of what the peer sends": {func(_ *Conn, peer *net.TCPConn) { peer.CloseWrite() }, io.EOF},
		"deadline":                   {func(conn *Conn, _ *net.TCPConn) { conn.SetReadDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			conn, peer := watched(t)
			say(t, peer, 1)
			err := conn.Watch(func() bool {
				takeAll(conn)
				c.end(conn, peer)
				return true
			})
			if !errors.Is(err, c.want) {
				t.Errorf("it ends with %v", err)
			}
		})
	}
}

// Watch also works with connections other than sockets.
func TestWatch_pipe(t *testing.T) {
	near, far := net.Pipe()
	defer far.Close()
	conn, took := NewConn(near), 0
	go func() {
		for range 3 {
			far.Write([]byte("x"))
		}
	}()
	if err := conn.Watch(func() bool { took += takeAll(conn); return took < 3 }); err != nil || took != 3 {
		t.Errorf("took %d of 3 bytes, then %v", took, err)
	}
}
