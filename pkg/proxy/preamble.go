package proxy

import (
	"net"
	"net/netip"

	"github.com/pires/go-proxyproto"
)

// preamble is the header of the PROXY protocol that begins a connection to a pod which asks for one: who the client is,
// and where it connected to. The port of a client that comes by way of a trusted proxy is not known.
func (x *exchange) preamble() []byte {
	version := x.backend.Transport.ProxyProtocol
	if version == 0 {
		return nil
	}
	client, local := netip.AddrPortFrom(x.client, 0), netip.AddrPortFrom(x.local, x.port)
	if x.client == x.peer {
		client = netip.AddrPortFrom(x.client, x.peerPort)
	}
	header := proxyproto.HeaderProxyFromAddrs(byte(version), net.TCPAddrFromAddrPort(client), net.TCPAddrFromAddrPort(local))
	b, err := header.Format()
	if err != nil {
		return nil
	}
	return b
}
