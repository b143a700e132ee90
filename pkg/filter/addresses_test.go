package filter

import (
	"net/netip"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

func networks(list ...string) (out []netip.Prefix) {
	for _, text := range list {
		out = append(out, netip.MustParsePrefix(text))
	}
	return out
}

func fromAddress(addr string) *Request {
	r := &Request{}
	if addr != "" {
		r.ClientIP = netip.MustParseAddr(addr)
	}
	return r
}

func TestAddresses(t *testing.T) {
	allow := networks("10.0.0.0/8", "192.0.2.1/32", "192.0.2.3/32", "fd00::/8", "fe80::/10")
	cases := []struct {
		name string
		list model.AddressList
		addr string
		want AccessDecision
	}{
		{"inside an allowed network", model.AddressList{Allow: allow}, "10.255.255.255", AccessGranted},
		{"first address", model.AddressList{Allow: allow}, "10.0.0.0", AccessGranted},
		{"below the first network", model.AddressList{Allow: allow}, "9.255.255.255", AccessRefused},
		{"behind a network", model.AddressList{Allow: allow}, "11.0.0.0", AccessRefused},
		{"single address", model.AddressList{Allow: allow}, "192.0.2.3", AccessGranted},
		{"between addresses", model.AddressList{Allow: allow}, "192.0.2.2", AccessRefused},
		{"IPv6", model.AddressList{Allow: allow}, "fd12::1", AccessGranted},
		{"IPv6 outside", model.AddressList{Allow: allow}, "2001:db8::1", AccessRefused},
		{"IPv4 mapped to IPv6", model.AddressList{Allow: allow}, "::ffff:10.1.1.1", AccessGranted},
		{"address with a zone", model.AddressList{Allow: allow}, "fe80::1%eth0", AccessGranted},
		{"unknown address", model.AddressList{Allow: allow}, "", AccessRefused},
		{"unknown address, only denied ones", model.AddressList{Deny: allow}, "", AccessRefused},
		{"denied", model.AddressList{Deny: allow}, "10.1.1.1", AccessRefused},
		{"denied, mapped to IPv6", model.AddressList{Deny: allow}, "::ffff:10.1.1.1", AccessRefused},
		{"not denied", model.AddressList{Deny: allow}, "192.0.2.2", AccessUndecided},
		{"denied and allowed", model.AddressList{Deny: networks("10.1.0.0/16"), Allow: allow}, "10.1.1.1", AccessRefused},
		{"allowed beside denied", model.AddressList{Deny: networks("10.1.0.0/16"), Allow: allow}, "10.2.1.1", AccessGranted},
		{"every IPv4 address", model.AddressList{Allow: networks("0.0.0.0/0")}, "198.51.100.1", AccessGranted},
		{"IPv6 with every IPv4 address", model.AddressList{Allow: networks("0.0.0.0/0")}, "::1", AccessRefused},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got, resp := NewAddresses(&c.list).CheckAccess(fromAddress(c.addr))
			if got != c.want || (resp != nil) != (c.want == AccessRefused) {
				t.Errorf("got %d and response %v, want %d", got, resp, c.want)
			}
		})
	}
}

func manyNetworks(n int) (out []netip.Prefix) {
	for i := range n {
		out = append(out, netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 7), byte(i << 1), 0}), 24))
	}
	return out
}

func TestAddresses_noAllocations(t *testing.T) {
	f := NewAccess(false, NewAddresses(&model.AddressList{Allow: manyNetworks(10_000), Deny: manyNetworks(100)})).(RequestFilter)
	r := fromAddress("10.78.30.1")
	if f.FilterRequest(r) != nil {
		t.Fatal("the request is refused")
	}
	if allocs := testing.AllocsPerRun(100, func() { f.FilterRequest(r) }); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func BenchmarkAddresses(b *testing.B) {
	f := NewAccess(false, NewAddresses(&model.AddressList{Allow: manyNetworks(10_000)})).(RequestFilter)
	r := fromAddress("10.78.30.1")
	b.ReportAllocs()
	for b.Loop() {
		f.FilterRequest(r)
	}
}
