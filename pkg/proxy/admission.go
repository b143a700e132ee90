package proxy

import (
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/observe"
)

// ConnectionLimits bound how many connections of clients may be open at once, and how long they are used. 0 is no bound.
type ConnectionLimits struct {
	// Total is for all of them.
	Total int
	// PerClient is for those from one IPv4 address or one IPv6 network of 64 bits, which is what one customer gets.
	// Trusted proxies have no bound: they speak for many clients.
	PerClient int
	// Requests is how many one connection carries: the answer to the last one asks the client to close it.
	Requests int
}

// DefaultRequests brings connections that are always busy, which would else stay with the replica they first met, to
// all of them within minutes. That costs one TLS handshake in so many requests, 0.1 % of their CPU.
const DefaultRequests = 10_000

// admission counts connections. Those that are one too many are turned away, or closed.
type admission struct {
	limits     ConnectionLimits
	metrics    *observe.Metrics
	open       atomic.Int64
	turnedAway atomic.Int64 // those that are being answered
	clients    [16]clientCounts
}

// clientCounts is how many connections are open, by client.
type clientCounts struct {
	mu   sync.Mutex
	open map[netip.Addr]int
}

// enter counts a connection. It returns false, and counts none, if there are too many.
func (a *admission) enter() bool {
	if a.open.Add(1) <= int64(a.limits.Total) || a.limits.Total == 0 {
		return true
	}
	a.leave()
	a.metrics.Refused(observe.RefusedTotal)
	return false
}

func (a *admission) leave() { a.open.Add(-1) }

// enterClient counts a connection of the client, once it is known who that is, and notes in it as what. leaveClient takes
// that.
func (a *admission) enterClient(c *client) bool {
	if a.limits.PerClient == 0 || c.Trusted {
		return true
	}
	client := clientOf(c.Peer)
	counts := a.countsOf(client)
	counts.mu.Lock()
	defer counts.mu.Unlock()
	if counts.open[client] >= a.limits.PerClient {
		a.metrics.Refused(observe.RefusedClient)
		return false
	}
	if counts.open == nil {
		counts.open = map[netip.Addr]int{}
	}
	counts.open[client]++
	c.counted = client
	return true
}

func (a *admission) leaveClient(client netip.Addr) {
	if !client.IsValid() {
		return
	}
	counts := a.countsOf(client)
	counts.mu.Lock()
	defer counts.mu.Unlock()
	if counts.open[client]--; counts.open[client] == 0 {
		delete(counts.open, client)
	}
}

func (a *admission) countsOf(client netip.Addr) *clientCounts {
	b := client.As16()
	return &a.clients[(b[7]^b[15])%byte(len(a.clients))]
}

// clientOf is what stands for all addresses that one client has.
func clientOf(addr netip.Addr) netip.Addr {
	if !addr.Is6() {
		return addr
	}
	network, _ := addr.Prefix(64) // which every IPv6 address has
	return network.Addr()
}
