package affinity

import (
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// hashesToA and hashesToB are values that are placed on a and on b among a, b, c.
const (
	headerOnA, headerOnB = "h2", "h1"
	ipOnA                = "192.0.2.7"
)

func hashOf(text string) uint64 { return model.HashString(text) }

func TestDecide_hashedMethods(t *testing.T) {
	header := []model.Method{headerMethod}
	both := []model.Method{headerMethod, addressMethod}
	byHeader := decided{endpoint: "b", outcome: "hit", session: hashOf(headerOnB)}
	byAddress := decided{endpoint: "a", outcome: "hit", method: 1, session: model.Hash([]byte{192, 0, 2, 7})}
	byPick := decided{endpoint: "c", outcome: "new", method: none}
	for _, c := range []decideCase{
		{name: "header", methods: header, header: headerOnB, want: byHeader},
		{name: "no header", methods: header, want: byPick},
		{name: "header before address", methods: both, header: headerOnB, ip: ipOnA, want: byHeader},
		{name: "no header, then address", methods: both, ip: ipOnA, want: byAddress},
		{name: "no header and no address", methods: both, want: byPick},
		{name: "strict makes no difference", methods: header, change: strict, header: headerOnB, want: byHeader},
	} {
		c.run(t)
	}
}

func TestDecide_cookieBeforeHash(t *testing.T) {
	methods := []model.Method{cookieMethod, headerMethod}
	onA := hashOf(headerOnA)
	for _, c := range []decideCase{
		{name: "neither", want: decided{endpoint: "c", outcome: "new", method: none, session: anySession, issue: "cart-id"}},
		{
			name: "header only", header: headerOnA,
			want: decided{endpoint: "a", outcome: "new", method: 1, session: onA, issue: "cart-id"},
		},
		{
			name: "cookie decides against the header", header: headerOnA,
			cookies: []sealed{{name: "cart-id", endpoint: "b", session: 77}},
			want:    decided{endpoint: "b", outcome: "hit", session: 77},
		},
		{
			name: "junk and a header", header: headerOnA, cookies: []sealed{{name: "cart-id", text: "junk"}},
			want: decided{endpoint: "a", outcome: "invalid", method: 1, session: onA, issue: "cart-id"},
		},
		{
			name: "gone, with a header: the session goes on elsewhere", header: headerOnA,
			cookies: []sealed{{name: "cart-id", endpoint: "z", session: 77, bound: -50}},
			want:    decided{endpoint: "a", outcome: "moved/gone", session: 77, bound: -50, issue: "cart-id"},
		},
		{
			name: "expired, with a header: a new session", header: headerOnA, change: limited(600, 0),
			cookies: []sealed{{name: "cart-id", endpoint: "b", session: 77, bound: -600}},
			want:    decided{endpoint: "a", outcome: "moved/expired", method: 1, session: onA, issue: "cart-id"},
		},
		{
			name: "gone, with a header, strict", header: headerOnA, change: strict,
			cookies: []sealed{{name: "cart-id", endpoint: "z", session: 77}},
			want:    decided{outcome: "refused/gone", session: 77},
		},
	} {
		c.methods = methods
		c.run(t)
	}
}

func TestDecide_hashBeforeCookie(t *testing.T) {
	methods := []model.Method{headerMethod, cookieMethod}
	good := []sealed{{name: "cart-id", endpoint: "b", session: 77}}
	byHeader := decided{endpoint: "a", outcome: "hit", session: hashOf(headerOnA)}
	for _, c := range []decideCase{
		{name: "header", header: headerOnA, cookies: good, want: byHeader},
		{name: "cookie", cookies: good, want: decided{endpoint: "b", outcome: "hit", method: 1, session: 77}},
		{name: "neither", want: decided{endpoint: "c", outcome: "new", method: none, session: anySession, issue: "cart-id"}},
	} {
		c.methods = methods
		c.run(t)
	}
}

func TestDecide_firstOfTwoCookies(t *testing.T) {
	methods := []model.Method{cookieMethod, oldCookieMethod}
	old := func(endpoint string) sealed {
		return sealed{name: "old-id", endpoint: endpoint, session: 88, bound: -70}
	}
	junk := sealed{name: "cart-id", text: "junk"}
	lost := sealed{name: "cart-id", endpoint: "z", session: 77, bound: -50}
	over := sealed{name: "cart-id", endpoint: "a", session: 77, bound: -600}
	overToo := sealed{name: "old-id", endpoint: "a", session: 88, bound: -600}
	junkToo := sealed{name: "old-id", text: "junk"}
	fresh := decided{endpoint: "c", outcome: "new", method: none, session: anySession, issue: "cart-id"}
	taken := decided{endpoint: "b", outcome: "hit", method: 1, session: 88, bound: -70, issue: "cart-id"}
	moved := func(endpoint string) decided {
		return decided{endpoint: endpoint, outcome: "moved/gone", session: 77, bound: -50, issue: "cart-id"}
	}
	for _, c := range []decideCase{
		{name: "neither", want: fresh},
		{name: "the second", cookies: []sealed{old("b")}, want: taken},
		{name: "junk, the second", cookies: []sealed{junk, old("b")}, want: taken},
		{name: "expired, the second", cookies: []sealed{over, old("b")}, want: taken},
		{name: "gone, the second", cookies: []sealed{lost, old("b")}, want: moved("b")},
		{name: "gone, gone", cookies: []sealed{lost, old("y")}, want: moved("c")},
		{name: "gone, expired", cookies: []sealed{lost, overToo}, want: moved("c")},
		{name: "gone, junk", cookies: []sealed{lost, junkToo}, want: moved("c")},
	} {
		c.change = limited(600, 0)
		c.methods = methods
		c.run(t)
	}
}

func TestDecide_withoutAffinity(t *testing.T) {
	p, set := Compile(nil), newSet("a b c | d")
	var d Decision
	seen := map[int]bool{}
	for range 300 {
		p.Decide(&d, &fakeRequest{}, set, nil, &ConnState{}, testNow)
		seen[d.Endpoint] = true
		if outcomeOf(&d) != "none" || d.Issue || d.Session != 0 {
			t.Fatalf("decided %+v", d)
		}
	}
	if len(seen) != 3 || seen[3] {
		t.Errorf("endpoints %v were used, want the three ready ones", seen)
	}
	if len(p.CookieNames()) != 0 {
		t.Errorf("cookies %v", p.CookieNames())
	}
}

func TestDecide_emptySet(t *testing.T) {
	ring := newRing(t, 1)
	lost := cookieField(t, ring, []sealed{{name: "cart-id", endpoint: "z", session: 77}})
	for _, a := range []*model.Affinity{nil, affinityOf(cookieMethod), affinityOf(headerMethod, addressMethod)} {
		p := Compile(a)
		var d Decision
		p.Decide(&d, &fakeRequest{cookies: lost, header: "x", ip: ipOnA}, newSet(""), ring, &ConnState{}, testNow)
		if d.Endpoint != none || d.Issue {
			t.Errorf("%d methods: decided %+v", len(p.methods), d)
		}
		if at := p.Next(&d, &fakeRequest{}, newSet("")); at != none {
			t.Errorf("%d methods: next is %d", len(p.methods), at)
		}
	}
}

func TestDecide_podNameAcrossRestart(t *testing.T) {
	for identity, want := range map[model.Identity]string{model.IdentityPod: "moved/gone", model.IdentityPodName: "hit"} {
		a := affinityOf(cookieMethod)
		a.Identity = identity
		p, ring := Compile(a), newRing(t, 1)
		before := newSetOf([]string{"uid-1"}, []string{"cart-0"}, 1)
		after := newSetOf([]string{"uid-2"}, []string{"cart-0"}, 1)
		var d Decision
		var m ConnState
		p.Decide(&d, &fakeRequest{}, before, ring, &m, testNow)
		cookie := string(p.AppendToken(nil, &d, before, ring, &m, false)[:len("cart-id=")+TokenLen])
		p.Decide(&d, &fakeRequest{cookies: []string{cookie}}, after, ring, &m, testNow)
		if got := outcomeOf(&d); got != want {
			t.Errorf("%s: %s, want %s", identity, got, want)
		}
	}
}
