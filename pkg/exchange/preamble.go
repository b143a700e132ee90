package exchange

import (
	"net"
	"net/netip"

	"github.com/pires/go-proxyproto"
)

// preamble is the header of the PROXY protocol that begins a connection to a pod which asks for one: who the client is,
// and where it connected to. The port of a client that comes by way of a trusted proxy is not known.
func (x *Exchange) preamble() []byte {
	version := x.backend.Transport.ProxyProtocol
	if version == 0 {
		return nil
	}
	client := netip.AddrPortFrom(x.view.ClientIP, 0)
	if x.view.ClientIP == x.Peer {
		client = netip.AddrPortFrom(x.view.ClientIP, x.PeerPort)
	}
	header := proxyproto.HeaderProxyFromAddrs(byte(version), net.TCPAddrFromAddrPort(client), net.TCPAddrFromAddrPort(x.Local))
	b, err := header.Format()
	if err != nil {
		return nil
	}
	return b
}
