package proxy

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/routing"
)

// Sizes of TLS records and handshake messages, in bytes (RFC 8446 sections 4 and 5.1).
const (
	recordHeader    = 5
	handshakeHeader = 4
	maxRecord       = 1 << 14
	// maxHello limits the records of a ClientHello. Those of browsers have about 2 KB.
	maxHello = 16 << 10

	recordHandshake = 22
	helloMessage    = 1
)

// serveTLS serves a TLS connection: if the host that the client names is passed through, by a tunnel to a pod, otherwise by
// terminating TLS. Without hosts that are passed through, nothing is read here.
func (c *client) serveTLS() {
	table := c.server.Tables.Current()
	if !table.HasPassthrough() {
		c.terminateTLS(c.raw)
		return
	}
	hello, ok := c.readHello()
	if !ok {
		return
	}
	name := helloServerName(hello)
	if backend := table.Passthrough([]byte(name)); backend != nil && name != "" {
		c.passThrough(backend, name, hello)
		return
	}
	c.terminateTLS(&replayConn{Conn: c.raw, unread: hello})
}

// readHello reads the ClientHello within Timeouts.Head. It returns false if the connection ended or timed out.
func (c *client) readHello() (hello []byte, ok bool) {
	c.guard.Start(c.raw, c.server.After(c.server.Timeouts.Head))
	c.idleSince.Store(c.server.Clock())
	hello, err := readClientHello(c.raw)
	c.idleSince.Store(0)
	if c.guard.Stop() || err != nil {
		if err != io.EOF || len(hello) > 0 { // otherwise a health check that connects and closes
			c.server.Metrics.Refused(observe.RefusedHandshake)
		}
		return nil, false
	}
	return hello, true
}

// passThrough forwards the connection to a pod. A client for which no pod can be reached gets no alert: Limpet has no key of
// the host.
func (c *client) passThrough(backend *routing.Backend, host string, hello []byte) {
	c.startHTTP(c.raw)
	tunnel := c.Passthrough(backend, host, hello)
	if tunnel == nil {
		c.reset()
		return
	}
	c.bufferless.Store(true)
	tunnel.Run(c.server.Engine, c.conn, &c.source.Guard, &c.guard)
}

// readClientHello reads the TLS records that contain the first handshake message, and no byte after them. It stops at what cannot
// be a ClientHello or exceeds maxHello, and returns what it has read: the handshake then fails with the right alert.
func readClientHello(r io.Reader) (records []byte, err error) {
	var message []byte // the handshake message so far
	for {
		start := len(records)
		records = append(records, make([]byte, recordHeader)...)
		n, err := io.ReadFull(r, records[start:])
		if err != nil {
			return records[:start+n], unexpectedEnd(err, start+n)
		}
		size := int(records[start+3])<<8 | int(records[start+4])
		if records[start] != recordHandshake || size == 0 || size > maxRecord || start+recordHeader+size > maxHello {
			return records, nil
		}
		records = append(records, make([]byte, size)...)
		if n, err := io.ReadFull(r, records[start+recordHeader:]); err != nil {
			return records[:start+recordHeader+n], unexpectedEOF(err)
		}
		message = append(message, records[start+recordHeader:]...)
		if isWholeHello(message) {
			return records, nil
		}
	}
}

// unexpectedEnd returns io.EOF only for a connection that ends before its first byte.
func unexpectedEnd(err error, read int) error {
	if read == 0 && !errors.Is(err, os.ErrDeadlineExceeded) {
		return io.EOF
	}
	return unexpectedEOF(err)
}

// isWholeHello reports whether no more of a handshake message is needed: it is complete, or not a ClientHello, or too long.
func isWholeHello(message []byte) bool {
	if message[0] != helloMessage {
		return true
	}
	if len(message) < handshakeHeader {
		return false
	}
	size := int(message[1])<<16 | int(message[2])<<8 | int(message[3])
	return len(message) >= handshakeHeader+size || size > maxHello
}

var errHelloRead = errors.New("proxy: the ClientHello was read")

// helloServerName returns the server name of a ClientHello in lower case. It returns "" for a ClientHello that is invalid
// or names no server.
// crypto/tls parses it, so that a host is passed through by the name for which TLS would be terminated.
func helloServerName(hello []byte) (name string) {
	_ = tls.Server(&replayConn{Conn: nowhere{}, unread: hello}, &tls.Config{
		GetConfigForClient: func(info *tls.ClientHelloInfo) (*tls.Config, error) {
			name = strings.ToLower(info.ServerName)
			return nil, errHelloRead
		},
	}).Handshake() // always fails
	return name
}

// replayConn is a connection of which the first bytes were read.
type replayConn struct {
	net.Conn
	unread []byte
}

func (r *replayConn) Read(p []byte) (int, error) {
	if len(r.unread) == 0 {
		return r.Conn.Read(p)
	}
	n := copy(p, r.unread)
	r.unread = r.unread[n:]
	return n, nil
}

// SyscallConn implements syscall.Conn. Callers use it after the handshake, which reads all of unread: it has no bytes after the
// last record of the ClientHello.
func (r *replayConn) SyscallConn() (syscall.RawConn, error) {
	if socket, ok := r.Conn.(syscall.Conn); ok {
		return socket.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// CloseWrite half-closes the connection.
func (r *replayConn) CloseWrite() error {
	if half, ok := r.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// nowhere is the peer of a handshake that only reads.
type nowhere struct{ net.Conn }

func (nowhere) Read([]byte) (int, error)    { return 0, io.EOF }
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }
