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

// SelfAddresses contains the addresses of this Limpet and its replicas. No request is sent to them: the admin listener
// must not be reachable for clients, and a request to Limpet itself would loop.
//
// The zero value contains the addresses of this machine and no listeners. It is safe for concurrent use.
type SelfAddresses struct {
	// Reserved contains additional addresses to which no name may resolve. It must be set before the first request.
	Reserved []netip.Addr

	mu              sync.Mutex // serializes AddListener
	listeners       atomic.Pointer[[]netip.AddrPort]
	replicas        atomic.Pointer[map[netip.Addr]string] // names by address
	localInterfaces atomic.Pointer[interfaces]
}

// interfaces is a snapshot of the addresses of this machine's network interfaces.
type interfaces struct {
	addrs []netip.Addr
	at    time.Time
}

// interfacesAge is the maximum age of the snapshot. Reading the addresses costs more than opening a connection.
const interfacesAge = 10 * time.Second

// AddListener adds the address of a listener of this process.
func (o *SelfAddresses) AddListener(address net.Addr) {
	listener, err := netip.ParseAddrPort(address.String())
	if err != nil {
		return // not TCP: no request is sent there
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	all := append(slices.Clone(o.allListeners()), netip.AddrPortFrom(canonical(listener.Addr()), listener.Port()))
	o.listeners.Store(&all)
}

// Replica is one replica of this Limpet.
type Replica struct {
	Name    string // of its pod; may be empty
	Address netip.Addr
}

// SetReplicas replaces the addresses of all replicas. Each replica listens on the same ports as this one. A replica may have
// several addresses.
func (o *SelfAddresses) SetReplicas(replicas []Replica) {
	set := make(map[netip.Addr]string, len(replicas))
	for _, r := range replicas {
		set[canonical(r.Address)] = r.Name
	}
	o.replicas.Store(&set)
}

// OtherReplicas returns one address of each replica except this one, sorted by address.
func (o *SelfAddresses) OtherReplicas() []Replica {
	set := o.replicas.Load()
	if set == nil {
		return nil
	}
	own := map[string]bool{"": false}
	var others []Replica
	for addr, name := range *set {
		if slices.Contains(o.Reserved, addr) || o.isLocal(addr) {
			own[name] = name != ""
			continue
		}
		others = append(others, Replica{name, addr})
	}
	slices.SortFunc(others, func(a, b Replica) int { return a.Address.Compare(b.Address) })
	known := map[string]bool{}
	return slices.DeleteFunc(others, func(r Replica) bool {
		seen := r.Name != "" && known[r.Name]
		known[r.Name] = true
		return seen || own[r.Name]
	})
}

func (o *SelfAddresses) allListeners() []netip.AddrPort {
	if l := o.listeners.Load(); l != nil {
		return *l
	}
	return nil
}

var (
	errSelfListener = errors.New("is a listener of Limpet, to which no request may be sent")
	errSelfAddress  = errors.New("is an address of Limpet, to which an ExternalName must not resolve")
	errReserved     = errors.New("is a loopback, link-local or cloud metadata address, to which an ExternalName must not resolve")
)

// refuseEndpoint returns an error if address is one of Limpet's listeners. o may be nil.
func (o *SelfAddresses) refuseEndpoint(address netip.AddrPort) error {
	if o == nil {
		return nil
	}
	ip := canonical(address.Addr())
	for _, l := range o.allListeners() {
		if l.Port() != address.Port() {
			continue
		}
		if l.Addr() == ip || o.IsReplica(ip) || l.Addr().IsUnspecified() && (ip.IsLoopback() || ip.IsUnspecified() || o.isLocal(ip)) {
			return fmt.Errorf("address %s %w", address, errSelfListener)
		}
	}
	return nil
}

// refuseResolved returns an error if a name must not resolve to address. It checks the address and every IPv4 address
// embedded in it, because a translator on the path may extract that. o may be nil.
func (o *SelfAddresses) refuseResolved(address netip.AddrPort) error {
	for _, ip := range append(embeddedIPv4(address.Addr()), canonical(address.Addr())) {
		if isReserved(ip) {
			return fmt.Errorf("address %s %w", address, errReserved)
		}
		if o != nil && (o.isLocal(ip) || o.IsReplica(ip) || slices.Contains(o.Reserved, ip)) {
			return fmt.Errorf("address %s %w", address, errSelfAddress)
		}
	}
	return nil
}

// IsReplica reports whether a replica has the address.
func (o *SelfAddresses) IsReplica(ip netip.Addr) bool {
	set := o.replicas.Load()
	if set == nil {
		return false
	}
	_, is := (*set)[ip]
	return is
}

// isLocal reports whether an interface of this machine has the address. If the interfaces cannot be read, it uses the
// previous snapshot.
func (o *SelfAddresses) isLocal(ip netip.Addr) bool {
	known, now := o.localInterfaces.Load(), time.Now()
	if known == nil || now.Sub(known.at) > interfacesAge {
		next := &interfaces{at: now}
		if found, err := net.InterfaceAddrs(); err == nil {
			next.addrs = addrsOf(found)
		} else if known != nil {
			next.addrs = known.addrs
		}
		o.localInterfaces.Store(next)
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

// canonical returns an address without its zone. An IPv4-mapped IPv6 address is returned as IPv4.
func canonical(ip netip.Addr) netip.Addr { return ip.WithZone("").Unmap() }
