package proxy

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// recognition is one way to recognise clients, each of which has a number.
type recognition struct {
	method model.Method
	hashes bool // scaling up may move a session to a new pod
	// path and line return the path and a header line of a request of client n. given is the value that the app or
	// Limpet issued to it before.
	path func(n int) string
	line func(n int, given string) string
}

const manySessions = 300

var root = func(int) string { return "/" }

func ways() map[string]recognition {
	user := func(n int) string { return fmt.Sprintf("user-%d", n) }
	hashed := func(source model.Source) model.Method {
		return model.Method{Source: source, Binding: model.BindingHashed}
	}
	byQuery, byPath, byCookie := hashed(model.SourceQueryParam), hashed(model.SourcePathSegment), hashed(model.SourceCookie)
	byQuery.QueryParam = &model.QueryParam{Name: "sid"}
	byPath.PathSegment = &model.PathSegment{Index: 1}
	byCookie.Cookie = &model.Cookie{Name: "sid"}
	issued := model.Method{Source: model.SourceHeader, Binding: model.BindingIssued, Header: &model.Header{Name: "Token"}}
	nothing := func(int, string) string { return "X-Nothing: 1" }
	cookie := func(_ int, given string) string { return "Cookie: x=1; " + given }
	header := func(_ int, given string) string { return "Given: " + given }
	own := func(source model.Source, binding model.Binding, line func(int, string) string) recognition {
		m := ownMethod(source, binding)
		if m.Header != nil {
			m.Header.Name = "Given"
		}
		return recognition{method: m, path: root, line: line}
	}
	return map[string]recognition{
		"query":  {byQuery, true, func(n int) string { return "/?a=1&sid=" + user(n) }, nothing},
		"path":   {byPath, true, func(n int) string { return "/users/" + user(n) + "/cart" }, nothing},
		"cookie": {byCookie, true, root, func(n int, _ string) string { return "Cookie: sid=" + user(n) }},
		"token":  {issued, false, root, func(_ int, given string) string { return "Token: " + given }},

		"named cookie":   own(model.SourceCookie, model.BindingNamed, cookie),
		"named header":   own(model.SourceHeader, model.BindingNamed, header),
		"wrapped cookie": own(model.SourceCookie, model.BindingWrapped, cookie),
		"wrapped header": own(model.SourceHeader, model.BindingWrapped, header),
		"learned cookie": own(model.SourceCookie, model.BindingLearned, cookie),
		"learned header": own(model.SourceHeader, model.BindingLearned, header),
	}
}

// startSessions runs a pod that begins a session, with an id that ends in its name, for every client that brings none.
func startSessions(t testing.TB, name string) *pod {
	t.Helper()
	return startPod(t, name, func(c *podConn) {
		for n := 0; ; n++ {
			r := c.request()
			if r == nil {
				return
			}
			given := ""
			if !strings.Contains(r.Header.Get("Cookie")+r.Header.Get("Given"), "id-") {
				id := fmt.Sprintf("id-%d-%d.%s", c.nth, n, name)
				given = "Given: " + id + "\r\nSet-Cookie: sid=" + id + "; Path=/\r\n"
			}
			if !c.say("HTTP/1.1 200 OK\r\nX-Pod: " + name + "\r\n" + given + "Content-Length: 0\r\n\r\n") {
				return
			}
		}
	})
}

// many is the clients of one way, and where they were last.
type many struct {
	recognition
	c     *caller
	given [manySessions]string
	pod   [manySessions]string
}

// ask keeps a token that Limpet issues again.
func (m *many) ask(n int) *response {
	got := m.c.get(m.path(n), m.line(n, m.given[n]))
	if token := got.header.Get("Token"); token != "" {
		m.given[n] = token
	}
	return got
}

func (m *many) settle() {
	for n := range m.pod {
		got := m.c.get(m.path(n), "X-Nothing: 1")
		switch {
		case m.hashes:
			got = m.ask(n)
		case m.method.Source == model.SourceCookie:
			m.given[n], _, _ = strings.Cut(got.header.Get("Set-Cookie"), ";")
		default:
			m.given[n] = got.header.Get(m.method.Header.Name)
		}
		m.pod[n] = got.header.Get("X-Pod")
	}
}

// expectMoves sends a request of every session, and fails if a session has moved between two pods for which may returns
// false.
func (m *many) expectMoves(t *testing.T, what string, may func(from, to string) bool) {
	t.Helper()
	for n, home := range m.pod {
		for range 2 {
			pod := m.ask(n).header.Get("X-Pod")
			if pod != m.pod[n] && (m.pod[n] != home || !may(home, pod)) {
				t.Fatalf("%s: session %d was on %s, is now on %s", what, n, m.pod[n], pod)
			}
			m.pod[n] = pod
		}
	}
}

// The life of a Service, for every way that needs no more than one policy: pods are added, one drains, and is gone.
func TestSession_manyStay(t *testing.T) {
	for name, w := range ways() {
		t.Run(name, func(t *testing.T) { testManySessions(t, w) })
	}
}

func testManySessions(t *testing.T, w recognition) {
	r := newRig(t, func(o *Options) { o.Sessions = &mapStore{} })
	var pods []*pod
	for _, name := range []string{"a", "b", "c", "new-1", "new-2"} {
		pods = append(pods, startSessions(t, name))
	}
	r.serve(affinityBy(w.method), pods[:3]...)
	m := &many{recognition: w, c: r.dial()}
	m.settle()
	never := func(string, string) bool { return false }
	m.expectMoves(t, "nothing has changed", never)

	r.replace(cart, endpointsOf(pods...)...)
	m.expectMoves(t, "scaled up", func(_, to string) bool { return w.hashes && strings.HasPrefix(to, "new") })

	draining := endpointsOf(pods...)
	draining[0].State = model.EndpointDraining
	r.replace(cart, draining...)
	m.expectMoves(t, "a drains", never)

	r.replace(cart, endpointsOf(pods[1:]...)...)
	m.expectMoves(t, "a is gone", func(from, to string) bool { return from == "a" && to != "a" })
}

func TestAdopt_nginx(t *testing.T) {
	r := newRig(t)
	pods := []*pod{startEcho(t, "a"), startEcho(t, "b"), startEcho(t, "c")}
	affinity := cookieAffinity()
	affinity.Adopt = []model.Adopted{model.AdoptNGINX}
	r.serve(affinity, pods...)
	c := r.dial()
	for n := range manySessions {
		home := pods[n%3]
		sum := md5.Sum([]byte(home.addr))
		first := c.get("/", "Cookie: limpet-cart="+hex.EncodeToString(sum[:]))
		if first.header.Get("X-Pod") != home.name || first.cookie(t) == "" {
			t.Fatalf("a session of %s is served by %s", home.name, first.header.Get("X-Pod"))
		}
		again := c.get("/", first.cookie(t))
		if again.header.Get("X-Pod") != home.name || again.cookie(t) != "" {
			t.Fatalf("the token of a session of %s leads to %s", home.name, again.header.Get("X-Pod"))
		}
	}
}

func TestGroup_twoServices(t *testing.T) {
	r := newRig(t)
	endpoints := endpointsOf(startEcho(t, "a"), startEcho(t, "b"), startEcho(t, "c"))
	r.replace(cart, endpoints...)
	r.replace(blog, endpoints...)
	affinity := cookieAffinity()
	affinity.Scope = "shop/group/all"
	other := routeTo(blog, affinity)
	other.Path = "/api"
	r.publish(routeTo(cart, affinity), other)
	c := r.dial()
	for range manySessions {
		first := c.get("/")
		second := c.get("/api", first.cookie(t))
		if second.header.Get("X-Pod") != first.header.Get("X-Pod") || second.cookie(t) != "" {
			t.Fatalf("on %s by one Service, on %s by the other", first.header.Get("X-Pod"), second.header.Get("X-Pod"))
		}
	}
}

// All requests stay in flight. Half of them are of one user.
func TestStickyBudget_hotUser(t *testing.T) {
	r := newRig(t)
	held := make(chan struct{})
	var pods []*pod
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		pods = append(pods, startPod(t, name, func(c *podConn) {
			if c.head() != "" {
				<-held
			}
		}))
	}
	defer close(held)
	affinity := affinityBy(headerMethod("X-User"))
	affinity.BalanceFactor = 125
	r.serve(affinity, pods...)
	for n := range manySessions {
		user := 0
		if n%2 == 1 {
			user = n
		}
		r.dial().send(request("GET", "/", "", fmt.Sprintf("X-User: user-%d", user)))
		most := int64(0)
		eventually(t, "the request to arrive", func() bool {
			total := int64(0)
			for _, p := range pods {
				inFlight := r.endpoint(p).InFlight()
				total, most = total+inFlight, max(most, inFlight)
			}
			return total == int64(n+1)
		})
		if bound := 1.25*float64(n+1)/5 + 1; float64(most) > bound {
			t.Fatalf("of %d requests in flight one pod has %d, the bound is %.1f", n+1, most, bound)
		}
	}
}
