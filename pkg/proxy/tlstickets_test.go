package proxy

import (
	"crypto/tls"
	"testing"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
)

// remembering makes a client resume sessions of its own.
func remembering() func(*tls.Config) {
	cache := tls.NewLRUClientSessionCache(8)
	return func(c *tls.Config) { c.ClientSessionCache = cache }
}

// resumes connects, sends a request, after which a client has its ticket, and reports whether the session was resumed.
func resumes(t *testing.T, addr, serverName string, change ...func(*tls.Config)) bool {
	t.Helper()
	client, _ := dialTLS(t, addr, serverName, change...)
	client.get("/").expectOK(t, "")
	return client.Conn.(*tls.Conn).ConnectionState().DidResume
}

func ringOf(t *testing.T, keys ...[]byte) *affinity.Keyring {
	t.Helper()
	ring, err := affinity.NewKeyring(keys)
	if err != nil {
		t.Fatal(err)
	}
	return ring
}

func TestTLSTickets_acrossReplicas(t *testing.T) {
	for name, version := range map[string]func(*tls.Config){"TLS 1.2": tls12, "TLS 1.3": func(*tls.Config) {}} {
		t.Run(name, func(t *testing.T) {
			old, fresh := affinity.NewKey(), affinity.NewKey()
			shop := []model.Certificate{certificate(t, nil, "shop.example")}
			var addrs [2]string
			var replicas [2]*rig
			for i := range replicas {
				replicas[i], addrs[i] = tlsRig(t)
				replicas[i].keys.Store(ringOf(t, old))
				replicas[i].certs.Replace(shop)
				replicas[i].serve(nil, startEcho(t, "pod-a"))
			}
			client := remembering()
			at := func(i int) bool { return resumes(t, addrs[i], "shop.example", version, client) }
			if at(0) {
				t.Fatal("a session was resumed that there never was")
			}
			if !at(1) || !at(0) {
				t.Error("the other replica does not resume the session")
			}
			replicas[1].keys.Store(ringOf(t, fresh, old))
			if !at(1) {
				t.Error("the session is lost with the rotation of keys")
			}
			if at(0) {
				t.Error("a ticket opens with a key that did not seal it: the rotated key does not seal")
			}
			replicas[0].keys.Store(ringOf(t, affinity.NewKey()))
			if at(0) {
				t.Error("a ticket opens with foreign keys")
			}
		})
	}
}

// The TLS configuration of each host of a table is built once, and discarded with the table. The keys of a ring are
// handled likewise.
func TestTLSConfigs_discardedWithTable(t *testing.T) {
	r := newRig(t)
	p := startEcho(t, "pod-a")
	c := &tlsConfigs{options: &r.server.options}
	c.shared = c.newConfig(nil)
	var last *ticketConfig
	for version := range model.TLSVersion(3) {
		r.serveHosts(p, []string{"shop.example"}, model.Host{Name: "shop.example", MinVersion: model.TLS12 + version})
		_, first := c.forName("shop.example")
		_, again := c.forName("shop.example")
		if first != again || first == last || len(c.perHost) != 1 {
			t.Errorf("%p, then %p, before that %p; %d are kept", first, again, last, len(c.perHost))
		}
		last = first
	}
	ring := r.keys.Load()
	if _, err := last.withKeyring(ring); err != nil || last.ring.Load() != ring {
		t.Errorf("the keys were not taken into use: %v", err)
	}
}
