package affinity

import (
	"slices"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

func TestExplain_findings(t *testing.T) {
	set := newSet("a b c | d")
	set.requests = []int64{2, 2, 0, 0}
	ring := newRing(t, 1)
	for _, c := range []struct {
		name    string
		methods []model.Method
		change  func(*model.Affinity)
		cookies []sealed
		header  string
		want    string // for each finding: source, name, result, endpoint
		outcome string
	}{
		{"a new client", []model.Method{cookieMethod}, nil, nil, "", "Cookie.cart-id.absent.", "new c"},
		{
			"a token", []model.Method{cookieMethod, headerMethod}, nil, []sealed{{name: "cart-id", endpoint: "b"}}, "x",
			"Cookie.cart-id.alive.b", "hit b",
		},
		{
			"of two cookies the second", []model.Method{cookieMethod}, nil,
			[]sealed{{name: "cart-id", text: "junk"}, {name: "cart-id", endpoint: "b"}}, "",
			"Cookie.cart-id.foreign. Cookie.cart-id.alive.b", "hit b",
		},
		{
			"an expired token", []model.Method{cookieMethod}, limited(10, 0),
			[]sealed{{name: "cart-id", endpoint: "b", bound: -50}}, "", "Cookie.cart-id.expired.", "moved/expired c",
		},
		{
			"a token of a pod that is gone", []model.Method{cookieMethod}, nil, []sealed{{name: "cart-id", endpoint: "z"}}, "",
			"Cookie.cart-id.gone.", "moved/gone c",
		},
		{
			"no cookie, then a header", []model.Method{oldCookieMethod, headerMethod}, nil, nil, "x",
			"Cookie.old-id.absent. Header.X-Session-Id.hashed.?", "new ?",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := affinityOf(c.methods...)
			if c.change != nil {
				c.change(a)
			}
			p := Compile(a)
			req := &fakeRequest{cookies: cookieField(t, ring, c.cookies), header: c.header}
			var d, decided Decision
			findings := p.Explain(&d, req, set, ring, &ConnState{}, testNow)
			p.Decide(&decided, req, set, ring, &ConnState{}, testNow)
			if d.Endpoint != decided.Endpoint || outcomeOf(&d) != outcomeOf(&decided) {
				t.Errorf("explained %s %d, decided %s %d", outcomeOf(&d), d.Endpoint, outcomeOf(&decided), decided.Endpoint)
			}
			var words []string
			for _, f := range findings {
				at := set.name(f.Endpoint)
				if f.Result == ResultHashed {
					at = "?"
				}
				words = append(words, strings.Join([]string{string(f.Source), f.Name, string(f.Result), at}, "."))
			}
			if got := strings.Join(words, " "); got != c.want {
				t.Errorf("findings:\n got %s\nwant %s", got, c.want)
			}
			if got := outcomeOf(&d) + " " + set.name(d.Endpoint); !strings.HasSuffix(c.outcome, "?") && got != c.outcome {
				t.Errorf("got %s, want %s", got, c.outcome)
			}
		})
	}
}

func TestExplain_adopted(t *testing.T) {
	set := adoptionSet()
	p := adopting(model.AdoptNGINX)
	value := md5Hex(set.ids[0])
	var d Decision
	req := &fakeRequest{cookies: []string{"cart-id=" + value}}
	findings := p.Explain(&d, req, set, newRing(t, 1), &ConnState{}, testNow)
	adopted := func(f Finding) bool { return f.Result == ResultAdopted && f.Value == value && f.Endpoint == d.Endpoint }
	if d.Endpoint == none || !slices.ContainsFunc(findings, adopted) {
		t.Errorf("endpoint %d, findings %+v", d.Endpoint, findings)
	}
}

func TestExplain_changesNothing(t *testing.T) {
	set := newSet("a b")
	set.sessions = []int64{100, 0}
	ring := newRing(t, 1)
	a := affinityOf(cookieMethod)
	a.Rebalance.AfterIdle, a.Rebalance.MaxPerMinute, a.Pick = timeOf(10), 1, model.PickRoundRobin
	p := Compile(a)
	idle := &fakeRequest{cookies: cookieField(t, ring, []sealed{{name: "cart-id", endpoint: "a", renewed: -1000}})}
	for range 3 {
		var d Decision
		p.Explain(&d, idle, set, ring, &ConnState{}, testNow)
		if set.name(d.Endpoint) != "b" || outcomeOf(&d) != "moved/rebalanced" {
			t.Errorf("got %s %s", outcomeOf(&d), set.name(d.Endpoint))
		}
		p.Explain(&d, &fakeRequest{}, set, ring, &ConnState{}, testNow)
	}
	if set.moves != 0 || set.turn != 0 {
		t.Errorf("%d moves and %d turns counted", set.moves, set.turn)
	}
}
