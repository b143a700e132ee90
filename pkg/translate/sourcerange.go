package translate

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// maxSourceRanges bounds the entries of one list. All annotations of an object in a cluster have at most 256 KiB.
const maxSourceRanges = 20_000

// parseSourceRanges parses addresses and networks that are separated by commas. It returns the networks as in
// model.AddressList, or the problem of the list, as the end of a sentence about it.
func parseSourceRanges(list string) (networks []netip.Prefix, problem string) {
	if list == "" {
		return nil, "is empty"
	}
	if strings.Count(list, ",") >= maxSourceRanges {
		return nil, fmt.Sprintf("has more than %d entries", maxSourceRanges)
	}
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.TrimSpace(entry)
		network, ok := parseNetwork(entry)
		if !ok {
			return nil, fmt.Sprintf("has the entry %s, which is neither an address nor a network such as 192.0.2.0/24", quote(entry))
		}
		networks = append(networks, network)
	}
	return disjoint(networks), ""
}

// parseNetwork parses an address or a network. IPv4 networks that are mapped to IPv6 become IPv4 networks.
func parseNetwork(text string) (netip.Prefix, bool) {
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), addr.Zone() == ""
	}
	network, err := netip.ParsePrefix(text)
	if err != nil {
		return netip.Prefix{}, false
	}
	if network.Addr().Is4In6() {
		const mappedBits = 96
		network = netip.PrefixFrom(network.Addr().Unmap(), network.Bits()-mappedBits)
	}
	return network.Masked(), network.IsValid()
}

// disjoint sorts networks, and drops those that are part of another one.
func disjoint(networks []netip.Prefix) []netip.Prefix {
	slices.SortFunc(networks, netip.Prefix.Compare)
	out := networks[:0]
	for _, network := range networks {
		if len(out) == 0 || !out[len(out)-1].Contains(network.Addr()) {
			out = append(out, network)
		}
	}
	return slices.Clip(out)
}

// admitsEveryone reports whether a comma-separated list of networks holds every address of both families, as
// "0.0.0.0/0,::/0". It returns false for a list with an entry that is neither an address nor a network.
func admitsEveryone(list string) bool {
	var all4, all6 bool
	for entry := range strings.SplitSeq(list, ",") {
		entry = strings.TrimSpace(entry)
		prefix, err := netip.ParsePrefix(entry)
		if err != nil {
			if _, err := netip.ParseAddr(entry); err != nil {
				return false
			}
			continue
		}
		all4 = all4 || prefix.Bits() == 0 && prefix.Addr().Is4()
		all6 = all6 || prefix.Bits() == 0 && prefix.Addr().Is6()
	}
	return all4 && all6
}
