package proxy

import (
	"crypto/tls"
	"crypto/x509/pkix"
	"net/http"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// askFor sends a request for a host over a connection that may have been made for another, and returns the status.
func (c *caller) askFor(host string) int {
	c.t.Helper()
	c.send(strings.Replace(request("GET", "/", ""), "shop.example", host, 1))
	return c.read("GET").status
}

// The names in the certificate of a connection decide which other hosts a client may send requests for on it.
func TestMisdirected_hostsOfHandshake(t *testing.T) {
	partners, others := newAuthority(t, "partners"), newAuthority(t, "others")
	r, addr := tlsRig(t)
	names := []string{"plain.example", "*.wild.example", "strict.example", "a.example", "b.example", "c.example", "other.example"}
	r.serveHosts(startEcho(t, "pod-a"), append(names, ""),
		asking("a.example", true, partners), asking("b.example", true, partners), asking("c.example", true, others),
		model.Host{Name: "strict.example", MinVersion: model.TLS13})
	r.certs.Replace([]model.Certificate{certificate(t, nil, append([]string{"Upper.Example"}, names[:6]...)...)})
	alice := partners.issue(pkix.Name{CommonName: "alice"})
	for _, c := range []struct {
		named, asked string
		want         int
	}{
		{"plain.example", "plain.example", 200},
		{"plain.example", "PLAIN.example.:443", 200},
		{"plain.example", "x.wild.example", 200},
		{"plain.example", "upper.example", 200},
		{"plain.example", "x.y.wild.example", 421},
		{"plain.example", "wild.example", 421},
		{"plain.example", "other.example", 421},
		{"plain.example", "strict.example", 421},
		{"plain.example", "a.example", 421},
		{"a.example", "b.example", 200},
		{"a.example", "c.example", 421},
		{"a.example", "plain.example", 421},
		{"", "plain.example", 200},
		{"", "other.example", 200},
		{"", "a.example", 421},
		{"", "strict.example", 421},
	} {
		client, _ := dialTLS(t, addr, c.named, tls12, alice)
		if got := client.askFor(c.asked); got != c.want {
			t.Errorf("named %q, requested %q: got %d, want %d", c.named, c.asked, got, c.want)
		}
		if c.named != "" {
			if got := client.askFor(c.named); got != 200 {
				t.Errorf("after that %q itself got %d", c.named, got)
			}
		}
	}
	for named, asked := range map[string]string{"plain.example": "strict.example", "strict.example": "plain.example"} {
		client, _ := dialTLS(t, addr, named)
		if got := client.askFor(asked); got != 200 {
			t.Errorf("over TLS 1.3, named %q, requested %q: got %d", named, asked, got)
		}
	}
}

// A proxy in front may name us in its handshake, and the host in its request.
func TestMisdirected_trustedProxy(t *testing.T) {
	partners := newAuthority(t, "partners")
	r, addr := tlsRig(t, trusting())
	r.serveHosts(startEcho(t, "pod-a"), []string{"plain.example", "a.example"}, asking("a.example", true, partners))
	client, _ := dialTLS(t, addr, "origin.example")
	for host, want := range map[string]int{"plain.example": 200, "a.example": 421} {
		if got := client.askFor(host); got != want {
			t.Errorf("%s: got %d, want %d", host, got, want)
		}
	}
}

func TestMisdirected_http2Streams(t *testing.T) {
	partners := newAuthority(t, "partners")
	r, addr := tlsRig(t)
	p := startEcho(t, "pod-a")
	r.serveHosts(p, []string{"plain.example", "two.example", "a.example"}, asking("a.example", true, partners))
	r.certs.Replace([]model.Certificate{certificate(t, nil, "plain.example", "two.example", "a.example")})
	for serverName, want := range map[string]map[string]int{
		"plain.example": {"plain.example": 200, "two.example": 200, "a.example": 421},
		"a.example":     {"plain.example": 421, "a.example": 200},
	} {
		config := &tls.Config{ServerName: serverName, InsecureSkipVerify: true}
		partners.issue(pkix.Name{CommonName: "alice"})(config)
		transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: true}
		t.Cleanup(transport.CloseIdleConnections)
		for host, status := range want {
			q := newRequest(t, http.MethodGet, "https://"+addr+"/", nil)
			q.Host = host
			for _, line := range forged {
				name, value, _ := strings.Cut(line, ": ")
				q.Header[name] = []string{value}
			}
			answer, err := transport.RoundTrip(q)
			if err != nil {
				t.Fatal(err)
			}
			answer.Body.Close()
			if answer.StatusCode != status || answer.ProtoMajor != 2 {
				t.Errorf("HTTP/%d: named %s, requested %s: got %d, want %d", answer.ProtoMajor, serverName, host, answer.StatusCode, status)
			}
		}
	}
	for _, head := range p.requests() {
		if strings.Contains(head, "root") {
			t.Errorf("the pod was sent %q", head)
		}
	}
}

// A client that connected before the host required certificates has presented no certificate.
func TestMisdirected_changedHost(t *testing.T) {
	partners := newAuthority(t, "partners")
	r, addr := tlsRig(t)
	p := startEcho(t, "pod-a")
	r.serveHosts(p, []string{"shop.example"})
	client, _ := dialTLS(t, addr, "shop.example")
	client.get("/").expectOK(t, "")
	r.serveHosts(p, []string{"shop.example"}, asking("shop.example", true, partners))
	client.get("/").expectStatus(t, 421)
	again, _ := dialTLS(t, addr, "shop.example", partners.issue(pkix.Name{}))
	again.get("/").expectOK(t, "")
	r.serveHosts(p, []string{"shop.example"}, asking("shop.example", true, newAuthority(t, "others")))
	again.get("/").expectStatus(t, 421)
}

// If a path requires more than its host does, no client can reach it: another connection would not help.
func TestClientCertificates_pathDiffersFromHost(t *testing.T) {
	partners, others := newAuthority(t, "partners"), newAuthority(t, "others")
	r, addr := tlsRig(t)
	p := startEcho(t, "pod-a")
	r.replace(cart, endpointsOf(p)...)
	host := asking("shop.example", true, partners)
	path := hostRoute("shop.example")
	path.Path, path.Clients = "/others", asking("shop.example", true, others).Clients
	root := hostRoute("shop.example")
	root.Clients = host.Clients
	wild := asking("*.example", true, others)
	beneath := hostRoute("*.example")
	beneath.Path, beneath.Clients = "/beneath", wild.Clients
	plain := hostRoute("plain.example")
	plain.Path = "/plain"
	r.publishModel(&model.Model{Routes: []model.Route{beneath, plain, root, path}, Hosts: []model.Host{wild, host}})
	client, _ := dialTLS(t, addr, "shop.example", partners.issue(pkix.Name{}))
	client.get("/").expectOK(t, "")
	client.get("/others").expectStatus(t, 403)
	silent, _ := dialTLS(t, addr, "plain.example")
	silent.send("GET /beneath HTTP/1.1\r\nHost: plain.example\r\n\r\n")
	silent.read("GET").expectStatus(t, 403)
}
