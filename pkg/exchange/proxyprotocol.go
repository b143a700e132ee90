package exchange

import (
	"net"
	"net/netip"

	"github.com/pires/go-proxyproto"
)

// preamble returns the PROXY protocol header that starts a connection to a pod, with the addresses of the client and of the
// listener. It returns nil if the backend does not use the PROXY protocol. The client's port is unknown if the client is
// behind a trusted proxy.
func (h *podHead) preamble() []byte {
	version := h.backend.Transport.ProxyProtocol
	if version == 0 {
		return nil
	}
	client := netip.AddrPortFrom(h.view.ClientIP, h.view.ClientPort)
	header := proxyproto.HeaderProxyFromAddrs(byte(version), net.TCPAddrFromAddrPort(client), net.TCPAddrFromAddrPort(h.Local))
	b, err := header.Format()
	if err != nil {
		return nil
	}
	return b
}
