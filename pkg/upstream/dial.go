package upstream

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/http2"
)

// Dialer opens connections to endpoints. Its Timeout bounds connecting, then the TLS handshake, then the wait for the
// HTTP/2 SETTINGS frame of the pod, each separately.
type Dialer struct {
	net.Dialer
	// Context cancels pending connects and TLS handshakes. Nil disables cancellation.
	Context context.Context
	// Limits bound responses over HTTP/2. Budget bounds other frames that a pod may send.
	Limits http1.Limits
	Budget http2.Budget
	// Self contains the addresses to which no connection is opened. Nil means that no listener is known.
	Self *SelfAddresses
}

// Dial opens a new connection for HTTP/1.1 and writes preamble first. If it returns an error, no part of a request was
// sent.
func (e *Endpoint) Dial(d *Dialer, t *Transport, preamble []byte) (*Conn, error) {
	socket, err := e.connect(d, preamble)
	if err != nil {
		return nil, err
	}
	if t.tls == nil {
		return &Conn{Conn: http1.NewConn(socket), transport: t}, nil
	}
	conn := http1.NewLazyTLSClient(socket, t.tls)
	if err := d.handshake(conn.Conn); err != nil {
		return nil, err
	}
	return &Conn{Conn: http1.NewConn(conn), transport: t}, nil
}

// connect opens the socket. It refuses addresses of Limpet's own listeners.
//
// The name of a Service of type ExternalName is resolved without search domains. Each resolved address is checked
// immediately before the connection is opened. A name server therefore cannot bypass the check by changing its
// response.
func (e *Endpoint) connect(d *Dialer, preamble []byte) (net.Conn, error) {
	dialer, address := &d.Dialer, e.Address
	if ip, err := netip.ParseAddrPort(address); err == nil {
		if err := d.Self.refuseEndpoint(ip); err != nil {
			return nil, err
		}
	} else {
		guarded := d.Dialer
		guarded.Control = d.Self.checkResolved
		dialer, address = &guarded, fullyQualified(address)
	}
	conn, err := dialer.DialContext(d.context(), "tcp", address)
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

func (d *Dialer) context() context.Context {
	if d.Context == nil {
		return context.Background()
	}
	return d.Context
}

// handshake performs the TLS handshake. It closes the connection if the handshake fails.
func (d *Dialer) handshake(conn *tls.Conn) error {
	_ = conn.SetDeadline(time.Now().Add(d.Timeout)) // fails only if the connection is closed; then the handshake fails too
	if err := conn.HandshakeContext(d.context()); err != nil {
		conn.Close()
		return fmt.Errorf("TLS handshake with the pod: %w", err)
	}
	_ = conn.SetDeadline(time.Time{})
	return nil
}

// fullyQualified appends the final dot to the name in address. It keeps resolvers from trying search domains.
func fullyQualified(address string) string {
	name, port, err := net.SplitHostPort(address)
	if err != nil || strings.HasSuffix(name, ".") {
		return address
	}
	return net.JoinHostPort(name+".", port)
}

// checkResolved is a net.Dialer.Control function. It checks each resolved address before connecting.
func (o *SelfAddresses) checkResolved(_, address string, _ syscall.RawConn) error {
	resolved, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address %q: %w", address, err)
	}
	return o.refuseResolved(resolved)
}
