package proxy

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// startLogin runs a pod that authenticates connections. challenge has the header lines of its 401 responses. The response of
// an authenticated connection names the user.
func startLogin(t *testing.T, name, challenge string) *pod {
	t.Helper()
	return startPod(t, name, func(c *podConn) {
		user := ""
		for q := c.request(); q != nil; q = c.request() {
			scheme, credentials, _ := strings.Cut(q.Header.Get("Authorization"), " ")
			if scheme != "" && strings.HasPrefix(credentials, "user-") {
				user = credentials
			}
			switch {
			case user != "":
				c.answer(user)
			case credentials != "":
				c.say("HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM TYPE2\r\nContent-Length: 0\r\n\r\n")
			default:
				c.say("HTTP/1.1 401 Unauthorized\r\n" + challenge + "Content-Length: 0\r\n\r\n")
			}
		}
	})
}

// login completes the handshake of a user.
func (c *caller) login(user string) {
	c.t.Helper()
	c.get("/").expectStatus(c.t, http.StatusUnauthorized)
	c.get("/", "Authorization: NTLM TYPE1").expectStatus(c.t, http.StatusUnauthorized)
	c.get("/", "Authorization: NTLM user-"+user).expectOK(c.t, "user-"+user)
}

func TestConnectionAuth_challenges(t *testing.T) {
	for name, challenge := range map[string]string{
		"NTLM":              "WWW-Authenticate: NTLM\r\n",
		"any case":          "www-authenticate: negotiate\r\n",
		"several fields":    "WWW-Authenticate: Basic realm=\"a, b\"\r\nWWW-Authenticate: Negotiate\r\n",
		"a list":            "WWW-Authenticate: Basic realm=\"a\", Negotiate, NTLM\r\n",
		"none before":       "",
		"of a proxy":        "Proxy-Authenticate: NTLM\r\n",
		"another challenge": "WWW-Authenticate: Basic realm=\"NTLM\"\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.serve(nil, startLogin(t, "pod-a", challenge), startLogin(t, "pod-b", challenge))
			alice, bob := r.dial(), r.dial()
			for round := range 3 {
				if round == 0 {
					if challenge == "" || name == "another challenge" {
						alice.get("/", "Authorization: Negotiate user-alice").expectOK(t, "user-alice")
					} else {
						alice.login("alice")
					}
				}
				alice.get("/").expectOK(t, "user-alice")
				bob.get("/").expectStatus(t, http.StatusUnauthorized)
				r.dial().get("/").expectStatus(t, http.StatusUnauthorized)
			}
			bob.login("bob")
			bob.get("/").expectOK(t, "user-bob")
			alice.get("/").expectOK(t, "user-alice")
		})
	}
}

// The upstream connection ends with the client connection, so that a later client cannot get it.
func TestConnectionAuth_clientEnds(t *testing.T) {
	r := newRig(t)
	p := startLogin(t, "pod-a", "WWW-Authenticate: NTLM\r\n")
	r.serve(nil, p)
	client := r.dial()
	client.login("alice")
	client.Close()
	eventually(t, "the upstream connection to be closed", func() bool { return p.connections() == 0 })
}

// A pod that has closed the connection gets the request on a new one, which is not authenticated.
func TestConnectionAuth_podCloses(t *testing.T) {
	r := newRig(t)
	p := startLogin(t, "pod-a", "WWW-Authenticate: NTLM\r\n")
	r.serve(nil, p)
	client := r.dial()
	client.login("alice")
	p.closeAll()
	eventually(t, "the connection to be closed", func() bool { return p.connections() == 0 })
	client.get("/").expectStatus(t, http.StatusUnauthorized)
	client.login("bob")
	r.dial().get("/").expectStatus(t, http.StatusUnauthorized)
}

// Without affinity, all requests of the client reach the pod that knows it, also on a route with several backends.
func TestConnectionAuth_split(t *testing.T) {
	r := newRig(t)
	r.replace(cart, endpointsOf(startLogin(t, "pod-a", "WWW-Authenticate: NTLM\r\n"))...)
	r.replace(blog, endpointsOf(startLogin(t, "pod-b", "WWW-Authenticate: NTLM\r\n"))...)
	route := routeTo(cart, nil)
	route.Backends = append(route.Backends, model.Backend{Pool: blog, Weight: 1})
	r.publish(route)
	for i := range 5 {
		client := r.dial()
		client.login(fmt.Sprint(i))
		for range 5 {
			client.get("/").expectOK(t, fmt.Sprint("user-", i))
		}
	}
}

// Requests over HTTP/2 share a connection, so none of them may keep an authenticated one.
func TestConnectionAuth_http2(t *testing.T) {
	r := newRig(t)
	p := startLogin(t, "pod-a", "WWW-Authenticate: Negotiate\r\n")
	r.serve(nil, p)
	client := dialHTTP2(t, r.addr)
	client.must(client.open(1, true, append(plain, "authorization", "Negotiate user-alice")...))
	if got := client.outcome(1); got != "200" {
		t.Fatalf("got %s", got)
	}
	client.must(client.open(3, true, plain...))
	if got := client.outcome(3); got != "401" {
		t.Errorf("the next request got %s", got)
	}
	r.dial().get("/").expectStatus(t, http.StatusUnauthorized)
}

// An endpoint that drains gets no requests of clients that have no session on it.
func TestConnectionAuth_draining(t *testing.T) {
	r := newRig(t)
	a, b := startLogin(t, "pod-a", "WWW-Authenticate: NTLM\r\n"), startLogin(t, "pod-b", "WWW-Authenticate: NTLM\r\n")
	r.serve(nil, a)
	client := r.dial()
	client.login("alice")
	r.replace(cart, a.endpoint(model.EndpointDraining), b.endpoint(model.EndpointReady))
	client.get("/").expectStatus(t, http.StatusUnauthorized)
	client.login("bob")
}
