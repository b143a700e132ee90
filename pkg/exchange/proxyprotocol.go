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
	client := netip.AddrPortFrom(h.view.ClientIP, h.view.ClientPort)
	return proxyHeader(h.backend.Transport.ProxyProtocol, client, h.Local)
}

// proxyHeader returns a PROXY protocol header with these addresses, nil for version 0.
func proxyHeader(version int, client, local netip.AddrPort) []byte {
	if version == 0 {
		return nil
	}
	header := proxyproto.HeaderProxyFromAddrs(byte(version), net.TCPAddrFromAddrPort(client), net.TCPAddrFromAddrPort(local))
	b, err := header.Format()
	if err != nil {
		return nil
	}
	return b
}
