package proxy

import (
	"net"
	"net/netip"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/memory"
)

// origin is what is known about a client from its connection.
type origin struct {
	server *Server
	// peer and peerPort are the other end of the connection, local is this one. No address is mapped into IPv6.
	peer     netip.Addr
	peerPort uint16
	local    netip.AddrPort
	// peerText is peer as text.
	peerText string
	tls      bool
	// session is what the TLS handshake came to, nil for a connection in clear.
	session *tlsSession
	// trusted says that the peer is one of the trusted proxies: what it says about clients is believed.
	trusted bool
	// shard spreads what is shared between cores: any number that the connection keeps.
	shard uint32
	// memory is the connection's own: of its exchanges only one at a time may use it.
	memory *affinity.Memory
	// account counts what the connection holds: nil where there is no budget.
	account *memory.Account
}

var connectionCount atomic.Uint32

func (s *Server) originOf(conn net.Conn) origin {
	o := origin{server: s, shard: connectionCount.Add(1), account: memory.NewAccount(s.Memory)}
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
	o.peer, o.peerPort = plainAddress(peer.Addr()), peer.Port()
	o.local = netip.AddrPortFrom(plainAddress(local.Addr()), local.Port())
	o.peerText = o.peer.String()
	o.trusted = o.server.trusts(o.peer)
}

func plainAddress(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }

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
