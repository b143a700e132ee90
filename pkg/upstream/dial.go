package upstream

import (
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// Dial opens a new connection. The error says that nothing was sent.
//
// A name, which a Service of type ExternalName has, is dialled only where it leads off this machine: whoever may write
// a Service is not to reach what listens on the node alone, nor the metadata service of a cloud.
func (e *Endpoint) Dial(d *net.Dialer) (*Conn, error) {
	if _, err := netip.ParseAddrPort(e.Address); err != nil {
		guarded := *d
		guarded.Control = refuseLocal
		d = &guarded
	}
	conn, err := d.Dial("tcp", e.Address)
	if err != nil {
		return nil, err
	}
	return &Conn{Conn: http1.NewConn(conn)}, nil
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
