package http1

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/test/certificates"
)

// holder is a connection that can delay writes.
type holder struct {
	net.Conn
	holds bool
	held  []byte
}

func (h *holder) Write(p []byte) (int, error) {
	if h.holds {
		h.held = append(h.held, p...)
		return len(p), nil
	}
	return h.Conn.Write(p)
}

// tlsPair returns both ends of a TLS connection, and the client's underlying connection.
func tlsPair(t *testing.T, version uint16) (server *LazyTLS, client *tls.Conn, under *holder) {
	t.Helper()
	near, far := socketPair(t)
	under = &holder{Conn: far}
	own := certificates.SelfSigned(t, x509.Certificate{})
	server = NewLazyTLS(near, &tls.Config{Certificates: []tls.Certificate{*own}, MaxVersion: version})
	client = tls.Client(under, &tls.Config{InsecureSkipVerify: true})
	shaken := make(chan error, 1)
	go func() { shaken <- server.Handshake() }()
	if err := errors.Join(client.Handshake(), <-shaken); err != nil {
		t.Fatal(err)
	}
	return server, client, under
}

// socketPair returns both ends of a loopback connection, with a deadline.
func socketPair(tb testing.TB) (near, far net.Conn) {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer l.Close()
	if far, err = net.Dial("tcp", l.Addr().String()); err != nil {
		tb.Fatal(err)
	}
	if near, err = l.Accept(); err != nil {
		tb.Fatal(err)
	}
	for _, c := range []net.Conn{near, far} {
		c.SetDeadline(time.Now().Add(20 * time.Second))
		tb.Cleanup(func() { c.Close() })
	}
	return near, far
}

func overTLS(t *testing.T, do func(t *testing.T, version uint16)) {
	t.Helper()
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) { do(t, version) })
	}
}

// LazyTLS relies on crypto/tls returning temporary errors and continuing afterwards, wherever in a record the bytes
// ended.
func TestLazyTLS_wouldBlock(t *testing.T) {
	overTLS(t, func(t *testing.T, version uint16) {
		server, client, under := tlsPair(t, version)
		conn := NewConn(server)
		source := conn.reader.(*tlsReader)
		expectWouldBlock := func() {
			t.Helper()
			err := server.under.raw.Control(func(fd uintptr) {
				if source.readOnce(fd) {
					t.Fatalf("read without data = %d, %v", source.n, source.err)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, word := range []string{"hello", "again"} {
			under.holds, under.held = true, nil
			io.WriteString(client, word)
			for i := range under.held {
				expectWouldBlock()
				under.Conn.Write(under.held[i : i+1])
				if err := server.under.wait(); err != nil {
					t.Fatal(err)
				}
			}
			under.holds = false
			expectFilled(t, conn, word)
			io.WriteString(server, word)
			expectRead(t, client, word)
		}
	})
}

func expectFilled(t *testing.T, conn *Conn, want string) {
	t.Helper()
	if err := conn.Fill(0); err != nil || string(conn.Buffered()) != want {
		t.Fatalf("got %q, %v, want %q", conn.Buffered(), err, want)
	}
	conn.Consume(len(want))
	conn.Release()
}

func expectRead(t *testing.T, r io.Reader, want string) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(r, got); string(got) != want {
		t.Fatalf("got %q, %v, want %q", got[:n], err, want)
	}
}

// After a deadline, the connection is still usable.
func TestLazyTLS_deadline(t *testing.T) {
	overTLS(t, func(t *testing.T, version uint16) {
		server, client, under := tlsPair(t, version)
		conn := NewConn(server)
		under.holds = true
		io.WriteString(client, "hello")
		under.Conn.Write(under.held[:7])
		conn.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		if err := conn.Fill(0); !errors.Is(err, os.ErrDeadlineExceeded) || conn.buf != nil {
			t.Fatalf("got %v, holding a buffer of %d bytes", err, len(conn.buf))
		}
		conn.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
		if err := conn.Fill(0); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("a wait that is gone on with: %v", err)
		}
		conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		under.Conn.Write(under.held[7:])
		expectFilled(t, conn, "hello")
	})
}

// A record may exceed a buffer. Reading the rest must not wait for another record.
func TestLazyTLS_readsWholeRecord(t *testing.T) {
	overTLS(t, func(t *testing.T, version uint16) {
		server, client, _ := tlsPair(t, version)
		conn := NewConn(server)
		want := make([]byte, 3*BufferSize)
		for i := range want {
			want[i] = byte(i / 7)
		}
		go client.Write(want)
		var got []byte
		for len(got) < len(want) {
			if len(conn.Buffered()) == 0 {
				if err := conn.Fill(0); err != nil {
					t.Fatal(err)
				}
			}
			n := min(len(conn.Buffered()), 1000)
			got = append(got, conn.Buffered()[:n]...)
			conn.Consume(n)
		}
		if string(got) != string(want) {
			t.Error("what was read differs from what was written")
		}
	})
}

func TestLazyTLS_endOfStream(t *testing.T) {
	overTLS(t, func(t *testing.T, version uint16) {
		server, client, _ := tlsPair(t, version)
		conn := NewConn(server)
		client.CloseWrite()
		if err := conn.Fill(0); err != io.EOF {
			t.Errorf("after the client's close_notify: %v", err)
		}
		io.WriteString(server, "bye")
		expectRead(t, client, "bye")
	})
}
