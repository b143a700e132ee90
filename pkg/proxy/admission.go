package proxy

import (
	"net/netip"
	"sync"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/observe"
)

// ConnectionLimits limits the number of open client connections and the requests on each. Zero disables a limit.
type ConnectionLimits struct {
	// Total limits all open connections.
	Total int
	// PerClient limits the connections from one IPv4 address or one IPv6 /64 network, the usual assignment to one customer.
	// Trusted proxies are exempt, because they forward the requests of many clients.
	PerClient int
	// Requests limits the requests on one connection. The response to the last one carries "Connection: close" or is
	// preceded by GOAWAY.
	Requests int
}

// DefaultRequests is the default of ConnectionLimits.Requests. Without a limit, connections that are always busy stay on
// one replica forever. With this one they spread to new replicas within minutes, at the cost of one TLS handshake in 10,000
// requests, about 0.1 % of their CPU.
const DefaultRequests = 10_000

// admission counts open connections and enforces ConnectionLimits.
type admission struct {
	// Immutable after NewServer:
	limits  ConnectionLimits
	metrics *observe.Metrics

	open      atomic.Int64
	rejecting atomic.Int64     // connections over the limit that receive a 503
	clients   [16]clientCounts // sharded by client; see countsFor
}

// clientCounts counts open connections by client key.
type clientCounts struct {
	mu   sync.Mutex
	open map[netip.Addr]int
}

// acquire counts one more connection. It returns false, and does not count it, if that exceeds the limit.
func (a *admission) acquire() bool {
	if a.open.Add(1) <= int64(a.limits.Total) || a.limits.Total == 0 {
		return true
	}
	a.release()
	a.metrics.Refused(observe.RefusedTotal)
	return false
}

// release undoes acquire.
func (a *admission) release() { a.open.Add(-1) }

// acquireClient counts one more connection of c's client, whose address must be known. It returns false, and does not
// count it, if that exceeds the limit. Callers must pass c.admissionKey, which it sets, to releaseClient.
func (a *admission) acquireClient(c *client) bool {
	if a.limits.PerClient == 0 || c.Trusted {
		return true
	}
	key := clientKeyOf(c.Peer)
	counts := a.countsFor(key)
	counts.mu.Lock()
	defer counts.mu.Unlock()
	if counts.open[key] >= a.limits.PerClient {
		a.metrics.Refused(observe.RefusedClient)
		return false
	}
	if counts.open == nil {
		counts.open = map[netip.Addr]int{}
	}
	counts.open[key]++
	c.admissionKey = key
	return true
}

// releaseClient undoes acquireClient. An invalid key was not counted.
func (a *admission) releaseClient(key netip.Addr) {
	if !key.IsValid() {
		return
	}
	counts := a.countsFor(key)
	counts.mu.Lock()
	defer counts.mu.Unlock()
	if counts.open[key]--; counts.open[key] == 0 {
		delete(counts.open, key)
	}
}

func (a *admission) countsFor(key netip.Addr) *clientCounts {
	b := key.As16()
	return &a.clients[(b[7]^b[15])%byte(len(a.clients))]
}

// clientKeyOf returns the key under which addr is counted: the address itself, or the /64 network of an IPv6 address.
func clientKeyOf(addr netip.Addr) netip.Addr {
	if !addr.Is6() {
		return addr
	}
	network, _ := addr.Prefix(64) // cannot fail for IPv6
	return network.Addr()
}
