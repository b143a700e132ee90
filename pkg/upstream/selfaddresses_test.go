package upstream

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// leads contains addresses and whether a name may resolve to them.
var leads = map[string]bool{
	"10.0.0.7": true, "192.168.1.1": true, "203.0.113.7": true, "100.64.0.1": true, "2001:db8:1::7": true, "fd12:3456::7": true,
	"2606:4700::6810:84e5": true, "::ffff:203.0.113.7": true, "64:ff9b::cb00:7107": true, "64:ff9b:1::cb00:7107": true,
	"64:ff9b:1:cb00:71:700::": true, "2002:cb00:7107::1": true,

	"127.0.0.1": false, "127.8.9.10": false, "0.0.0.0": false, "0.1.2.3": false, "255.255.255.255": false, "::": false, "::1": false,
	"169.254.1.1": false, "fe80::1": false, "fe80::1%lo": false, "224.0.0.1": false, "ff02::1": false, "fec0::1": false,
	// Cloud metadata.
	"169.254.169.254": false, "169.254.170.2": false, "100.100.100.200": false, "192.0.0.192": false, "168.63.129.16": false,
	"fd00:ec2::254": false, "fd00:ec2::23": false, "fd20:ce::254": false, "fd00:c1::a9fe:a9fe": false, "fd00:42::42": false,
	// The same addresses embedded in IPv6.
	"::ffff:127.0.0.1": false, "::ffff:169.254.169.254": false, "::ffff:100.100.100.200": false, // mapped
	"::127.0.0.1": false, "::a9fe:a9fe": false, "::6464:64c8": false, // compatible
	"::ffff:0:169.254.169.254": false, "::ffff:0:127.0.0.1": false, // translated
	"64:ff9b::a9fe:a9fe": false, "64:ff9b::7f00:1": false, "64:ff9b::6464:64c8": false, "64:ff9b::c000:c0": false, // NAT64
	"64:ff9b::": false, "64:ff9b:1::a9fe:a9fe": false, "64:ff9b:1:abcd:ef:0:a9fe:a9fe": false, "64:ff9b:1::7f00:1": false,
	"64:ff9b:1:a9fe:a9:fe00::": false, "64:ff9b:1:a9:fe:a9fe::": false, "64:ff9b:1:abcd:a9:fea9:fe00:0": false,
	"2001:db8:64::a9fe:a9fe": false,                         // NAT64 with a network-specific prefix
	"2002:a9fe:a9fe::1":      false, "2002:7f00:1::": false, // 6to4
	"2001:0:a9fe:a9fe::1": false, "2001:0:cb00:7107:0:0:5601:5601": false, // Teredo: server, client
	"2001:db8:1::5efe:a9fe:a9fe": false, "2001:db8:1::200:5efe:7f00:1": false, // ISATAP
}

func TestSelfAddresses_resolvedAddresses(t *testing.T) {
	for text, allowed := range leads {
		address := netip.AddrPortFrom(netip.MustParseAddr(text), 80)
		var none *SelfAddresses
		if err := none.checkResolved("tcp", address.String(), nil); (err == nil) != allowed {
			t.Errorf("name that resolves to %s: %v", text, err)
		}
	}
}

// knowing returns the SelfAddresses of a machine with these addresses. The interfaces are not read.
func knowing(listeners string, machine ...string) *SelfAddresses {
	o := &SelfAddresses{}
	known := &interfaces{at: time.Now().Add(24 * time.Hour)}
	for _, text := range machine {
		known.addrs = append(known.addrs, netip.MustParseAddr(text))
	}
	o.localInterfaces.Store(known)
	o.AddListener(net.TCPAddrFromAddrPort(netip.MustParseAddrPort(listeners)))
	return o
}

func TestSelfAddresses_namesOfLimpet(t *testing.T) {
	o := knowing("[::]:9090", "10.0.0.5", "2001:db8:1::5")
	o.Reserved = []netip.Addr{netip.MustParseAddr("10.96.0.1")}
	o.SetReplicas([]Replica{{Address: netip.MustParseAddr("10.0.0.6")}})
	for address, allowed := range map[string]bool{
		"10.0.0.5:80": false, "10.0.0.6:80": false, "[2001:db8:1::5]:443": false, "[64:ff9b::a00:5]:9090": false, "10.96.0.1:443": false,
		"[::ffff:10.0.0.6]:9090": false, "10.0.0.7:80": true, "[2001:db8:1::7]:443": true,
	} {
		if err := o.checkResolved("tcp", address, nil); (err == nil) != allowed {
			t.Errorf("name that resolves to %s: %v", address, err)
		}
	}
}

func TestSelfAddresses_endpoints(t *testing.T) {
	everywhere, loopback := knowing("[::]:9090", "10.0.0.5"), knowing("127.0.0.1:9090", "10.0.0.5")
	everywhere.SetReplicas([]Replica{{Address: netip.MustParseAddr("10.0.0.6")}})
	for _, c := range []struct {
		own     *SelfAddresses
		address string
		allowed bool
	}{
		{everywhere, "10.0.0.5:9090", false}, {everywhere, "127.0.0.1:9090", false}, {everywhere, "127.0.0.2:9090", false},
		{everywhere, "[::1]:9090", false}, {everywhere, "[::ffff:10.0.0.5]:9090", false}, {everywhere, "10.0.0.6:9090", false},
		{everywhere, "10.0.0.5:8080", true}, {everywhere, "127.0.0.1:8080", true}, {everywhere, "10.0.0.7:9090", true},
		{loopback, "127.0.0.1:9090", false}, {loopback, "127.0.0.2:9090", true}, {loopback, "10.0.0.5:9090", true},
		{nil, "127.0.0.1:9090", true},
	} {
		if err := c.own.refuseEndpoint(netip.MustParseAddrPort(c.address)); (err == nil) != c.allowed {
			t.Errorf("an endpoint %s: %v", c.address, err)
		}
	}
}

func TestConnect_refusesSelf(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialer := &Dialer{Dialer: net.Dialer{Timeout: 5 * time.Second}, Self: &SelfAddresses{}}
	pod := &Endpoint{endpointState: &endpointState{}, Endpoint: model.Endpoint{Address: l.Addr().String()}}
	conn, err := pod.Dial(dialer, plain, nil)
	if err != nil {
		t.Fatalf("an endpoint on loopback: %v", err)
	}
	conn.Close()
	dialer.Self.AddListener(l.Addr())
	if _, err := pod.Dial(dialer, plain, nil); !errors.Is(err, errSelfListener) {
		t.Errorf("endpoint that is a listener of this process: %v", err)
	}
}

func TestFullyQualified(t *testing.T) {
	for address, want := range map[string]string{
		"kubernetes.default:443": "kubernetes.default.:443", "db.example.com.:80": "db.example.com.:80", "nonsense": "nonsense",
	} {
		if got := fullyQualified(address); got != want {
			t.Errorf("fullyQualified(%q) = %q, want %q", address, got, want)
		}
	}
}

func TestOtherReplicas(t *testing.T) {
	at := netip.MustParseAddr
	o := &SelfAddresses{Reserved: []netip.Addr{at("198.51.100.1")}}
	if got := o.OtherReplicas(); got != nil {
		t.Errorf("before any is known: %v", got)
	}
	o.SetReplicas([]Replica{
		{"limpet-3", at("198.51.100.3")}, {"limpet-1", at("198.51.100.1")}, {"limpet-2", at("198.51.100.2")}, {"limpet-2", at("2001:db8:1::2")},
		{"limpet-1", at("2001:db8:1::1")}, {"", at("198.51.100.4")}, {"", at("198.51.100.5")}, {"limpet-6", at("127.0.0.1")},
	})
	want := []Replica{{"limpet-2", at("198.51.100.2")}, {"limpet-3", at("198.51.100.3")}, {"", at("198.51.100.4")}, {"", at("198.51.100.5")}}
	if got := o.OtherReplicas(); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
