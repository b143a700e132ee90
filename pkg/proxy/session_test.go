package proxy

import (
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// startApp runs a pod whose answers have these header lines, such as "A: b\r\n".
func startApp(t testing.TB, name, lines string) *pod {
	t.Helper()
	return startPod(t, name, func(c *podConn) {
		for c.head() != "" {
			if !c.say("HTTP/1.1 200 OK\r\nX-Pod: " + name + "\r\n" + lines + "Content-Length: 0\r\n\r\n") {
				return
			}
		}
	})
}

func TestAnAppReleasesItsSession(t *testing.T) {
	r := newRig(t)
	r.serve(cookieAffinity(), startApp(t, "a", "limpet-release-session: true\r\n"))
	got := r.dial().get("/logout")
	set := got.header.Values("Set-Cookie")
	if len(set) != 1 || !strings.HasPrefix(set[0], "limpet-cart=; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT") {
		t.Errorf("Set-Cookie %q does not expire the token", set)
	}
	if got.header.Get("Limpet-Release-Session") != "" {
		t.Error("the client sees the header that is meant for Limpet")
	}
}

func TestTheAppIsToldOfAMoveOnce(t *testing.T) {
	r := newRig(t)
	a, b := startEcho(t, "a"), startEcho(t, "b")
	affinity := cookieAffinity()
	affinity.MovedHeader = "X-Session-Moved"
	r.serve(affinity, a)
	c := r.dial()
	cookie := c.get("/").cookie(t)
	r.replace(cart, endpointsOf(b)...)
	cookie = c.get("/", cookie, "x-session-moved: never").cookie(t)
	c.get("/", cookie, "X-Session-Moved: gone").expectOK(t, "")
	heads := b.requests()
	if len(heads) != 2 || !strings.Contains(heads[0], "\r\nX-Session-Moved: gone\r\n") {
		t.Errorf("the pod the session moved to was told %q", heads)
	}
	if strings.Contains(strings.ToLower(heads[1]), "x-session-moved") || strings.Contains(heads[0], "never") {
		t.Errorf("a client may say that it has moved: %q", heads)
	}
}

func TestATokenMayTravelInAHeader(t *testing.T) {
	r := newRig(t)
	a, b := startEcho(t, "a"), startEcho(t, "b")
	r.serve(affinityBy(model.Method{
		Source: model.SourceHeader, Binding: model.BindingIssued, Header: &model.Header{Name: "X-Token"},
	}), a, b)
	c := r.dial()
	first := c.get("/")
	token := first.header.Get("X-Token")
	if token == "" || first.header.Get("Set-Cookie") != "" {
		t.Fatalf("the first answer has header %v", first.header)
	}
	for range 5 {
		next := c.get("/", "x-token: "+token)
		if next.header.Get("X-Pod") != first.header.Get("X-Pod") || next.header.Get("X-Token") != "" {
			t.Errorf("brought back to %s with token %q, want %s", next.header.Get("X-Pod"), next.header.Get("X-Token"),
				first.header.Get("X-Pod"))
		}
	}
	for _, head := range append(a.requests(), b.requests()...) {
		if strings.Contains(head, token) {
			t.Errorf("the app sees the token: %q", head)
		}
	}
}

func TestExemptRequestsGetNoToken(t *testing.T) {
	r := newRig(t)
	affinity := cookieAffinity()
	affinity.Exempt = &model.Exempt{Paths: []string{"/static"}}
	r.serve(affinity, startEcho(t, "a"))
	c := r.dial()
	if cookie := c.get("/static/logo.png").cookie(t); cookie != "" {
		t.Errorf("an exempt request got %s", cookie)
	}
	if cookie := c.get("/").cookie(t); cookie == "" {
		t.Error("a request that is not exempt got no token")
	}
}
