package upstream

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

func TestANameThatLeadsToThisMachineIsNotDialled(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	dialer := &Dialer{Dialer: net.Dialer{Timeout: 5 * time.Second}}
	byName := &Endpoint{live: &live{}, Endpoint: model.Endpoint{Address: net.JoinHostPort("localhost", port)}}
	if _, err := byName.Dial(dialer, plain, nil); err == nil || !strings.Contains(err.Error(), "ExternalName") {
		t.Errorf("by name: %v", err)
	}
	byAddress := &Endpoint{live: &live{}, Endpoint: model.Endpoint{Address: l.Addr().String()}}
	conn, err := byAddress.Dial(dialer, plain, nil)
	if err != nil {
		t.Fatalf("by address: %v", err)
	}
	conn.Close()
}

func TestOnlyAddressesElsewhereAreLeftToNames(t *testing.T) {
	for address, refused := range map[string]bool{
		"127.0.0.1:80": true, "[::1]:80": true, "0.0.0.0:80": true, "169.254.169.254:80": true, "[fe80::1]:80": true,
		"224.0.0.1:80": true, "[::ffff:127.0.0.1]:80": true, "10.0.0.7:80": false, "[2001:db8::7]:80": false,
	} {
		if err := refuseLocal("tcp", address, nil); (err != nil) != refused {
			t.Errorf("%s: %v", address, err)
		}
	}
}
