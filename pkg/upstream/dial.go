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

// Dialer makes connections to endpoints. Its Timeout bounds connecting, the TLS handshake after that, and how long a pod that
// speaks HTTP/2 may take to say what it allows after both.
type Dialer struct {
	net.Dialer
	// Context ends connecting and TLS handshakes that are in progress. Nil stands for one that never ends.
	Context context.Context
	// Limits bound the answers that come over HTTP/2, and Budget what else a pod may do there.
	Limits http1.Limits
	Budget http2.Budget
	// Own is where no connection is made to. May be nil: no listener is known.
	Own *Own
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
	if err := d.handshake(conn.Conn); err != nil {
		return nil, err
	}
	return &Conn{Conn: http1.NewConn(conn), transport: t}, nil
}

// connect opens the socket, unless the address is one of Limpet's own listeners.
//
// A name, which a Service of type ExternalName has, is resolved as it is, without search domains. Each address that it
// is resolved to is checked as the connection to it is made: a name server that changes its mind in between gains nothing.
func (e *Endpoint) connect(d *Dialer, preamble []byte) (net.Conn, error) {
	dialer, address := &d.Dialer, e.Address
	if ip, err := netip.ParseAddrPort(address); err == nil {
		if err := d.Own.refuseEndpoint(ip); err != nil {
			return nil, err
		}
	} else {
		guarded := d.Dialer
		guarded.Control = d.Own.checkResolved
		dialer, address = &guarded, absolute(address)
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

// handshake closes the connection when it fails.
func (d *Dialer) handshake(conn *tls.Conn) error {
	_ = conn.SetDeadline(time.Now().Add(d.Timeout)) // fails on a connection that is closed, and so does the handshake
	if err := conn.HandshakeContext(d.context()); err != nil {
		conn.Close()
		return fmt.Errorf("TLS handshake with the pod: %w", err)
	}
	_ = conn.SetDeadline(time.Time{})
	return nil
}

// absolute returns a name and port with the name's final dot, which keeps resolvers from trying search domains.
func absolute(address string) string {
	name, port, err := net.SplitHostPort(address)
	if err != nil || strings.HasSuffix(name, ".") {
		return address
	}
	return net.JoinHostPort(name+".", port)
}

// checkResolved is called with each address of a name, before the connection to it is made.
func (o *Own) checkResolved(_, address string, _ syscall.RawConn) error {
	resolved, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address %q: %w", address, err)
	}
	return o.refuseResolved(resolved)
}
