package translate

import (
	"net/netip"
	"strings"
)

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
