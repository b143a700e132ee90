package upstream

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Own knows where this Limpet and its replicas listen. No request is sent there: the admin listener is not for clients,
// and a request that comes back to Limpet would go round. The zero value knows the addresses of this machine, and no
// listener. Safe for concurrent use.
type Own struct {
	// Reserved are further addresses to which no name may lead. It is set before the first request.
	Reserved []netip.Addr

	mu        sync.Mutex // held while listeners are added
	listeners atomic.Pointer[[]netip.AddrPort]
	replicas  atomic.Pointer[map[netip.Addr]bool]
	machine   atomic.Pointer[interfaces]
}

// interfaces are the addresses of this machine's network interfaces, as they were at a time.
type interfaces struct {
	addrs []netip.Addr
	at    time.Time
}

// interfacesAge is how long they count as up to date. Asking for them costs more than making a connection.
const interfacesAge = 10 * time.Second

// Listens adds the address of a listener of this process.
func (o *Own) Listens(address net.Addr) {
	listener, err := netip.ParseAddrPort(address.String())
	if err != nil {
		return // not of TCP: no request is sent there
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	all := append(slices.Clone(o.all()), netip.AddrPortFrom(canonical(listener.Addr()), listener.Port()))
	o.listeners.Store(&all)
}

// SetReplicas replaces the addresses of all replicas, each of which listens on the ports of this one.
func (o *Own) SetReplicas(addrs []netip.Addr) {
	set := make(map[netip.Addr]bool, len(addrs))
	for _, a := range addrs {
		set[canonical(a)] = true
	}
	o.replicas.Store(&set)
}

func (o *Own) all() []netip.AddrPort {
	if l := o.listeners.Load(); l != nil {
		return *l
	}
	return nil
}

var (
	errOwnListener = errors.New("one of Limpet's own listeners, where no request may be sent")
	errOwnAddress  = errors.New("an address of Limpet's own, where an ExternalName may not lead")
	errReserved    = errors.New("an address of this machine, its link, or a cloud's metadata, where an ExternalName may not lead")
)

// refuseEndpoint returns an error for the address of an endpoint that is one of Limpet's listeners. o may be nil.
func (o *Own) refuseEndpoint(address netip.AddrPort) error {
	if o == nil {
		return nil
	}
	ip := canonical(address.Addr())
	for _, l := range o.all() {
		if l.Port() != address.Port() {
			continue
		}
		if l.Addr() == ip || o.IsReplica(ip) || l.Addr().IsUnspecified() && (ip.IsLoopback() || ip.IsUnspecified() || o.isMachine(ip)) {
			return fmt.Errorf("address %s: %w", address, errOwnListener)
		}
	}
	return nil
}

// refuseResolved returns an error for an address that a name was resolved to, if a name may not lead there. It looks at
// the address itself and at every IPv4 address within it, which a translator on the way may make of it. o may be nil.
func (o *Own) refuseResolved(address netip.AddrPort) error {
	for _, ip := range append(embedded(address.Addr()), canonical(address.Addr())) {
		if isReserved(ip) {
			return fmt.Errorf("address %s: %w", address, errReserved)
		}
		if o != nil && (o.isMachine(ip) || o.IsReplica(ip) || slices.Contains(o.Reserved, ip)) {
			return fmt.Errorf("address %s: %w", address, errOwnAddress)
		}
	}
	return nil
}

// IsReplica reports whether a replica has the address.
func (o *Own) IsReplica(ip netip.Addr) bool {
	set := o.replicas.Load()
	return set != nil && (*set)[ip]
}

// isMachine reports whether an interface of this machine has the address. If the system does not tell, those that were
// known before count.
func (o *Own) isMachine(ip netip.Addr) bool {
	known, now := o.machine.Load(), time.Now()
	if known == nil || now.Sub(known.at) > interfacesAge {
		next := &interfaces{at: now}
		if found, err := net.InterfaceAddrs(); err == nil {
			next.addrs = addrsOf(found)
		} else if known != nil {
			next.addrs = known.addrs
		}
		o.machine.Store(next)
		known = next
	}
	return slices.Contains(known.addrs, ip)
}

func addrsOf(networks []net.Addr) []netip.Addr {
	addrs := make([]netip.Addr, 0, len(networks))
	for _, n := range networks {
		if prefix, err := netip.ParsePrefix(n.String()); err == nil {
			addrs = append(addrs, canonical(prefix.Addr()))
		}
	}
	return addrs
}

// canonical returns an address without its zone, and as IPv4 where it is mapped into IPv6.
func canonical(ip netip.Addr) netip.Addr { return ip.WithZone("").Unmap() }
