package affinity

import (
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// nextCase makes a decision and then lets the given number of endpoints fail. The endpoints are a, b, c and d. The
// pick selects c, then b, and d is draining.
type nextCase struct {
	name    string
	methods []model.Method
	change  func(*model.Affinity)
	cookies []sealed
	header  string
	fail    int
	want    decided
}

func (c *nextCase) run(t *testing.T) {
	t.Helper()
	set := newSet("a b c | d")
	set.requests = []int64{2, 1, 0, 0}
	ring := newRing(t, 1)
	a := affinityOf(c.methods...)
	if c.change != nil {
		c.change(a)
	}
	p := Compile(a)
	req := &fakeRequest{cookies: cookieField(t, ring, c.cookies), header: c.header}
	var d Decision
	p.Decide(&d, req, set, ring, &ConnState{}, testNow)
	for range c.fail {
		if at := p.Next(&d, req, set); at != d.Endpoint {
			t.Errorf("%s: Next returned %d and set %d", c.name, at, d.Endpoint)
		}
	}
	check(t, c.name, p, &d, set, c.want)
}

func TestNext_sessionMoves(t *testing.T) {
	cookie := []model.Method{cookieMethod}
	onA := []sealed{{name: "cart-id", endpoint: "a", session: 77, bound: -50, renewed: -50}}
	onD := []sealed{{name: "cart-id", endpoint: "d", session: 77, bound: -50}}
	moved := func(endpoint string) decided {
		return decided{endpoint: endpoint, outcome: "moved/failed", session: 77, bound: -50, issue: "cart-id"}
	}
	nobody := decided{outcome: "moved/failed", session: 77}
	lost := []sealed{{name: "cart-id", endpoint: "z", session: 77, bound: -50}}
	for _, c := range []nextCase{
		{name: "one fails", cookies: onA, fail: 1, want: moved("c")},
		{name: "two fail", cookies: onA, fail: 2, want: moved("b")},
		{name: "its own was draining", cookies: onD, fail: 1, want: moved("c")},
		{name: "all fail: no token is issued", cookies: onA, fail: 3, want: nobody},
		{name: "asked once more", cookies: onA, fail: 5, want: nobody},
		{
			name: "failed sessions stay", change: keepFailed, cookies: onA, fail: 2,
			want: decided{outcome: "hit", session: 77},
		},
		{name: "strict", change: strict, cookies: onA, fail: 1, want: decided{outcome: "refused/failed", session: 77}},
		{name: "a renewal was due", change: limited(0, 90), cookies: onA, fail: 1, want: moved("c")},
		{
			name: "gone, and the next one fails", cookies: lost, fail: 1,
			want: decided{endpoint: "b", outcome: "moved/gone", session: 77, bound: -50, issue: "cart-id"},
		},
	} {
		c.methods = cookie
		c.run(t)
	}
}

func TestNext_newClient(t *testing.T) {
	for _, change := range []func(*model.Affinity){nil, strict} {
		for _, c := range []nextCase{
			{
				name: "new", fail: 1,
				want: decided{endpoint: "b", outcome: "new", method: none, session: anySession, issue: "cart-id"},
			},
			{
				name: "invalid", cookies: []sealed{{name: "cart-id", text: "junk"}}, fail: 1,
				want: decided{endpoint: "b", outcome: "invalid", method: none, session: anySession, issue: "cart-id"},
			},
			{name: "all fail", fail: 3, want: decided{outcome: "new", method: none, session: anySession}},
		} {
			c.methods, c.change = []model.Method{cookieMethod}, change
			c.run(t)
		}
	}
}

func TestNext_hashedSession(t *testing.T) {
	// The value ranks b, c, a.
	cookieFirst := []model.Method{cookieMethod, headerMethod}
	onC := []sealed{{name: "cart-id", endpoint: "c", session: 77, bound: -50}}
	for _, c := range []nextCase{
		{name: "one fails", methods: []model.Method{headerMethod}, header: headerOnB, fail: 1,
			want: decided{endpoint: "c", outcome: "moved/failed", session: hashOf(headerOnB)}},
		{name: "two fail", methods: []model.Method{headerMethod}, header: headerOnB, fail: 2,
			want: decided{endpoint: "a", outcome: "moved/failed", session: hashOf(headerOnB)}},
		{name: "strict", methods: []model.Method{headerMethod}, change: strict, header: headerOnB, fail: 1,
			want: decided{outcome: "refused/failed", session: hashOf(headerOnB)}},
		{name: "a new client", methods: cookieFirst, header: headerOnB, fail: 1,
			want: decided{endpoint: "c", outcome: "new", method: 1, session: hashOf(headerOnB), issue: "cart-id"}},
		{name: "a token, and a header to go by", methods: cookieFirst, cookies: onC, header: headerOnB, fail: 1,
			want: decided{endpoint: "b", outcome: "moved/failed", session: 77, bound: -50, issue: "cart-id"}},
	} {
		c.run(t)
	}
}

func TestNext_withoutAffinity(t *testing.T) {
	p, set := Compile(nil), newSet("a b c")
	var d Decision
	p.Decide(&d, &fakeRequest{}, set, nil, &ConnState{}, testNow)
	seen := map[int]bool{d.Endpoint: true}
	for range 2 {
		seen[p.Next(&d, &fakeRequest{}, set)] = true
	}
	if len(seen) != 3 || seen[none] || outcomeOf(&d) != "none" {
		t.Errorf("three attempts reached %v, %s", seen, outcomeOf(&d))
	}
	if at := p.Next(&d, &fakeRequest{}, set); at != none {
		t.Errorf("the fourth attempt reached %d", at)
	}
}

func TestNext_maxTried(t *testing.T) {
	p, set := Compile(nil), newSet("a b c d e f g h i j k l")
	var d Decision
	p.Decide(&d, &fakeRequest{}, set, nil, &ConnState{}, testNow)
	offered := 0
	for at := d.Endpoint; at != none; at = p.Next(&d, &fakeRequest{}, set) {
		offered++
	}
	if offered != maxTried {
		t.Errorf("%d endpoints tried, want %d", offered, maxTried)
	}
}

func TestNext_tokenNamesEndpoint(t *testing.T) {
	p, set, ring := Compile(affinityOf(cookieMethod)), newSet("a b c"), newRing(t, 1)
	set.requests = []int64{0, 1, 2}
	var d Decision
	p.Decide(&d, &fakeRequest{}, set, ring, &ConnState{}, testNow)
	p.Next(&d, &fakeRequest{}, set)
	value := p.AppendToken(nil, &d, set, ring, &ConnState{}, false)
	var token Token
	if !ring.Open(&ConnState{}, value[len("cart-id="):][:TokenLen], &token) || token.Endpoint != model.KeyOf("b") {
		t.Errorf("the token names %x, want endpoint b", token.Endpoint)
	}
	if token != d.Token {
		t.Errorf("the token is %+v, the decision has %+v", token, d.Token)
	}
}
