package affinity

import (
	"bytes"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// wrappedBy lets endpoint at set a value and returns the value that the client receives.
func wrappedBy(p *Policy, set Set, ring *Keyring, at int, name, value string) string {
	d := Decision{Endpoint: at, Outcome: OutcomeNew, now: testNow}
	return string(p.BindResponse(nil, &d, []byte(name), []byte(value), set, ring, &ConnState{}))
}

func TestWrapped_header(t *testing.T) {
	p := Compile(affinityOf(ownMethod(model.SourceHeader, model.BindingWrapped)))
	set, ring := newSet("a b c | d"), newRing(t, 1)
	for at := range 4 {
		value := wrappedBy(p, set, ring, at, "x-session-id", "the apps own")
		if !strings.HasPrefix(value, "the apps own~") {
			t.Fatalf("client received %q", value)
		}
		var d Decision
		p.Decide(&d, &fakeRequest{header: value}, set, ring, &ConnState{}, testNow)
		if d.Endpoint != at || d.Outcome != OutcomeHit || d.Issue {
			t.Errorf("endpoint %d, %s; want %d, hit", d.Endpoint, d.Outcome, at)
		}
		if own, ok := p.ForwardHeader([]byte("X-Session-ID"), []byte(value), ring); !ok || string(own) != "the apps own" {
			t.Errorf("app received %q", own)
		}
	}
}

func TestWrapped_cookieAttributes(t *testing.T) {
	p := Compile(affinityOf(ownMethod(model.SourceCookie, model.BindingWrapped)))
	set, ring := newSet("a b c"), newRing(t, 1)
	for _, c := range []struct{ set, before, after, back string }{
		{"sid=abc; Path=/; HttpOnly", "sid=abc~", "; Path=/; HttpOnly", "abc"},
		{`sid="a b"; Path=/`, `sid="a b~`, `"; Path=/`, `"a b"`},
		{"sid=abc", "sid=abc~", "", "abc"},
	} {
		got := wrappedBy(p, set, ring, 1, "Set-Cookie", c.set)
		if !strings.HasPrefix(got, c.before) || !strings.HasSuffix(got, c.after) ||
			len(got) != len(c.before)+TokenLen+len(c.after) {
			t.Fatalf("%s becomes %s", c.set, got)
		}
		pair, _, _ := strings.Cut(got, ";")
		var d Decision
		p.Decide(&d, &fakeRequest{cookies: []string{pair}}, set, ring, &ConnState{}, testNow)
		if d.Endpoint != 1 || d.Outcome != OutcomeHit {
			t.Errorf("%s: endpoint %d, %s; want 1, hit", pair, d.Endpoint, d.Outcome)
		}
		field := AppendCookies(nil, []byte("x=1; "+pair+" ; y=2"), nil, p.WrappedCookies(), ring, new(int))
		if !strings.HasPrefix(string(field), "x=1; sid="+c.back) || strings.Contains(string(field), "~") {
			t.Errorf("app received %s", field)
		}
	}
	for _, other := range []string{"sid=; Max-Age=0", "other=abc", "sid", ""} {
		if got := wrappedBy(p, set, ring, 1, "Set-Cookie", other); got != "" {
			t.Errorf("%q becomes %q", other, got)
		}
	}
}

func TestWrapped_otherValue(t *testing.T) {
	p := Compile(affinityOf(ownMethod(model.SourceHeader, model.BindingWrapped)))
	set, ring := newSet("a b c"), newRing(t, 1)
	value := wrappedBy(p, set, ring, 1, "X-Session-Id", "mine")
	_, token := unwrap([]byte(value))
	for name, forged := range map[string]string{
		"on another value":  "yours~" + string(token),
		"by nobody":         "mine~" + strings.Repeat("A", TokenLen),
		"of another policy": "mine~" + string(ring.Seal(&ConnState{}, nil, &Token{Endpoint: set.Key(model.IdentityPod, 1), Scope: 1, Started: testNow, Renewed: testNow, Session: model.HashString("mine")})),
		"one bit flipped":   value[:len(value)-9] + string(value[len(value)-9]^1) + value[len(value)-8:],
	} {
		var d Decision
		p.Decide(&d, &fakeRequest{header: forged}, set, ring, &ConnState{}, testNow)
		if d.Outcome == OutcomeHit {
			t.Errorf("token %s accepted", name)
		}
		if own, _ := p.ForwardHeader([]byte("X-Session-Id"), []byte(forged), ring); bytes.Contains(own, []byte("~")) && !strings.Contains(name, "bit") {
			t.Errorf("token %s forwarded to the app: %s", name, own)
		}
	}
}

func TestWrapped_timeout(t *testing.T) {
	a := affinityOf(ownMethod(model.SourceHeader, model.BindingWrapped))
	limited(100, 0)(a)
	p, set, ring := Compile(a), newSet("a b c"), newRing(t, 1)
	value := wrappedBy(p, set, ring, 1, "X-Session-Id", "mine")
	var d Decision
	p.Decide(&d, &fakeRequest{header: value}, set, ring, &ConnState{}, testNow+99)
	if d.Outcome != OutcomeHit {
		t.Errorf("after 99 s of 100: %s", outcomeOf(&d))
	}
	again := string(p.BindResponse(nil, &d, []byte("X-Session-Id"), []byte("mine"), set, ring, &ConnState{}))
	p.Decide(&d, &fakeRequest{header: again}, set, ring, &ConnState{}, testNow+100)
	if outcomeOf(&d) != "moved/expired" {
		t.Errorf("value sent again after its expiry: %s", outcomeOf(&d))
	}
}

func TestWrapped_forgedToken(t *testing.T) {
	p, set, ring := Compile(affinityOf(ownMethod(model.SourceHeader, model.BindingWrapped))), newSet("a b c"), newRing(t, 1)
	for value, want := range map[string]string{"mine~" + strings.Repeat("A", TokenLen): "invalid", "mine": "new"} {
		var d Decision
		p.Decide(&d, &fakeRequest{header: value}, set, ring, &ConnState{}, testNow)
		if outcomeOf(&d) != want {
			t.Errorf("%.8s: %s, want %s", value, outcomeOf(&d), want)
		}
	}
}
