package upstream

import (
	"net/netip"
	"slices"
)

// reserved contains the networks that a resolved name must not be in. They belong to this machine, to its link, to
// multicast groups, or to cloud services that return credentials.
var reserved = prefixes(
	"0.0.0.0/8",          // this network (RFC 1122): Linux connects 0.0.0.0 to this machine
	"127.0.0.0/8",        // loopback
	"169.254.0.0/16",     // link-local, with the metadata of most clouds at 169.254.169.254
	"100.100.100.200/32", // metadata of Alibaba Cloud
	"168.63.129.16/32",   // agent of Azure
	"192.0.0.192/32",     // metadata of Oracle Cloud
	"224.0.0.0/4",        // multicast
	"255.255.255.255/32", // broadcast
	"::/128", "::1/128",  // unspecified, loopback
	"fe80::/10",              // link-local
	"fec0::/10",              // site-local, deprecated
	"ff00::/8",               // multicast
	"fd00:ec2::/32",          // metadata and services of AWS instances
	"fd20:ce::254/128",       // metadata of Google Cloud
	"fd00:c1::a9fe:a9fe/128", // metadata of Oracle Cloud
	"fd00:42::42/128",        // metadata of Scaleway
)

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}

// isReserved reports whether ip is in a reserved network. ip must be canonical.
func isReserved(ip netip.Addr) bool {
	return slices.ContainsFunc(reserved, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// ipv4Embeddings contains the IPv6 networks whose addresses contain an IPv4 address, and the positions of its four
// bytes.
var ipv4Embeddings = []struct {
	network netip.Prefix
	at      [4]int
	invert  bool // the bits are inverted
	// guess is set if the position is one of several possible ones. A result that begins with a zero byte is then
	// ignored.
	guess bool
}{
	{network: netip.MustParsePrefix("::/96"), at: lastFour},               // IPv4-compatible (RFC 4291)
	{network: netip.MustParsePrefix("::ffff:0:0:0/96"), at: lastFour},     // IPv4-translated (RFC 2765)
	{network: netip.MustParsePrefix("64:ff9b::/96"), at: lastFour},        // NAT64 (RFC 6052)
	{network: localNAT64, at: [4]int{6, 7, 9, 10}, guess: true},           // NAT64 (RFC 8215), with a prefix of 48 bits,
	{network: localNAT64, at: [4]int{7, 9, 10, 11}, guess: true},          // of 56,
	{network: localNAT64, at: [4]int{9, 10, 11, 12}, guess: true},         // of 64,
	{network: localNAT64, at: lastFour, guess: true},                      // of 96
	{network: netip.MustParsePrefix("2002::/16"), at: [4]int{2, 3, 4, 5}}, // 6to4 (RFC 3056)
	{network: teredo, at: [4]int{4, 5, 6, 7}},                             // Teredo (RFC 4380): the server,
	{network: teredo, at: lastFour, invert: true},                         // and the client
}

var (
	lastFour   = [4]int{12, 13, 14, 15}
	localNAT64 = netip.MustParsePrefix("64:ff9b:1::/48")
	teredo     = netip.MustParsePrefix("2001::/32")
)

// metadataIPv4 is the cloud metadata address. NAT64 prefixes and ISATAP interfaces of any network embed it in the last
// four bytes.
var metadataIPv4 = netip.MustParseAddr("169.254.169.254")

// embeddedIPv4 returns the IPv4 addresses that an IPv6 address contains.
func embeddedIPv4(ip netip.Addr) []netip.Addr {
	ip = canonical(ip)
	if !ip.Is6() {
		return nil
	}
	var found []netip.Addr
	bytes := ip.As16()
	for _, e := range ipv4Embeddings {
		if !e.network.Contains(ip) {
			continue
		}
		var four [4]byte
		for i, at := range e.at {
			if four[i] = bytes[at]; e.invert {
				four[i] = ^bytes[at]
			}
		}
		if !e.guess || four[0] != 0 {
			found = append(found, netip.AddrFrom4(four))
		}
	}
	isISATAP := bytes[8]&^2 == 0 && bytes[9] == 0 && bytes[10] == 0x5e && bytes[11] == 0xfe
	if last := netip.AddrFrom4([4]byte(bytes[12:])); isISATAP || last == metadataIPv4 {
		found = append(found, last)
	}
	return found
}
