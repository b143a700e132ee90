package proxy

import (
	"bufio"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
)

// startApp runs a pod whose responses have these header lines, such as "A: b\r\n".
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

func TestRelease_byApp(t *testing.T) {
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

func TestMovedHeader_once(t *testing.T) {
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
		t.Errorf("the pod the session moved to received %q", heads)
	}
	if strings.Contains(strings.ToLower(heads[1]), "x-session-moved") || strings.Contains(heads[0], "never") {
		t.Errorf("a client may say that it has moved: %q", heads)
	}
}

func TestSources_tokenInHeader(t *testing.T) {
	r := newRig(t)
	a, b := startEcho(t, "a"), startEcho(t, "b")
	r.serve(affinityBy(model.Method{
		Source: model.SourceHeader, Binding: model.BindingIssued, Header: &model.Header{Name: "X-Token"},
	}), a, b)
	c := r.dial()
	first := c.get("/")
	token := first.header.Get("X-Token")
	if token == "" || first.header.Get("Set-Cookie") != "" {
		t.Fatalf("the first response has header %v", first.header)
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

func TestExempt_noToken(t *testing.T) {
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

func ownMethod(source model.Source, binding model.Binding) model.Method {
	m := model.Method{Source: source, Binding: binding, Separator: "."}
	if source == model.SourceCookie {
		m.Cookie = &model.Cookie{Name: "sid"}
	} else {
		m.Header = &model.Header{Name: "Mcp-Session-Id"}
	}
	return m
}

// expectBackFrom sends several requests with a header line. It fails if another pod responds, or if a response has
// content meant for another client.
func expectBackFrom(t testing.TB, r *rig, pod, line string) {
	t.Helper()
	c := r.dial()
	for range 5 {
		if got := c.get("/", line).header.Get("X-Pod"); got != pod {
			t.Fatalf("%.40s: served by %s, want %s", line, got, pod)
		}
	}
}

func TestLearned_appSession(t *testing.T) {
	for _, binding := range []model.Binding{model.BindingWrapped, model.BindingLearned, model.BindingNamed} {
		for _, source := range []model.Source{model.SourceCookie, model.SourceHeader} {
			t.Run(string(source)+" "+string(binding), func(t *testing.T) {
				testOwnSession(t, source, binding)
			})
		}
	}
}

func testOwnSession(t *testing.T, source model.Source, binding model.Binding) {
	r := newRig(t, func(o *Options) { o.Sessions = &mapStore{} })
	var pods []*pod
	for _, name := range []string{"a", "b", "c"} {
		lines := "Mcp-Session-Id: own." + name + "\r\n"
		if source == model.SourceCookie {
			lines = "Set-Cookie: other=1\r\nSet-Cookie: sid=own." + name + "; Path=/; HttpOnly\r\n"
		}
		pods = append(pods, startApp(t, name, lines))
	}
	r.serve(affinityBy(ownMethod(source, binding)), pods...)
	for range 6 {
		first := r.dial().get("/")
		line := "mcp-session-id: " + first.header.Get("Mcp-Session-Id")
		if source == model.SourceCookie {
			set := first.header.Values("Set-Cookie")
			pair, rest, _ := strings.Cut(set[1], ";")
			if len(set) != 2 || set[0] != "other=1" || rest != " Path=/; HttpOnly" {
				t.Fatalf("cookies %q", set)
			}
			line = "Cookie: x=1; " + pair
		}
		if isWrapped := strings.Contains(line, "~"); isWrapped != (binding == model.BindingWrapped) {
			t.Fatalf("the client gets %q", line)
		}
		expectBackFrom(t, r, first.header.Get("X-Pod"), line)
	}
	for _, p := range pods {
		for _, head := range p.requests() {
			if strings.Contains(head, "~") {
				t.Fatalf("the app sees a token: %q", head)
			}
		}
	}
}

// mapStore is an affinity.Store without bounds. It does not learn unknown ids.
type mapStore struct{ sync.Map }

func (s *mapStore) Lookup(id *affinity.LearnedID) affinity.Learned {
	key, ok := s.Load(string(id.ID))
	if !ok {
		return affinity.Learned{}
	}
	return affinity.Learned{State: affinity.LearnedAlive, Endpoint: key.(model.EndpointKey)}
}

func (s *mapStore) Resolve(id *affinity.LearnedID) (affinity.Learned, bool) {
	return s.Lookup(id), true
}
func (s *mapStore) Remember(id *affinity.LearnedID, key model.EndpointKey) {
	s.Store(string(id.ID), key)
}
func (s *mapStore) Returned(*affinity.LearnedID, model.EndpointKey, bool) {}
func (s *mapStore) Forget(id *affinity.LearnedID)                         { s.Delete(string(id.ID)) }

func TestUnavailable_waits(t *testing.T) {
	r := newRig(t)
	a, b := startEcho(t, "a"), startEcho(t, "b")
	affinity := cookieAffinity()
	affinity.Unavailable = model.Unavailable{Action: model.UnavailableWait, Wait: testTimeout}
	r.serve(affinity, a)
	cookie := r.dial().get("/").cookie(t)
	r.replace(cart, endpointsOf(b)...)
	waiting := make(chan *response)
	go func() {
		got, _ := r.dialAndAsk(request("GET", "/", "", cookie))
		waiting <- got
	}()
	for range 3 { // other changes do not end the wait
		r.replace(cart, endpointsOf(b)...)
		r.replace(cart)
	}
	r.replace(cart, endpointsOf(a, b)...)
	if got := <-waiting; got == nil || got.header.Get("X-Pod") != "a" || len(got.header.Values("Set-Cookie")) > 0 {
		t.Errorf("served by %+v, want a and no new token", got)
	}
}

func TestUnavailable_waitEnds(t *testing.T) {
	r := newRig(t)
	a, b := startEcho(t, "a"), startEcho(t, "b")
	affinity := cookieAffinity()
	affinity.Unavailable = model.Unavailable{Action: model.UnavailableWait, Wait: 50 * time.Millisecond}
	r.serve(affinity, a)
	cookie := r.dial().get("/").cookie(t)
	r.replace(cart, endpointsOf(b)...)
	began := time.Now()
	got := r.dial().get("/", cookie)
	if got.header.Get("X-Pod") != "b" || got.cookie(t) == "" || time.Since(began) < 50*time.Millisecond {
		t.Errorf("after %s served by %s with %q", time.Since(began), got.header.Get("X-Pod"), got.cookie(t))
	}
}

// dialAndAsk is for goroutines that are not the test's own.
func (r *rig) dialAndAsk(text string) (*response, error) {
	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, text); err != nil {
		return nil, err
	}
	c := &caller{Conn: conn, r: bufio.NewReader(conn), t: r.t}
	return c.tryRead("GET")
}
