package proxy

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

func basicField(credentials string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(credentials))
}

// serveRestricted serves every path of every host by a pod, with these restrictions.
func (r *rig) serveRestricted(p *pod, access model.Access) {
	r.t.Helper()
	r.replace(cart, endpointsOf(p)...)
	route := routeTo(cart, nil)
	route.Filters = &model.Filters{Access: &access}
	r.publish(route)
}

func passwords(file string) *model.Passwords {
	return &model.Passwords{Secret: model.Ref{Kind: "Secret", Namespace: "shop", Name: "users"}, Realm: "Staff", File: []byte(file)}
}

// Each request on a connection has credentials of its own: the connection remembers none.
func TestAccess_basicOnOneConnection(t *testing.T) {
	r := newRig(t)
	p := startEcho(t, "pod-a")
	r.serveRestricted(p, model.Access{Passwords: passwords("jane:{PLAIN}secret\njoe:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=")})
	c := r.dial()
	for _, request := range []struct {
		field string
		want  int
	}{
		{"X-None: 1", 401}, {basicField("jane:secret"), 200}, {"X-None: 1", 401}, {basicField("joe:secret"), 200},
		{basicField("jane:wrong"), 401}, {basicField("jane:secret"), 200}, {"Authorization: Basic !", 401},
	} {
		got := c.get("/", request.field)
		got.expectStatus(t, request.want)
		if challenge := got.header.Get("WWW-Authenticate"); (challenge == `Basic realm="Staff"`) != (request.want == 401) {
			t.Errorf("%s: WWW-Authenticate %q", request.field, challenge)
		}
	}
	if sent := p.requests(); len(sent) != 3 || strings.Contains(strings.Join(sent, ""), "uthorization") {
		t.Errorf("the pod received %q", sent)
	}
	c.post("/", "body", basicField("jane:secret")).expectOK(t, "body")
}

// The field is withheld only where Limpet uses it.
func TestAccess_authorizationForwarded(t *testing.T) {
	r := newRig(t)
	p := startEcho(t, "pod-a")
	everyone := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	r.serveRestricted(p, model.Access{Addresses: &model.AddressList{Allow: everyone}})
	r.dial().get("/", "Authorization: Bearer x").expectOK(t, "")
	expectFields(t, p.requests()[0], "Authorization: Bearer x")
	r.serveRestricted(p, model.Access{
		Addresses: &model.AddressList{Allow: everyone}, Passwords: passwords("jane:{PLAIN}secret"), SatisfiesAny: true,
	})
	r.dial().get("/", "Authorization: Bearer x").expectOK(t, "")
	expectFields(t, p.requests()[1], "Authorization:")
}

func TestAccess_overHTTP2(t *testing.T) {
	r := newRig(t)
	r.serveRestricted(startEcho(t, "pod-a"), model.Access{Passwords: passwords("jane:{PLAIN}secret")})
	client := http2Client(t)
	for password, want := range map[string]int{"": 401, "secret": 200, "other": 401} {
		request, err := http.NewRequest(http.MethodGet, "http://"+r.addr+"/", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if password != "" {
			request.SetBasicAuth("jane", password)
		}
		resp, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want || resp.ProtoMajor != 2 {
			t.Errorf("password %q: %s %s, want %d", password, resp.Proto, resp.Status, want)
		}
	}
}

func TestAccess_addressesBehindPROXYProtocol(t *testing.T) {
	list := model.AddressList{
		Deny: []netip.Prefix{netip.MustParsePrefix("192.0.2.9/32")}, Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
	}
	for header, want := range map[string]int{
		"PROXY TCP4 192.0.2.1 198.51.100.7 4711 443\r\n":               200,
		"PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.7 4711 443\r\n": 200,
		"PROXY TCP4 192.0.2.9 198.51.100.7 4711 443\r\n":               403,
		"PROXY TCP4 203.0.113.1 198.51.100.7 4711 443\r\n":             403,
		"PROXY UNKNOWN\r\n": 403, // the address of the load balancer
		"PROXY TCP6 2001:db8::c000:201 ::ffff:198.51.100.7 4711 443\r\n": 403,
	} {
		r := newRig(t, behind)
		r.serveRestricted(startEcho(t, "pod-a"), model.Access{Addresses: &list})
		c := r.dial()
		c.send(header + request("GET", "/", "", "X-Forwarded-For: 192.0.2.1", "X-Real-IP: 192.0.2.1"))
		c.read("GET").expectStatus(t, want)
	}
}

// Only a trusted proxy may name the client.
func TestAccess_addressesOfTrustedProxy(t *testing.T) {
	list := model.AddressList{Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}
	for isTrusted, want := range map[bool]int{true: 200, false: 403} {
		r := newRig(t, func(o *Options) {
			if isTrusted {
				o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
			}
		})
		r.serveRestricted(startEcho(t, "pod-a"), model.Access{Addresses: &list})
		r.dial().get("/", "X-Forwarded-For: 192.0.2.1").expectStatus(t, want)
		r.dial().get("/", "X-Forwarded-For: 192.0.2.1, 203.0.113.1").expectStatus(t, 403)
	}
}

func hexMD5(text string) string { return fmt.Sprintf("%x", md5.Sum([]byte(text))) }

// digestField returns the credentials of jane, whose password is "secret", for a challenge.
func digestField(challenge, method, uri string, count int) string {
	_, nonce, _ := strings.Cut(challenge, `nonce="`)
	nonce, _, _ = strings.Cut(nonce, `"`)
	response := hexMD5(fmt.Sprintf("%s:%s:%08x:c:auth:%s", hexMD5("jane:Staff:secret"), nonce, count, hexMD5(method+":"+uri)))
	return fmt.Sprintf(`Authorization: Digest username="jane", realm="Staff", nonce="%s", uri="%s", qop=auth, nc=%08x, `+
		`cnonce="c", response="%s", algorithm=MD5`, nonce, uri, count, response)
}

// Two replicas with the same keys accept the nonces of each other.
func TestAccess_digestOnReplicas(t *testing.T) {
	users := passwords("jane:Staff:" + hexMD5("jane:Staff:secret"))
	users.Digest = true
	p := startEcho(t, "pod-a")
	one, two := newRig(t), newRig(t)
	two.keys.Store(one.keys.Load())
	for _, r := range []*rig{one, two} {
		r.serveRestricted(p, model.Access{Passwords: users})
	}
	c, other := one.dial(), two.dial()
	got := c.get("/a?b=1")
	got.expectStatus(t, 401)
	challenge := got.header.Get("WWW-Authenticate")
	c.get("/a?b=1", digestField(challenge, "GET", "/a?b=1", 1)).expectStatus(t, 200)
	other.get("/a?b=1", digestField(challenge, "GET", "/a?b=1", 2)).expectStatus(t, 200)
	c.get("/a?b=1", digestField(challenge, "GET", "/a?b=1", 3)).expectStatus(t, 200)

	replay := c.get("/a?b=1", digestField(challenge, "GET", "/a?b=1", 3))
	replay.expectStatus(t, 401)
	if !strings.HasSuffix(replay.header.Get("WWW-Authenticate"), ", stale=true") {
		t.Errorf("WWW-Authenticate %q", replay.header.Get("WWW-Authenticate"))
	}
	for _, wrong := range []string{
		digestField(challenge, "GET", "/b", 4), digestField(challenge, "GET", "/a", 5), digestField(challenge, "POST", "/a?b=1", 6),
	} {
		got := c.get("/a?b=1", wrong)
		got.expectStatus(t, 401)
		if strings.Contains(got.header.Get("WWW-Authenticate"), "stale") {
			t.Errorf("%s: WWW-Authenticate %q", wrong, got.header.Get("WWW-Authenticate"))
		}
	}
	if sent := strings.Join(p.requests(), ""); strings.Contains(sent, "Digest") {
		t.Errorf("the pod received %q", sent)
	}
	stranger := newRig(t) // has other keys
	stranger.serveRestricted(p, model.Access{Passwords: users})
	stranger.dial().get("/", digestField(challenge, "GET", "/", 7)).expectStatus(t, 401)
}

// A flood of wrong passwords is refused without verification, and clients that are known are served meanwhile.
func TestAccess_floodOfFailures(t *testing.T) {
	r := newRig(t)
	r.serveRestricted(startEcho(t, "pod-a"), model.Access{Passwords: passwords("jane:{PLAIN}secret")})
	c := r.dial()
	c.get("/", basicField("jane:secret")).expectStatus(t, 200)
	statuses := map[int]int{}
	for i := range 200 {
		statuses[c.get("/", basicField(fmt.Sprintf("jane:%d", i))).status]++
	}
	if statuses[401] == 0 || statuses[429] < 100 || statuses[401]+statuses[429] != 200 {
		t.Errorf("statuses %v", statuses)
	}
	c.get("/", basicField("jane:secret")).expectStatus(t, 200)
	c.get("/", basicField("jane:"+string(bytes.Repeat([]byte("p"), 8<<10)))).expectStatus(t, 401)
}
