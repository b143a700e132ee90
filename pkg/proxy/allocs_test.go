package proxy

import (
	"bytes"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// steady is a client and a pod that allocate nothing, with a rig between them, so that what is allocated is Limpet's.
type steady struct {
	tb      testing.TB
	conn    net.Conn
	request []byte
	buf     [4096]byte
}

// newSteady sets up a session that is bound to the pod already.
func newSteady(tb testing.TB, tls bool, change ...func(*Options)) *steady {
	tb.Helper()
	r := newRig(tb, change...)
	r.serve(cookieAffinity(), startPod(tb, "pod-a", answerWithoutAllocating))
	client := r.dial()
	if tls {
		client, _ = dialTLS(tb, r.listen(r.server.ServeTLS), "shop.example")
	}
	cookie := client.get("/cart/items", "User-Agent: bench").cookie(tb)
	s := &steady{tb: tb, conn: client.Conn}
	s.request = []byte(request("GET", "/cart/items?page=2", "",
		"User-Agent: bench", "Accept: */*", "Accept-Encoding: gzip", cookie+"; theme=dark"))
	return s
}

func answerWithoutAllocating(c *podConn) {
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nhello, world")
	var buf [4096]byte
	for {
		n, err := c.Conn.Read(buf[:])
		if err != nil || !bytes.HasSuffix(buf[:n], []byte("\r\n\r\n")) {
			return
		}
		if _, err := c.Conn.Write(answer); err != nil {
			return
		}
	}
}

// ask sends the request and reads the response, which comes in one piece.
func (s *steady) ask() {
	if _, err := s.conn.Write(s.request); err != nil {
		s.tb.Fatal(err)
	}
	n, err := s.conn.Read(s.buf[:])
	if err != nil || !bytes.HasSuffix(s.buf[:n], []byte("\r\n\r\nhello, world")) {
		s.tb.Fatalf("got %q, %v", s.buf[:n], err)
	}
}

func BenchmarkStickyRequest(b *testing.B)    { benchmarkSteady(b, false) }
func BenchmarkStickyRequestTLS(b *testing.B) { benchmarkSteady(b, true) }

func benchmarkSteady(b *testing.B, tls bool) {
	s := newSteady(b, tls)
	b.ReportAllocs()
	for b.Loop() {
		s.ask()
	}
}

// The whole process is measured: nothing at all is allocated for a request. A few allocations of the runtime's own
// (timers, a collection that empties the pools of buffers) do not count. Over TLS crypto/tls allocates 24 bytes whenever
// it reads from the socket.
func TestAllocs_stickyRequest(t *testing.T) {
	s := newSteady(t, false)
	const requests = 2000
	for range requests / 10 {
		s.ask()
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range requests {
		s.ask()
	}
	runtime.ReadMemStats(&after)
	if got := float64(after.Mallocs-before.Mallocs) / requests; got > allocationsAllowed {
		t.Errorf("%.3f allocations a request, want none", got)
	}
}

// A connection without a request, and streams on which nothing passes, hold no buffer.
func TestIdle_holdsNoBuffer(t *testing.T) {
	const connections = 500
	for name, use := range map[string]func(*caller){
		"keep-alive": func(c *caller) { c.get("/").expectOK(c.t, "") },
		"WebSocket":  func(c *caller) { c.send(handshake); c.head(); c.send("a"); c.expect("a") },
		"events":     func(c *caller) { c.send(request("GET", "/events", "")); c.head(); c.expect("5\r\nfirst\r\n") },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.serve(nil, startPod(t, "pod-a", func(c *podConn) {
				switch head := c.head(); {
				case strings.Contains(head, "Upgrade"):
					c.say(switching)
					io.Copy(c.Conn, c.Reader)
				case strings.Contains(head, "/events"):
					c.say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nfirst")
					c.ReadByte()
				default:
					c.answer("")
				}
			}))
			before := heap()
			for range connections {
				client := r.dial()
				use(client)
				client.r.Reset(nil)
			}
			// Both ends are counted, and what the pod keeps.
			if got := (heap() - before) / connections; got > http1.BufferSize*3/4 {
				t.Errorf("a connection holds %d bytes", got)
			}
		})
	}
}

// heap is the size of what is reachable.
func heap() uint64 {
	runtime.GC()
	runtime.GC() // the second one empties what pools hold
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
