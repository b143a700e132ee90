package proxy

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// startShop runs a pod that keeps a session in the cookie limpet-cart, which is also the name of the token. It sets the cookie
// unless the request has its own value.
func startShop(t testing.TB, name string) *pod {
	t.Helper()
	return startPod(t, name, func(c *podConn) {
		for {
			head := c.head()
			if head == "" {
				return
			}
			set := "Set-Cookie: limpet-cart=" + name + "-1; Path=/; HttpOnly\r\n"
			if strings.Contains(head, "limpet-cart="+name+"-1") || strings.Contains(head, "GET /static") {
				set = ""
			}
			if !c.say("HTTP/1.1 200 OK\r\nX-Pod: " + name + "\r\n" + set + "Content-Length: 0\r\n\r\n") {
				return
			}
		}
	})
}

// jar keeps cookies by name, as browsers do.
type jar map[string]string

func (j jar) line() string {
	var pairs []string
	for name, value := range j {
		pairs = append(pairs, name+"="+value)
	}
	slices.Sort(pairs)
	return "Cookie: " + strings.Join(pairs, "; ")
}

func (j jar) get(c *caller, target string) *response {
	lines := []string{}
	if len(j) > 0 {
		lines = append(lines, j.line())
	}
	got := c.get(target, lines...)
	for _, set := range got.header.Values("Set-Cookie") {
		pair, _, _ := strings.Cut(set, ";")
		name, value, _ := strings.Cut(pair, "=")
		j[name] = value
	}
	return got
}

const collisionSample = `limpet_likely_mistakes{mistake="token_name_used_by_app",object="AffinityPolicy shop/cart"}`

func collidingAffinity() *model.Affinity {
	a := cookieAffinity()
	a.Source = model.Ref{Kind: "AffinityPolicy", Namespace: "shop", Name: "cart"}
	return a
}

func TestCollision_appKeepsItsCookie(t *testing.T) {
	for _, first := range []string{"/", "/static"} {
		r := newRig(t)
		pods := []*pod{startShop(t, "a"), startShop(t, "b"), startShop(t, "c")}
		r.serve(collidingAffinity(), pods...)
		for range 4 {
			browser, c := jar{}, r.dial()
			want := browser.get(c, first).pod()
			for i := range 4 {
				got := browser.get(c, "/")
				if got.pod() != want || i > 0 && len(got.header.Values("Set-Cookie")) > 0 {
					t.Errorf("request %d with %s: by %s with %q, want %s", i, browser.line(), got.pod(), got.header, want)
				}
			}
			if browser["limpet-cart"] != want+"-1" || len(browser) != 2 {
				t.Errorf("the browser has %s", browser.line())
			}
		}
		for _, p := range pods {
			for _, head := range p.requests() {
				if lines := fieldLines(head, "Cookie"); len(lines) > 1 || len(lines) == 1 && lines[0] != "Cookie: limpet-cart="+p.name+"-1" {
					t.Errorf("pod %s was sent %q", p.name, lines)
				}
			}
		}
		r.expectMetric(collisionSample, 1)
	}
}

// A client that was logged in before Limpet was installed stays logged in, although no response has set the cookie yet.
func TestCollision_sessionBeforeLimpet(t *testing.T) {
	r := newRig(t)
	r.serve(collidingAffinity(), startShop(t, "a"))
	browser := jar{"limpet-cart": "a-1"}
	for range 3 {
		browser.get(r.dial(), "/")
	}
	if browser["limpet-cart"] != "a-1" || len(browser) != 2 {
		t.Errorf("the browser has %s", browser.line())
	}
}

// Each way in which an app can set the cookie is forwarded.
func TestCollision_spellings(t *testing.T) {
	r := newRig(t)
	own := []string{
		"limpet-cart=mine", "limpet-cart =mine; Path=/a", "limpet-cart", "=limpet-cart=mine", "limpet-cart=; Max-Age=0",
		"limpet-cart2=app", "other=limpet-cart=x",
	}
	var lines strings.Builder
	for _, set := range own {
		lines.WriteString("Set-Cookie: " + set + "\r\n")
	}
	r.serve(collidingAffinity(), startApp(t, "a", lines.String()))
	got := r.dial().get("/").header.Values("Set-Cookie")
	if len(got) != len(own)+1 || !slices.Equal(got[:len(own)], own) {
		t.Fatalf("got %q", got)
	}
	if token := got[len(own)]; !strings.HasPrefix(token, model.TokenName(cart.String())+"=") {
		t.Errorf("token %q", token)
	}
}

// The name stays avoided when the table is built again.
func TestCollision_newTable(t *testing.T) {
	r := newRig(t)
	p := startShop(t, "a")
	r.serve(collidingAffinity(), p)
	r.dial().get("/")
	changed := collidingAffinity()
	changed.MovedHeader = "X-Moved"
	r.serve(changed, p)
	if set := r.dial().get("/static").cookie(t); !strings.HasPrefix(set, "Cookie: "+model.TokenName(cart.String())+"=") {
		t.Errorf("the next client gets %q", set)
	}
}

func TestCollision_release(t *testing.T) {
	r := newRig(t)
	r.serve(collidingAffinity(), startApp(t, "a", "Set-Cookie: limpet-cart=mine\r\nLimpet-Release-Session: true\r\n"))
	got := r.dial().get("/", "Cookie: limpet-cart=mine; "+model.TokenName(cart.String())+"=x").header.Values("Set-Cookie")
	if len(got) != 2 || got[0] != "limpet-cart=mine" || !strings.HasPrefix(got[1], model.TokenName(cart.String())+"=; ") {
		t.Errorf("got %q", got)
	}
}

func TestCollision_header(t *testing.T) {
	generated := http.CanonicalHeaderKey(model.TokenName(cart.String()))
	for _, response := range []struct{ name, head, tail string }{
		{"header", "X-Token: mine\r\nContent-Length: 0\r\n\r\n", ""},
		{"trailer", "Transfer-Encoding: chunked\r\n\r\n", "0\r\nX-Token: mine\r\n\r\n"},
	} {
		r := newRig(t)
		a := affinityBy(model.Method{
			Source: model.SourceHeader, Binding: model.BindingIssued, Header: &model.Header{Name: "X-Token"},
		})
		a.Source = model.Ref{Kind: "AffinityPolicy", Namespace: "shop", Name: "cart"}
		p := startPod(t, "a", func(c *podConn) {
			for c.head() != "" && c.say("HTTP/1.1 200 OK\r\n"+response.head+response.tail) {
			}
		})
		r.serve(a, p)
		c := r.dial()
		c.get("/")
		r.expectMetric(collisionSample, 1)
		second := c.get("/", "X-Token: mine")
		token := second.header.Get(generated)
		if token == "" || strings.Contains(second.header.Get("X-Token"), token) {
			t.Errorf("%s: got %q", response.name, second.header)
		}
		third := c.get("/", "X-Token: mine", generated+": "+token)
		if third.header.Get(generated) != "" {
			t.Errorf("%s: the token was issued again: %q", response.name, third.header)
		}
		last := p.requests()[2]
		if !slices.Equal(fieldLines(last, "X-Token"), []string{"X-Token: mine"}) || strings.Contains(last, token) {
			t.Errorf("%s: the pod was sent %q", response.name, last)
		}
	}
}
