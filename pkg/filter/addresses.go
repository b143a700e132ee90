package filter

import (
	"net/http"
	"net/netip"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Addresses admits and refuses clients by their addresses.
type Addresses struct{ list *model.AddressList }

// NewAddresses returns a check of a list, or nil if there is no list.
func NewAddresses(list *model.AddressList) AccessCheck {
	if list == nil {
		return nil
	}
	return &Addresses{list}
}

var addressRefused = NewText(http.StatusForbidden, "This address may not access the route.")

// CheckAccess implements AccessCheck. Without a list of admitted networks, it only refuses clients, as the deny directive of
// nginx does. A client whose address is unknown is refused.
func (f *Addresses) CheckAccess(r *Request) (AccessDecision, *Response) {
	addr := r.ClientIP.Unmap()
	switch {
	case !addr.IsValid(), containsAddress(f.list.Deny, addr):
		return AccessRefused, addressRefused
	case len(f.list.Allow) == 0:
		return AccessUndecided, nil
	case containsAddress(f.list.Allow, addr):
		return AccessGranted, nil
	}
	return AccessRefused, addressRefused
}

// containsAddress reports whether one of the networks contains addr. The networks are sorted and do not overlap, so only the
// last one that begins at or before addr can.
func containsAddress(networks []netip.Prefix, addr netip.Addr) bool {
	low, high := 0, len(networks)
	for low < high {
		if mid := int(uint(low+high) >> 1); networks[mid].Addr().Compare(addr) <= 0 {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low > 0 && networks[low-1].Contains(addr.WithZone(""))
}
