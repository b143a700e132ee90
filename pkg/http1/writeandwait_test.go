package http1

import (
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A peer may close its side at any time, even after Stale returned false.
func TestAsk_doubtedPeerHasClosed(t *testing.T) {
	for name, spoil := range map[string]func(net.Conn){
		"end":        func(far net.Conn) { far.(*net.TCPConn).CloseWrite() },
		"bytes":      func(far net.Conn) { io.WriteString(far, "HTTP/1.1 408 Request Timeout\r\n") },
		"bytes, end": func(far net.Conn) { io.WriteString(far, "a"); far.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			conn, far := connPair(t)
			conn.SetDeadline(time.Now().Add(20 * time.Second))
			if conn.Stale() {
				t.Fatal("it is stale from the beginning")
			}
			spoil(far)
			awaitReadable(t, conn)
			conn.CheckBeforeWrite()
			if err := conn.WriteAndWait([]byte("question"), 0); err != ErrStale {
				t.Errorf("WriteAndWait = %v", err)
			}
			far.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
			if n, _ := far.Read(make([]byte, 10)); n > 0 {
				t.Errorf("%d bytes were written", n)
			}
		})
	}
}

// awaitReadable waits without reading, and without using the runtime's poller.
func awaitReadable(t *testing.T, conn *Conn) {
	t.Helper()
	raw, err := conn.Conn.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	readable := false
	for deadline := time.Now().Add(20 * time.Second); !readable && time.Now().Before(deadline); {
		raw.Control(func(fd uintptr) {
			_, err := peekSocket(int(fd), make([]byte, 1))
			readable = err != syscall.EAGAIN
		})
	}
	if !readable {
		t.Fatal("what the peer did does not arrive")
	}
}

func TestAsk_doubtedPeerIsOpen(t *testing.T) {
	conn, far := connPair(t)
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	go func() {
		var b [8]byte
		for {
			if _, err := io.ReadFull(far, b[:]); err != nil {
				return
			}
			io.WriteString(far, "answer")
		}
	}()
	for range 3 {
		conn.CheckBeforeWrite()
		if err := conn.WriteAndWait([]byte("question"), 0); err != nil || !strings.HasPrefix("answer", string(conn.Buffered())) {
			t.Fatalf("WriteAndWait = %v, buffered %q", err, conn.Buffered())
		}
		for string(conn.Buffered()) != "answer" {
			if err := conn.Fill(0); err != nil {
				t.Fatal(err)
			}
		}
		conn.Consume(len("answer"))
		conn.Release()
	}
}

func TestAsk_bufferedBytesAreStale(t *testing.T) {
	conn, far := connPair(t)
	io.WriteString(far, "early")
	if err := conn.Fill(0); err != nil {
		t.Fatal(err)
	}
	conn.CheckBeforeWrite()
	if err := conn.WriteAndWait([]byte("question"), 0); err != ErrStale {
		t.Errorf("WriteAndWait = %v", err)
	}
}
