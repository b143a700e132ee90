package upstream

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/http2"
)

// Dialer makes connections to endpoints. Its Timeout bounds connecting, the TLS handshake after that, and how long a pod that
// speaks HTTP/2 may take to say what it allows after both.
type Dialer struct {
	net.Dialer
	// Limits bound the answers that come over HTTP/2, and Budget what else a pod may do there.
	Limits http1.Limits
	Budget http2.Budget
}

// Dial opens a new connection for HTTP/1.1, which begins with preamble. With an error no pod has seen anything of a request.
func (e *Endpoint) Dial(d *Dialer, t *Transport, preamble []byte) (*Conn, error) {
	socket, err := e.connect(d, preamble)
	if err != nil {
		return nil, err
	}
	if t.tls == nil {
		return &Conn{Conn: http1.NewConn(socket), transport: t}, nil
	}
	conn := http1.NewLazyTLSClient(socket, t.tls)
	if err := handshake(conn.Conn, d.Timeout); err != nil {
		return nil, err
	}
	return &Conn{Conn: http1.NewConn(conn), transport: t}, nil
}

// connect opens the socket.
//
// A name, which a Service of type ExternalName has, is dialled only where it leads off this machine: whoever may write
// a Service is not to reach what listens on the node alone, nor the metadata service of a cloud.
func (e *Endpoint) connect(d *Dialer, preamble []byte) (net.Conn, error) {
	dialer := &d.Dialer
	if _, err := netip.ParseAddrPort(e.Address); err != nil {
		guarded := d.Dialer
		guarded.Control = refuseLocal
		dialer = &guarded
	}
	conn, err := dialer.DialContext(context.Background(), "tcp", e.Address)
	if err != nil {
		return nil, err
	}
	if len(preamble) > 0 {
		if _, err := conn.Write(preamble); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return conn, nil
}

// handshake closes the connection when it fails.
func handshake(conn *tls.Conn, timeout time.Duration) error {
	_ = conn.SetDeadline(time.Now().Add(timeout)) // fails on a connection that is closed, and so does the handshake
	if err := conn.Handshake(); err != nil {
		conn.Close()
		return fmt.Errorf("TLS handshake with the pod: %w", err)
	}
	_ = conn.SetDeadline(time.Time{})
	return nil
}

// refuseLocal is asked with the address that a name was resolved to, before anything is sent there.
func refuseLocal(_, address string, _ syscall.RawConn) error {
	resolved, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address %q: %w", address, err)
	}
	ip := resolved.Addr().Unmap()
	if ip.IsLoopback() || ip.IsUnspecified() || ip.IsLinkLocalUnicast() || ip.IsMulticast() {
		return fmt.Errorf("address %s belongs to this machine or its link, where an ExternalName may not lead", ip)
	}
	return nil
}
