package affinity

import (
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

func TestDecide_timeouts(t *testing.T) {
	hit := decided{endpoint: "b", outcome: "hit", session: 77}
	over := decided{endpoint: "c", outcome: "moved/expired", method: none, session: anySession, issue: "cart-id"}
	renewed := func(bound int64) decided {
		return decided{endpoint: "b", outcome: "hit", session: 77, bound: bound, issue: "cart-id"}
	}
	for _, c := range []struct {
		name           string
		absolute, idle int64
		bound, renewed int64 // seconds relative to now
		want           decided
	}{
		{"no limits, long ago", 0, 0, -1 << 30, -1 << 30, hit},
		{"absolute, last second", 600, 0, -599, -599, hit},
		{"absolute, end", 600, 0, -600, -1, over},
		{"idle, just sealed", 0, 100, 0, 0, hit},
		{"idle, before the half", 0, 100, -49, -49, hit},
		{"idle, at the half", 0, 100, -50, -50, renewed(-50)},
		{"idle, last second", 0, 100, -5000, -99, renewed(-5000)},
		{"idle, end", 0, 100, -5000, -100, over},
		{"idle of an odd length, before the half", 0, 5, -2, -2, hit},
		{"idle of an odd length, after the half", 0, 5, -3, -3, renewed(-3)},
		{"both, absolute ends first", 600, 100, -600, -10, over},
		{"both, renewal near the absolute end", 600, 100, -590, -60, renewed(-590)},
		{"a clock ahead by five minutes", 600, 100, 300, 300, hit},
		{"bound later than that", 600, 0, 301, 0, over},
		{"renewed later than that, without limits", 0, 0, 0, 301, over},
	} {
		run := decideCase{
			name: c.name, methods: []model.Method{cookieMethod}, change: limited(c.absolute, c.idle),
			cookies: []sealed{{name: "cart-id", endpoint: "b", session: 77, bound: c.bound, renewed: c.renewed}},
			want:    c.want,
		}
		run.run(t)
	}
}

func TestDecide_expiredIsNotRefused(t *testing.T) {
	c := decideCase{
		name: "strict, over and gone", methods: []model.Method{cookieMethod},
		change:  func(a *model.Affinity) { strict(a); limited(600, 0)(a) },
		cookies: []sealed{{name: "cart-id", endpoint: "z", session: 77, bound: -600}},
		want:    decided{endpoint: "c", outcome: "moved/expired", method: none, session: anySession, issue: "cart-id"},
	}
	c.run(t)
}

func TestCompile_subsecondTimeout(t *testing.T) {
	a := affinityOf(cookieMethod)
	a.IdleTimeout = 1
	a.AbsoluteTimeout = timeOf(2) + 1
	if p := Compile(a); p.idleTimeout != 1 || p.absoluteTimeout != 3 {
		t.Errorf("1 ns became %d s, 2 s and 1 ns became %d s; want 1 and 3", p.idleTimeout, p.absoluteTimeout)
	}
}

// A client that sends a request every 40 s keeps its session under an idle timeout of 60 s.
func TestDecide_absoluteTimeout(t *testing.T) {
	a := affinityOf(cookieMethod)
	a.AbsoluteTimeout, a.IdleTimeout = timeOf(400), timeOf(60)
	p, set, ring := Compile(a), newSet("a b c"), newRing(t, 1)
	var d Decision
	var m ConnState
	req := &fakeRequest{}
	step := func(now int64) string {
		p.Decide(&d, req, set, ring, &m, testNow+now)
		if d.Issue {
			req.cookies = []string{string(p.AppendToken(nil, &d, set, ring, &m, false)[:len("cart-id=")+TokenLen])}
		}
		return outcomeOf(&d)
	}
	if got := step(0); got != "new" {
		t.Fatalf("the first request: %s", got)
	}
	current, session := d.Endpoint, d.Session
	for now := int64(40); now < 400; now += 40 {
		if got := step(now); got != "hit" || d.Endpoint != current || d.Session != session {
			t.Fatalf("after %d s: %s, endpoint %d, session %d", now, got, d.Endpoint, d.Session)
		}
	}
	if got := step(400); got != "moved/expired" || d.Session == session {
		t.Errorf("at the absolute end: %s, session %d", got, d.Session)
	}
}
