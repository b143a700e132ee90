package exchange

import (
	"net"
	"net/netip"

	"github.com/pires/go-proxyproto"
)

// preamble is the header of the PROXY protocol that begins a connection to a pod which asks for one: who the client is,
// and where it connected to. The port of a client that comes by way of a trusted proxy is not known.
func (h *podHead) preamble() []byte {
	version := h.backend.Transport.ProxyProtocol
	if version == 0 {
		return nil
	}
	client := netip.AddrPortFrom(h.view.ClientIP, 0)
	if h.view.ClientIP == h.Peer {
		client = netip.AddrPortFrom(h.view.ClientIP, h.PeerPort)
	}
	header := proxyproto.HeaderProxyFromAddrs(byte(version), net.TCPAddrFromAddrPort(client), net.TCPAddrFromAddrPort(h.Local))
	b, err := header.Format()
	if err != nil {
		return nil
	}
	return b
}
