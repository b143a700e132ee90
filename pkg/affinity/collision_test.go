package affinity

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// tokenFor returns a token for endpoint b of newSet("a b c").
func tokenFor(ring *Keyring) string {
	return string(ring.Seal(&ConnState{}, nil, &Token{
		Endpoint: model.KeyOf("b"), Scope: model.ScopeOf(testScope), Started: testNow, Renewed: testNow, Session: 7,
	}))
}

// issuedBy returns the name under which the response carries a token, or "" without one. The app sets set in it, unless it is
// empty.
func issuedBy(p *Policy, d *Decision, set *fakeSet, ring *Keyring, field string) string {
	if name, value, ok := strings.Cut(field, ": "); ok {
		p.FindCollision(d, []byte(name), []byte(value))
	}
	if !d.Issue {
		return ""
	}
	text := string(p.AppendToken(nil, d, set, ring, &ConnState{}, false))
	if name := p.TokenHeader(d); name != nil {
		return string(name)
	}
	name, _, _ := strings.Cut(text, "=")
	return name
}

func TestCollision_cookie(t *testing.T) {
	ring, generated := newRing(t, 1), model.TokenName(testScope)
	token := tokenFor(ring)
	for _, c := range []struct {
		name, cookie, field, want string
		endpoint                  string // "" if the client is new
	}{
		{name: "new client", want: "cart-id"},
		{name: "new client at login", field: "Set-Cookie: cart-id=42; Path=/", want: generated},
		{name: "name in another case", field: "set-cookie: CART-ID=42", want: "cart-id"},
		{name: "spaces around the name", field: "set-cookie:  cart-id =42", want: generated},
		{name: "similar name", field: "Set-Cookie: cart-id2=42", want: "cart-id"},
		{name: "app deletes the cookie", field: "Set-Cookie: cart-id=; Max-Age=0", want: generated},
		{name: "session of the app", cookie: "cart-id=42", want: generated},
		{name: "token", cookie: "cart-id=" + token, endpoint: "b"},
		{name: "app replaces the token", cookie: "cart-id=" + token, field: "Set-Cookie: cart-id=42", endpoint: "b", want: generated},
		{name: "both", cookie: "cart-id=42; " + generated + "=" + token, endpoint: "b"},
		{name: "both, the other order", cookie: generated + "=" + token + "; cart-id=42", endpoint: "b"},
		{name: "app renews its session", cookie: "cart-id=42; " + generated + "=" + token, field: "Set-Cookie: cart-id=42", endpoint: "b"},
		{name: "token in both", cookie: "cart-id=" + token + "; " + generated + "=" + token, endpoint: "b"},
	} {
		p, set := Compile(affinityOf(cookieMethod)), newSet("a b c")
		set.requests = []int64{0, 1, 1}
		var d Decision
		p.Decide(&d, &fakeRequest{cookies: []string{c.cookie}}, set, ring, &ConnState{}, testNow)
		if c.endpoint != "" && set.name(d.Endpoint) != c.endpoint || (d.Outcome == OutcomeHit) != (c.endpoint != "") {
			t.Errorf("%s: %s at %q", c.name, d.Outcome, set.name(d.Endpoint))
		}
		if got := issuedBy(p, &d, set, ring, c.field); got != c.want {
			t.Errorf("%s: issued in %q, want %q", c.name, got, c.want)
		}
	}
}

// The session keeps its start, its id and its endpoint when its token moves.
func TestCollision_keepsSession(t *testing.T) {
	p, set, ring := Compile(affinityOf(cookieMethod)), newSet("a b c"), newRing(t, 1)
	var d, again Decision
	p.Decide(&d, &fakeRequest{cookies: []string{"cart-id=" + tokenFor(ring)}}, set, ring, &ConnState{}, testNow+60)
	if c, found := p.FindCollision(&d, []byte("Set-Cookie"), []byte("cart-id=42")); !found || !c.IsFirst || c.Name != "cart-id" {
		t.Errorf("collision %+v, found %v", c, found)
	}
	field := string(p.AppendToken(nil, &d, set, ring, &ConnState{}, false))
	pair, _, _ := strings.Cut(field, ";")
	p.Decide(&again, &fakeRequest{cookies: []string{"cart-id=42; " + pair}}, set, ring, &ConnState{}, testNow+61)
	if again.Endpoint != 1 || again.Outcome != OutcomeHit || again.Token.Started != testNow || again.Token.Session != 7 {
		t.Errorf("%s: endpoint %d, %+v", field, again.Endpoint, again.Token)
	}
	if !strings.HasSuffix(field, "; Path=/; HttpOnly; SameSite=Lax") {
		t.Errorf("attributes of %s", field)
	}
	if c, found := p.FindCollision(&again, []byte("Set-Cookie"), []byte("cart-id=42")); !found || c.IsFirst || again.Issue {
		t.Errorf("second time: %+v, found %v, issue %v", c, found, again.Issue)
	}
	var fresh Decision
	p.Decide(&fresh, &fakeRequest{}, set, ring, &ConnState{}, testNow)
	if got := issuedBy(p, &fresh, set, ring, ""); got != model.TokenName(testScope) {
		t.Errorf("the next client gets its token in %q", got)
	}
}

func TestCollision_header(t *testing.T) {
	ring := newRing(t, 1)
	token := tokenFor(ring)
	generated := "L" + model.TokenName(testScope)[1:]
	for _, c := range []struct{ name, header, field, want string }{
		{"new client", "", "", "X-Session-Id"},
		{"app sets the header", "", "x-session-id: 42", generated},
		{"client sends a value of the app", "42", "", generated},
		{"token", token, "", ""},
		{"app replaces the token", token, "X-Session-ID: 42", generated},
		{"another header", "", "X-Session-Id2: 42", "X-Session-Id"},
	} {
		p, set := Compile(affinityOf(headerIssued)), newSet("a b c")
		var d Decision
		p.Decide(&d, &fakeRequest{header: c.header}, set, ring, &ConnState{}, testNow)
		if got := issuedBy(p, &d, set, ring, c.field); got != c.want {
			t.Errorf("%s: issued in %q, want %q", c.name, got, c.want)
		}
		for _, value := range []string{token, "42"} {
			for _, name := range []string{"X-Session-Id", generated} {
				if _, ok := p.ForwardHeader([]byte(name), []byte(value), ring); ok != (value == "42") {
					t.Errorf("%s: %s is forwarded: %v", name, value, ok)
				}
			}
		}
	}
}

// A foreign cookie of another controller is replaced by a token, as before.
func TestCollision_adoptedCookie(t *testing.T) {
	a := affinityOf(cookieMethod)
	a.Adopt = []model.Adopted{model.AdoptNGINX}
	p, set, ring := Compile(a), newSet("a b c"), newRing(t, 1)
	var d Decision
	p.Decide(&d, &fakeRequest{cookies: []string{"cart-id=0123456789abcdef0123456789abcdef"}}, set, ring, &ConnState{}, testNow)
	if got := issuedBy(p, &d, set, ring, ""); got != "cart-id" {
		t.Errorf("issued in %q", got)
	}
}

func TestGeneratedName(t *testing.T) {
	name := model.TokenName(testScope)
	for configured, want := range map[string]string{
		"JSESSIONID": name, name: name + "-2", "__Host-sid": "__Host-" + name, "__secure-sid": "__Secure-" + name,
	} {
		method := model.Method{Source: model.SourceCookie, Binding: model.BindingIssued, Cookie: &model.Cookie{Name: configured}}
		if got := Compile(affinityOf(method)).CookieNames(); !slices.Equal(got, []string{configured, want}) {
			t.Errorf("cookies %q, want %q and %q", got, configured, want)
		}
	}
}

func TestExpiresCookie(t *testing.T) {
	ring, generated := newRing(t, 1), model.TokenName(testScope)
	token := tokenFor(ring)
	for _, c := range []struct {
		cookie, field string
		want          []bool
	}{
		{"", "", []bool{true, false}},
		{"cart-id=" + token, "", []bool{true, false}},
		{"cart-id=42", "", []bool{false, false}},
		{"cart-id=42; " + generated + "=" + token, "", []bool{false, true}},
		{generated + "=" + token, "cart-id=42", []bool{false, true}},
	} {
		p := Compile(affinityOf(cookieMethod))
		p.FindCollision(&Decision{}, []byte("Set-Cookie"), []byte(c.field))
		for i, want := range c.want {
			if got := p.ExpiresCookie(i, &fakeRequest{cookies: []string{c.cookie}}, ring); got != want {
				t.Errorf("%+v: cookie %d expires: %v", c, i, got)
			}
		}
		if got, want := string(p.AppendExpiry(nil, 1, false)), fmt.Sprintf("%s=; Path=/;", generated); !strings.HasPrefix(got, want) {
			t.Errorf("expiry %q, want %q", got, want)
		}
	}
}
