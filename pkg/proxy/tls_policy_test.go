package proxy

import (
	"crypto/tls"
	"net"
	"slices"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// handshakes reports whether a client that is so inclined comes to terms with the server.
func handshakes(tb testing.TB, addr, serverName string, change ...func(*tls.Config)) bool {
	tb.Helper()
	config := &tls.Config{ServerName: serverName, InsecureSkipVerify: true}
	for _, c := range change {
		c(config)
	}
	raw, err := net.Dial("tcp", addr)
	if err != nil {
		tb.Fatal(err)
	}
	defer raw.Close()
	return tls.Client(raw, config).Handshake() == nil
}

// hostRoute leads all of a host to cart.
func hostRoute(host string) model.Route {
	route := routeTo(cart, nil)
	route.Host, route.Source.Name = host, host
	return route
}

// serveHosts makes the pod the backend of hosts, some of which have stricter TLS settings.
func (r *rig) serveHosts(p *pod, names []string, hosts ...model.Host) {
	r.t.Helper()
	r.replace(cart, endpointsOf(p)...)
	var routes []model.Route
	for _, name := range slices.Sorted(slices.Values(names)) {
		route := hostRoute(name)
		for _, h := range hosts {
			if h.Name == name {
				route.Clients = h.Clients
			}
		}
		routes = append(routes, route)
	}
	r.publishModel(&model.Model{Routes: routes, Hosts: hosts})
}

func TestTLSMinVersion_hostRaises(t *testing.T) {
	r, addr := tlsRig(t)
	r.serveHosts(startEcho(t, "pod-a"), []string{"*.example", "new.example", "old.example"},
		model.Host{Name: "new.example", MinVersion: model.TLS13}, model.Host{Name: "*.example", MinVersion: model.TLS13})
	for name, want := range map[string]bool{
		"old.example": true, "new.example": false, "NEW.Example": false, "other.example": false, "": true, "a.b.example": true,
	} {
		if got := handshakes(t, addr, name, tls12); got != want {
			t.Errorf("TLS 1.2 with %q: %v, want %v", name, got, want)
		}
		if !handshakes(t, addr, name) {
			t.Errorf("TLS 1.3 with %q fails", name)
		}
	}
	r.serveHosts(startEcho(t, "pod-b"), []string{"new.example"})
	if !handshakes(t, addr, "new.example", tls12) {
		t.Error("the host requires nothing any more, and TLS 1.2 fails")
	}
}

func TestTLSMinVersion_hostCannotLower(t *testing.T) {
	r, addr := tlsRig(t, func(o *Options) { o.TLS.MinVersion = model.TLS13 })
	r.serveHosts(startEcho(t, "pod-a"), []string{"old.example"}, model.Host{Name: "old.example", MinVersion: model.TLS12})
	for _, name := range []string{"old.example", "other.example"} {
		if handshakes(t, addr, name, tls12) {
			t.Errorf("TLS 1.2 is spoken with %s", name)
		}
	}
}

func TestTLS_cipherSuites(t *testing.T) {
	suite := tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384
	_, addr := tlsRig(t, func(o *Options) { o.TLS.CipherSuites = []uint16{suite} })
	for _, c := range []struct {
		offered uint16
		want    bool
	}{{suite, true}, {tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, false}} {
		got := handshakes(t, addr, "shop.example", tls12, func(config *tls.Config) { config.CipherSuites = []uint16{c.offered} })
		if got != c.want {
			t.Errorf("%s: %v, want %v", tls.CipherSuiteName(c.offered), got, c.want)
		}
	}
}
