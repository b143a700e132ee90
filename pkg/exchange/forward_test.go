package exchange

import (
	"net/netip"
	"testing"
)

func TestAppendForwardedElement_ipv6Peer(t *testing.T) {
	x := &podHead{request: &request{Connection: &Connection{Peer: netip.MustParseAddr("2001:db8::1"), PeerText: "2001:db8::1"}}}
	x.req.Host = []byte("shop.example")
	if got := string(x.appendForwardedElement(nil)); got != `for="[2001:db8::1]";host="shop.example";proto=http`+"\r\n" {
		t.Errorf("got %q", got)
	}
}
