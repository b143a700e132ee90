package http1

import (
	"io"
	"net"
	"testing"
	"time"
)

// Bytes that cross the peer's FIN were not received.
func TestAsk_crossesClose(t *testing.T) {
	conn, far := connPair(t)
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	far.Close()
	awaitReadable(t, conn) // as if it had been looked at just before that
	if err := conn.WriteAndWait([]byte("question"), 0); err != ErrStale {
		t.Errorf("WriteAndWait = %v", err)
	}
}

// If the peer may have read a part, the request must not be sent elsewhere.
func TestAsk_peerMayHaveRead(t *testing.T) {
	for name, end := range map[string]func(*net.TCPConn){
		"read, end":   func(far *net.TCPConn) { io.ReadFull(far, make([]byte, 8)); far.Close() },
		"read, reset": func(far *net.TCPConn) { io.ReadFull(far, make([]byte, 8)); far.SetLinger(0); far.Close() },
		"read some":   func(far *net.TCPConn) { io.ReadFull(far, make([]byte, 1)); far.Close() },
		"end of its side": func(far *net.TCPConn) {
			io.ReadFull(far, make([]byte, 1))
			far.CloseWrite()
			io.Copy(io.Discard, far)
		},
	} {
		t.Run(name, func(t *testing.T) {
			for range 200 {
				conn, far := connPair(t)
				conn.SetDeadline(time.Now().Add(20 * time.Second))
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					end(far.(*net.TCPConn))
				}()
				if err := conn.WriteAndWait([]byte("question"), 0); err == nil || err == ErrStale {
					t.Fatalf("WriteAndWait = %v", err)
				}
				conn.Close()
				<-ended
			}
		})
	}
}

// If a part of the request was received, the rest must not make it stale.
func TestAsk_partlyFlushedIsNotStale(t *testing.T) {
	conn, far := connPair(t)
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	var out Output
	out.Begin()
	out.Buf = append(out.Buf, "question"...)
	if err := out.Flush(conn); err != nil {
		t.Fatal(err)
	}
	io.ReadFull(far, make([]byte, 8))
	far.Close()
	awaitReadable(t, conn)
	out.Begin()
	out.Buf = append(out.Buf, "more"...)
	if err := out.FlushAndWait(conn, 0); err != io.EOF || out.Buf != nil {
		t.Errorf("FlushAndWait = %v, buffered %q", err, out.Buf)
	}
}
