package affinity

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

func timeOf(seconds int64) time.Duration { return time.Duration(seconds) * time.Second }

// testNow is the current time in tests that do not depend on it.
const testNow = int64(1_795_000_000)

// sealed describes the value of a cookie: a token for an endpoint of testScope, or text if it is not empty.
type sealed struct {
	name, text     string
	endpoint       string
	scope          string
	bound, renewed int64 // seconds relative to testNow
	session        uint64
}

func (s sealed) pair(t *testing.T, ring *Keyring) string {
	t.Helper()
	if s.endpoint == "" {
		return s.name + "=" + s.text
	}
	token := Token{
		Endpoint: model.KeyOf(s.endpoint), Scope: model.ScopeOf(testScope),
		Started: testNow + s.bound, Renewed: testNow + s.renewed, Session: s.session,
	}
	if s.scope != "" {
		token.Scope = model.ScopeOf(s.scope)
	}
	return string(ring.Seal(&ConnState{}, []byte(s.name+"="), &token))
}

func cookieField(t *testing.T, ring *Keyring, cookies []sealed) []string {
	t.Helper()
	if len(cookies) == 0 {
		return nil
	}
	var pairs []string
	for _, c := range cookies {
		pairs = append(pairs, c.pair(t, ring))
	}
	return []string{strings.Join(pairs, "; ")}
}

// anySession matches a session that is drawn at random.
const anySession = 1

// decided contains the checked fields of a Decision.
type decided struct {
	endpoint string
	outcome  string // followed by "/" and the reason, if there is a reason
	method   int
	session  uint64
	bound    int64  // Started of the token to issue, in seconds relative to testNow
	issue    string // name of the cookie, empty if no token is issued
}

func outcomeOf(d *Decision) string {
	if d.Reason == ReasonNone {
		return d.Outcome.String()
	}
	return d.Outcome.String() + "/" + d.Reason.String()
}

func check(t *testing.T, name string, p *Policy, d *Decision, set *fakeSet, want decided) {
	t.Helper()
	got := decided{endpoint: set.name(d.Endpoint), outcome: outcomeOf(d), method: d.Method, session: d.Session}
	if d.Session != 0 && want.session == anySession {
		got.session = anySession
	}
	if d.Issue {
		got.issue, got.bound = p.methods[d.issuingMethod].name, d.Token.Started-testNow
		if d.Token.Session != d.Session || d.Token.Scope != p.scope || d.Token.Renewed != testNow {
			t.Errorf("%s: the token to issue is %+v", name, d.Token)
		}
	}
	if got != want {
		t.Errorf("%s:\n got %+v\nwant %+v", name, got, want)
	}
}

// decideCase has the endpoints a, b, c and d. The pick selects c, and d is draining.
type decideCase struct {
	name    string
	methods []model.Method
	change  func(*model.Affinity)
	cookies []sealed
	header  string
	ip      string
	want    decided
}

func (c *decideCase) run(t *testing.T) {
	t.Helper()
	set := newSet("a b c | d")
	set.requests = []int64{2, 2, 0, 0}
	ring := newRing(t, 1)
	a := affinityOf(c.methods...)
	if c.change != nil {
		c.change(a)
	}
	p := Compile(a)
	req := &fakeRequest{cookies: cookieField(t, ring, c.cookies), header: c.header, ip: c.ip}
	var d Decision
	p.Decide(&d, req, set, ring, &ConnState{}, testNow)
	check(t, c.name, p, &d, set, c.want)
}

func strict(a *model.Affinity)      { a.Unavailable.Action = model.UnavailableFail }
func keepFailed(a *model.Affinity)  { a.KeepFailed = true }
func dropDrained(a *model.Affinity) { a.KeepDraining = false }

func limited(absolute, idle int64) func(*model.Affinity) {
	return func(a *model.Affinity) { a.AbsoluteTimeout, a.IdleTimeout = timeOf(absolute), timeOf(idle) }
}

func TestDecide_cookie(t *testing.T) {
	methods := []model.Method{cookieMethod}
	fresh := decided{endpoint: "c", outcome: "new", method: none, session: anySession, issue: "cart-id"}
	invalid := decided{endpoint: "c", outcome: "invalid", method: none, session: anySession, issue: "cart-id"}
	hit := func(endpoint string) decided { return decided{endpoint: endpoint, outcome: "hit", session: 77} }
	foreign := []sealed{{name: "cart-id", endpoint: "a", scope: "shop/other:80"}}
	onB := []sealed{{name: "cart-id", endpoint: "b", session: 77}}
	onD := []sealed{{name: "cart-id", endpoint: "d", session: 77}}
	for _, c := range []decideCase{
		{name: "no cookie", want: fresh},
		{name: "an empty one", cookies: []sealed{{name: "cart-id"}}, want: fresh},
		{name: "another name", cookies: []sealed{{name: "x", endpoint: "a"}}, want: fresh},
		{name: "junk", cookies: []sealed{{name: "cart-id", text: "junk"}}, want: invalid},
		{name: "of another backend", cookies: foreign, want: invalid},
		{name: "good", cookies: onB, want: hit("b")},
		{name: "draining", cookies: onD, want: hit("d")},
		{name: "draining, strict", change: strict, cookies: onD, want: hit("d")},
		{
			name: "draining, and not to keep sessions", change: dropDrained,
			cookies: []sealed{{name: "cart-id", endpoint: "d", session: 77, bound: -50}},
			want:    decided{endpoint: "c", outcome: "moved/gone", session: 77, bound: -50, issue: "cart-id"},
		},
		{
			name: "gone", cookies: []sealed{{name: "cart-id", endpoint: "z", session: 77, bound: -50}},
			want: decided{endpoint: "c", outcome: "moved/gone", session: 77, bound: -50, issue: "cart-id"},
		},
		{
			name: "gone, strict", change: strict, cookies: []sealed{{name: "cart-id", endpoint: "z", session: 77}},
			want: decided{outcome: "refused/gone", session: 77},
		},
	} {
		c.methods = methods
		c.run(t)
	}
}

func TestDecide_severalCookiesOfOneName(t *testing.T) {
	junk := sealed{name: "cart-id", text: "junk"}
	foreign := sealed{name: "cart-id", endpoint: "a", scope: "shop/other:80"}
	over := sealed{name: "cart-id", endpoint: "a", bound: -600, session: 66}
	lost := sealed{name: "cart-id", endpoint: "z", session: 77, bound: -50}
	good := sealed{name: "cart-id", endpoint: "b", session: 88}
	hit := decided{endpoint: "b", outcome: "hit", session: 88}
	moved := decided{endpoint: "c", outcome: "moved/gone", session: 77, bound: -50, issue: "cart-id"}
	ended := decided{endpoint: "c", outcome: "moved/expired", method: none, session: anySession, issue: "cart-id"}
	for _, c := range []decideCase{
		{name: "junk, foreign, good", cookies: []sealed{junk, foreign, good}, want: hit},
		{name: "lost, good", cookies: []sealed{lost, good}, want: hit},
		{name: "over, good", cookies: []sealed{over, good}, want: hit},
		{name: "lost, other lost", cookies: []sealed{lost, {name: "cart-id", endpoint: "y"}}, want: moved},
		{name: "good, other good", cookies: []sealed{good, {name: "cart-id", endpoint: "a"}}, want: hit},
		{name: "over, lost, junk", cookies: []sealed{over, lost, junk}, want: moved},
		{name: "lost, over", cookies: []sealed{lost, over}, want: moved},
		{name: "junk, over, foreign", cookies: []sealed{junk, over, foreign}, want: ended},
		{name: "seven of junk, good", cookies: []sealed{junk, junk, junk, junk, junk, junk, junk, good}, want: hit},
		{name: "180 of junk, good", cookies: append(slices.Repeat([]sealed{junk}, 180), good), want: hit},
		{name: "180 of another backend, good", cookies: append(slices.Repeat([]sealed{foreign}, 180), good), want: hit},
		{
			name:    "too many of another backend, good",
			cookies: append(slices.Repeat([]sealed{foreign}, maxOpened), good),
			want:    decided{endpoint: "c", outcome: "invalid", method: none, session: anySession, issue: "cart-id"},
		},
		{
			name:    "good too late",
			cookies: append(slices.Repeat([]sealed{junk}, maxPairs), good),
			want:    decided{endpoint: "c", outcome: "invalid", method: none, session: anySession, issue: "cart-id"},
		},
	} {
		c.methods, c.change = []model.Method{cookieMethod}, limited(600, 0)
		c.run(t)
	}
}
