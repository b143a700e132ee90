package exchange

import (
	"net"
	"net/netip"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/filter"
	"github.com/limpet-dev/limpet/pkg/memory"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// Connection describes the client's connection. Its exchanges share it.
type Connection struct {
	Engine *Engine
	// Peer and PeerPort are the remote address, Local is the local one. IPv4-mapped IPv6 addresses are unmapped.
	Peer     netip.Addr
	PeerPort uint16
	Local    netip.AddrPort
	// PeerText is Peer as text.
	PeerText string
	// TLS is the outcome of the TLS handshake, nil for a cleartext connection.
	TLS *filter.TLSSession
	// BalancerTLS reports whether the client used TLS to the load balancer that sent a PROXY protocol header.
	BalancerTLS bool
	// Trusted reports whether the peer is a trusted proxy, whose forwarding headers are believed.
	Trusted bool
	// Shard selects one of the per-core shards of shared counters and pools. Any value works; it is constant for the
	// connection.
	Shard uint32
	// Memory belongs to the connection. Only one of its exchanges may use it at a time.
	Memory *affinity.ConnState
	// Multiplexed reports whether several requests of the connection may be in progress at the same time.
	Multiplexed bool
	// Account counts the memory of the connection. Nil means that there is no memory budget.
	Account *memory.Account

	// owned keeps the upstream connections that belong to this connection. It is empty if Multiplexed is set.
	owned upstream.Owned
}

// CloseOwned closes the upstream connections that belong to c. The owner of c must call it when the connection has ended.
func (c *Connection) CloseOwned() { c.owned.Close() }

var connectionCount atomic.Uint32

// NewConnection returns the Connection for conn. It reads nothing from conn.
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

// SetAddresses sets both addresses of the connection, and whether the peer is trusted.
func (c *Connection) SetAddresses(peer, local netip.AddrPort) {
	c.Peer, c.PeerPort = plainAddress(peer.Addr()), peer.Port()
	c.Local = netip.AddrPortFrom(plainAddress(local.Addr()), local.Port())
	c.PeerText = c.Peer.String()
	c.Trusted = c.Engine.Trusts(c.Peer)
}

func plainAddress(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
