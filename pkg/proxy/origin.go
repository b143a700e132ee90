package proxy

import (
	"net"
	"net/netip"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/affinity"
)

// origin is what is known about a client from its connection.
type origin struct {
	server *Server
	peer   netip.Addr // the other end of the connection, unmapped
	port   uint16     // of the listener
	// peerPort and local complete the two ends of the connection.
	peerPort uint16
	local    netip.Addr
	tls      bool
	// session is what the TLS handshake came to, nil for a connection in clear.
	session *tlsSession
	// trusted says that the peer is one of the trusted proxies: what it says about clients is believed.
	trusted bool
	// text is peer as text.
	text string
	// shard spreads what is shared between cores: any number that the connection keeps.
	shard uint32
	// memory is the connection's own: of its exchanges only one at a time may use it.
	memory *affinity.Memory
}

var connectionCount atomic.Uint32

func (s *Server) originOf(conn net.Conn) origin {
	o := origin{server: s, shard: connectionCount.Add(1)}
	o.setAddresses(addrPort(conn.RemoteAddr()), addrPort(conn.LocalAddr()))
	return o
}

func addrPort(a net.Addr) netip.AddrPort {
	if socket, ok := a.(interface{ AddrPort() netip.AddrPort }); ok {
		return socket.AddrPort()
	}
	return netip.AddrPort{}
}

// setAddresses says who is at the ends of the connection.
func (o *origin) setAddresses(peer, local netip.AddrPort) {
	o.peer, o.port = peer.Addr().Unmap().WithZone(""), local.Port()
	o.peerPort, o.local = peer.Port(), local.Addr().Unmap().WithZone("")
	o.text = o.peer.String()
	o.trusted = o.server.trusts(o.peer)
}

// trusts reports whether what addr says about clients is believed.
func (s *Server) trusts(addr netip.Addr) bool { return contains(s.TrustedProxies, addr) }

func contains(prefixes []netip.Prefix, addr netip.Addr) bool {
	for _, prefix := range prefixes {
		if prefix.Contains(addr) {
			return true
		}
	}
	return false
}
