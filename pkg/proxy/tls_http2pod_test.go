package proxy

import (
	"crypto/x509/pkix"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Over HTTP/2 too, the pod learns who the client is, and the client gets the host's Strict-Transport-Security.
func TestForwarded_http2Pod(t *testing.T) {
	partners := newAuthority(t, "partners")
	r, addr := tlsRig(t)
	heads := make(chan http.Header, 1)
	pod := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		heads <- q.Header
		w.Header().Set("Strict-Transport-Security", "max-age=1")
	}))
	pod.Config.Protocols = new(http.Protocols)
	pod.Config.Protocols.SetUnencryptedHTTP2(true)
	pod.Start()
	t.Cleanup(pod.Close)
	r.replace(cart, model.Endpoint{ID: "a", Pod: "a", Address: pod.Listener.Addr().String(), State: model.EndpointReady})
	h := asking("shop.example", true, partners)
	route := hostRoute("shop.example")
	route.Clients, route.TransportSecurity = h.Clients, "max-age=9"
	route.Backends[0].Transport = model.Transport{HTTP2: true}
	r.publishModel(&model.Model{Routes: []model.Route{route}, Hosts: []model.Host{h}})

	client, _ := dialTLS(t, addr, "shop.example", partners.issue(pkix.Name{CommonName: "alice"}))
	a := client.get("/", forged...)
	a.expectOK(t, "")
	if got := strings.Join(a.header["Strict-Transport-Security"], " | "); got != "max-age=9" {
		t.Errorf("Strict-Transport-Security is %q", got)
	}
	head := <-heads
	for name, want := range map[string]string{
		"Ssl-Client-Verify": "SUCCESS", "Ssl-Client-Subject-Dn": "CN=alice", "Ssl-Client-Issuer-Dn": "CN=partners", "Ssl-Client-Cert": "",
	} {
		if got := strings.Join(head[name], " | "); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}
