package exchange

import (
	"net"
	"net/netip"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/memory"
)

// Connection is what is known about a client from its connection.
type Connection struct {
	Engine *Engine
	// Peer and PeerPort are the other end of the connection, Local is this one. No address is mapped into IPv6.
	Peer     netip.Addr
	PeerPort uint16
	Local    netip.AddrPort
	// PeerText is Peer as text.
	PeerText string
	// TLS is the outcome of the TLS handshake, nil for a cleartext connection.
	TLS *filter.TLSSession
	// Trusted reports whether the peer is one of the trusted proxies: what it says about clients is believed.
	Trusted bool
	// Shard spreads what is shared between cores. It is any number that the connection keeps.
	Shard uint32
	// Memory belongs to the connection: only one of its exchanges at a time may use it.
	Memory *affinity.Memory
	// Account counts what the connection holds. Nil counts nothing, because there is no budget.
	Account *memory.Account
}

var connectionCount atomic.Uint32

// NewConnection returns what is known about conn before anything was read from it.
func NewConnection(e *Engine, conn net.Conn) Connection {
	c := Connection{Engine: e, Shard: connectionCount.Add(1), Account: memory.NewAccount(e.Memory)}
	c.SetAddresses(addrPort(conn.RemoteAddr()), addrPort(conn.LocalAddr()))
	return c
}

func addrPort(a net.Addr) netip.AddrPort {
	if socket, ok := a.(interface{ AddrPort() netip.AddrPort }); ok {
		return socket.AddrPort()
	}
	return netip.AddrPort{}
}

// SetAddresses sets both ends of the connection, and whether the peer is trusted.
func (c *Connection) SetAddresses(peer, local netip.AddrPort) {
	c.Peer, c.PeerPort = plainAddress(peer.Addr()), peer.Port()
	c.Local = netip.AddrPortFrom(plainAddress(local.Addr()), local.Port())
	c.PeerText = c.Peer.String()
	c.Trusted = c.Engine.Trusts(c.Peer)
}

func plainAddress(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
