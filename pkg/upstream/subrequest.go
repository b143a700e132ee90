package upstream

import (
	"fmt"
	"net/netip"
)

// PickAddress returns the address of an endpoint for a request of Limpet's own. The endpoints that accept new sessions take
// turns. It returns false if the pool has no endpoints.
func (p *Pool) PickAddress() (string, bool) {
	set := p.Set()
	if set.ready == 0 {
		return "", false
	}
	return set.endpoints[p.subrequests.Add(1)%uint64(set.ready)].Address, true
}

// HasAddress reports whether an endpoint that serves has the address.
func (p *Pool) HasAddress(address string) bool {
	for _, e := range p.Set().endpoints {
		if e.Address == address {
			return true
		}
	}
	return false
}

// CheckEndpoint returns an error if address, an IP address with a port, is one of Limpet's listeners. o may be nil.
func (o *SelfAddresses) CheckEndpoint(address string) error {
	return checkAddress(address, o.refuseEndpoint)
}

// CheckResolved returns an error if no name may resolve to address, an IP address with a port. o may be nil.
func (o *SelfAddresses) CheckResolved(address string) error {
	return checkAddress(address, o.refuseResolved)
}

func checkAddress(address string, refuse func(netip.AddrPort) error) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("address %q: %w", address, err)
	}
	return refuse(at)
}
