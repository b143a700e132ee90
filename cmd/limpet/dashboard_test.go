package main

import (
	"io"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"github.com/limpet-dev/limpet/pkg/peers"
)

// newTestNode returns a node that serves nothing yet.
func newTestNode(t *testing.T, keys string) *node {
	t.Helper()
	var o options
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	o.register(flagSet{flags}, devDefaults)
	if err := flags.Parse([]string{"--affinity-keys", keys}); err != nil {
		t.Fatal(err)
	}
	if err := o.validate(); err != nil {
		t.Fatal(err)
	}
	n, err := newNode(o, o.translation(), streams{out: io.Discard, err: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.close)
	return n
}

func TestSummarize_readsOtherReplicas(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "keys", "bGltcGV0bGltcGV0bGltcGV0bGltcGV0bGltcGV0MDE=\n")
	keys := filepath.Join(dir, "keys")
	one, two := newTestNode(t, keys), newTestNode(t, keys)
	server := httptest.NewServer(two.newPeerHandler())
	t.Cleanup(server.Close)
	replicas := []peers.Replica{{Name: "limpet-2", Address: netip.MustParseAddrPort(server.Listener.Addr().String())}}
	one.fleet.Peers = &peers.Client{Keys: one.keys.Derived(peers.Purpose), Replicas: func() []peers.Replica { return replicas }}
	summary := one.summarize(t.Context())
	if len(summary.Members) != 2 || summary.Members[1].Name != "limpet-2" || summary.Members[1].Replica == nil || !summary.Agree {
		t.Errorf("got %+v", summary)
	}
	server.Close()
	summary = one.summarize(t.Context())
	if m := summary.Members[1]; summary.Agree || m.Replica != nil || !strings.Contains(m.Error, "refused") {
		t.Errorf("without the other replica: got %+v", summary)
	}
}
