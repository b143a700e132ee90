package exchange

import (
	"net/netip"
	"testing"
)

func TestAppendForwardedField_ipv6Peer(t *testing.T) {
	x := &podHead{request: &request{Connection: &Connection{Peer: netip.MustParseAddr("2001:db8::1"), PeerText: "2001:db8::1"}}}
	x.view.Authority = []byte("shop.example")
	want := "\r\nForwarded: " + `for="[2001:db8::1]";host="shop.example";proto=http` + "\r\n"
	if got := string(x.appendForwardedField(nil)); got != want {
		t.Errorf("got %q", got)
	}
}
