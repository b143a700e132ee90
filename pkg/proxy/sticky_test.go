package proxy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
)

// threePods serves cart from three pods.
func threePods(t *testing.T, r *rig, a *model.Affinity) []*pod {
	t.Helper()
	pods := []*pod{startEcho(t, "pod-a"), startEcho(t, "pod-b"), startEcho(t, "pod-c")}
	r.serve(a, pods...)
	return pods
}

func (a *response) pod() string { return a.header.Get("X-Pod") }

// expectStay sends several requests, over old and new connections, and checks that this pod responds without a new
// token.
func (r *rig) expectStay(pod string, lines ...string) {
	r.t.Helper()
	client := r.dial()
	for range 3 {
		for _, c := range []*caller{client, r.dial()} {
			a := c.get("/", lines...)
			a.expectOK(r.t, "")
			if a.pod() != pod || a.cookie(r.t) != "" {
				r.t.Fatalf("served by %s with the cookie %q, want %s and none", a.pod(), a.cookie(r.t), pod)
			}
		}
	}
}

func (r *rig) expectDecision(outcome, reason string, n int) {
	r.t.Helper()
	const sample = `limpet_affinity_decisions_total{outcome=%q,pool="shop/cart:80",reason=%q}`
	r.expectMetric(fmt.Sprintf(sample, outcome, reason), n)
}

func TestSession_newSessionReturns(t *testing.T) {
	r := newRig(t)
	threePods(t, r, cookieAffinity())
	seen := map[string]bool{}
	for range 6 {
		first := r.dial().get("/")
		set := first.header.Get("Set-Cookie")
		if !strings.HasPrefix(set, "limpet-cart=") || !strings.HasSuffix(set, "; Path=/; HttpOnly; SameSite=Lax") {
			t.Fatalf("Set-Cookie is %q", set)
		}
		seen[first.pod()] = true
		r.expectStay(first.pod(), first.cookie(t))
	}
	if len(seen) != 3 {
		t.Errorf("new sessions went to %v, want all three pods", seen)
	}
	r.expectDecision("new", "", 6)
	r.expectDecision("hit", "", 36)
}

func TestToken_revealsNothing(t *testing.T) {
	r := newRig(t)
	pods := threePods(t, r, cookieAffinity())
	cookie := r.dial().get("/").cookie(t)
	for _, p := range pods {
		for _, secret := range []string{p.name, p.addr, "cart", "shop"} {
			if strings.Contains(strings.TrimPrefix(cookie, "Cookie: limpet-cart="), secret) {
				t.Errorf("%q can be read from %q", secret, cookie)
			}
		}
	}
}

func TestOtherPods_moveNoSession(t *testing.T) {
	r := newRig(t)
	pods := threePods(t, r, cookieAffinity())
	first := r.dial().get("/")
	own := slices.IndexFunc(pods, func(p *pod) bool { return p.name == first.pod() })
	others := slices.Delete(slices.Clone(pods), own, own+1)
	for _, set := range [][]*pod{{pods[own]}, {others[1], pods[own]}, append(others, pods[own], startEcho(t, "pod-d"))} {
		r.serve(cookieAffinity(), set...)
		r.expectStay(first.pod(), first.cookie(t))
	}
}

func TestSession_movesOnceWhenPodIsGone(t *testing.T) {
	r := newRig(t)
	pods := threePods(t, r, cookieAffinity())
	client := r.dial()
	first := client.get("/")
	left := slices.DeleteFunc(pods, func(p *pod) bool { return p.name == first.pod() })
	r.serve(cookieAffinity(), left...)
	moved := client.get("/", first.cookie(t))
	if moved.pod() == first.pod() || moved.cookie(t) == "" {
		t.Fatalf("served by %s with the cookie %q", moved.pod(), moved.cookie(t))
	}
	r.expectStay(moved.pod(), moved.cookie(t))
	r.expectDecision("moved", "gone", 1)
}

func TestDrain_keepsSessions(t *testing.T) {
	for _, keep := range []bool{true, false} {
		t.Run(fmt.Sprint("keepSessions ", keep), func(t *testing.T) {
			r := newRig(t)
			a := cookieAffinity()
			a.KeepDraining = keep
			drained, other := startEcho(t, "pod-a"), startEcho(t, "pod-b")
			r.serve(a, drained)
			cookie := r.dial().get("/").cookie(t)
			r.replace(cart, drained.endpoint(model.EndpointDraining), other.endpoint(model.EndpointReady))
			for range 4 {
				if got := r.dial().get("/").pod(); got != "pod-b" {
					t.Errorf("a new session went to %s", got)
				}
			}
			if keep {
				r.expectStay("pod-a", cookie)
				return
			}
			moved := r.dial().get("/", cookie)
			if moved.pod() != "pod-b" || moved.cookie(t) == "" {
				t.Errorf("served by %s with the cookie %q", moved.pod(), moved.cookie(t))
			}
		})
	}
}

// token seals one for a pod of cart.
func (r *rig) token(p *pod, scope string, boundAgo, renewedAgo time.Duration) string {
	now := time.Now()
	return "limpet-cart=" + string(r.keys.Load().Seal(&affinity.ConnState{}, nil, &affinity.Token{
		Endpoint: model.KeyOf("uid-" + p.name), Scope: model.ScopeOf(scope), Session: 77,
		Started: now.Add(-boundAgo).Unix(), Renewed: now.Add(-renewedAgo).Unix(),
	}))
}

func TestToken_validity(t *testing.T) {
	const hour = time.Hour
	limited := cookieAffinity()
	limited.AbsoluteTimeout, limited.IdleTimeout = 12*hour, hour
	r := newRig(t)
	pods := threePods(t, r, limited)
	own := pods[1]
	good := r.token(own, cart.String(), hour, 0)
	for _, c := range []struct {
		name, cookie    string
		stays, renewed  bool
		outcome, reason string
	}{
		{"fresh", r.token(own, cart.String(), hour, hour/4), true, false, "hit", ""},
		{"due for renewal", r.token(own, cart.String(), 11*hour, hour*3/4), true, true, "hit", ""},
		{"idle too long", r.token(own, cart.String(), 2*hour, 2*hour), false, true, "moved", "expired"},
		{"bound too long ago", r.token(own, cart.String(), 13*hour, 0), false, true, "moved", "expired"},
		{"of another backend", r.token(own, "shop/blog:80", hour, 0), false, true, "invalid", ""},
		{"no token", "limpet-cart=pod-b", false, true, "invalid", ""},
		{"cut short", good[:80], false, true, "invalid", ""},
		{"several, the last one good", "limpet-cart=x; a=b; limpet-cart=y; " + good, true, false, "hit", ""},
		{"in another cookie", strings.Replace(good, "cart", "blog", 1), false, true, "new", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			stayed := 0
			for range 3 { // who is picked at random comes to each pod in turn
				a := r.dial().get("/", "Cookie: "+c.cookie)
				if a.pod() == own.name {
					stayed++
				}
				if (a.cookie(t) != "") != c.renewed {
					t.Errorf("the cookie is %q", a.cookie(t))
				}
			}
			if (stayed == 3) != c.stays {
				t.Errorf("%d of 3 went to the pod that the token names", stayed)
			}
		})
	}
	r.expectDecision("hit", "", 9)
	r.expectDecision("moved", "expired", 6)
	r.expectDecision("invalid", "", 9)
	r.expectDecision("new", "", 3)
}

func TestCookie_tokenNotForwarded(t *testing.T) {
	r := newRig(t)
	p := startEcho(t, "pod-a")
	r.serve(cookieAffinity(), p)
	client := r.dial()
	own := strings.TrimPrefix(client.get("/").cookie(t), "Cookie: ")
	for _, c := range []struct{ sent, want string }{
		{own, ""},
		{"a=b; " + own, "Cookie: a=b"},
		{own + "; a=b", "Cookie: a=b"},
		{"a=b; " + own + "; c=d", "Cookie: a=b; c=d"},
		{"a=b; " + own + "; xlimpet-cart=1", "Cookie: a=b; xlimpet-cart=1"},
		{"a=b; limpet-cart=of-the-app; " + own, "Cookie: a=b; limpet-cart=of-the-app"},
	} {
		client.get("/", "Cookie: "+c.sent)
		all := p.requests()
		if got := fieldLines(all[len(all)-1], "Cookie"); strings.Join(got, "\n") != c.want {
			t.Errorf("of %q the pod was sent %q, want %q", c.sent, got, c.want)
		}
	}
}

// fieldLines returns the lines of a head with fields of that name.
func fieldLines(head, name string) []string {
	var lines []string
	for _, line := range strings.Split(head, "\r\n") {
		if n, _, ok := strings.Cut(line, ":"); ok && strings.EqualFold(n, name) {
			lines = append(lines, line)
		}
	}
	return lines
}

func TestCookie_twoBackendsOfOneHost(t *testing.T) {
	r := newRig(t)
	carts := []*pod{startEcho(t, "cart-a"), startEcho(t, "cart-b")}
	blogs := []*pod{startEcho(t, "blog-a"), startEcho(t, "blog-b")}
	r.replace(cart, endpointsOf(carts...)...)
	r.replace(blog, endpointsOf(blogs...)...)
	other := cookieAffinity()
	other.Scope = blog.String()
	other.Methods[0].Cookie.Name = "limpet-blog"
	toBlog := routeTo(blog, other)
	toBlog.Path = "/blog"
	r.publish(routeTo(cart, cookieAffinity()), toBlog)
	client := r.dial()
	atCart, atBlog := client.get("/"), client.get("/blog")
	jar := atCart.cookie(t) + "; " + strings.TrimPrefix(atBlog.cookie(t), "Cookie: ")
	for range 3 {
		if a := client.get("/", jar); a.pod() != atCart.pod() || a.cookie(t) != "" {
			t.Errorf("/ by %s with %q, want %s", a.pod(), a.cookie(t), atCart.pod())
		}
		if a := client.get("/blog", jar); a.pod() != atBlog.pod() || a.cookie(t) != "" {
			t.Errorf("/blog by %s with %q, want %s", a.pod(), a.cookie(t), atBlog.pod())
		}
	}
}
