package subrequest

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

const (
	// nameTTL is the time for which addresses of a name are kept. It is short, because the resolver does not return the TTL.
	nameTTL = 5 * time.Second
	// maxNames bounds the names that are kept. Clients choose the name if a URL contains the host of the request.
	maxNames = 512
)

// nameCache keeps the addresses of names for a short time.
type nameCache struct {
	lookup func(ctx context.Context, host string) ([]netip.Addr, error)

	mu    sync.Mutex
	names map[string]nameEntry
}

type nameEntry struct {
	addrs []netip.Addr
	until time.Time
}

// lookup resolves a name without the search domains of the resolver.
func lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if addr, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{addr}, nil
	}
	if !strings.HasSuffix(host, ".") {
		host += "."
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

func (n *nameCache) get(ctx context.Context, host string) ([]netip.Addr, error) {
	now := time.Now()
	if addrs, ok := n.cached(host, now); ok {
		return addrs, nil
	}
	addrs, err := n.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	for i := range addrs {
		addrs[i] = addrs[i].Unmap()
	}
	n.put(host, nameEntry{addrs, now.Add(nameTTL)})
	return addrs, nil
}

func (n *nameCache) cached(host string, now time.Time) ([]netip.Addr, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	e, ok := n.names[host]
	return e.addrs, ok && now.Before(e.until)
}

// put stores an entry. A full cache starts again.
func (n *nameCache) put(host string, e nameEntry) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.names == nil || len(n.names) >= maxNames {
		n.names = map[string]nameEntry{}
	}
	n.names[host] = e
}
