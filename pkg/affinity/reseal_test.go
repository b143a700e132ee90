package affinity

import (
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// An old key will be removed from the ring. A client whose token uses it receives a token with the first key.
func TestDecide_tokenOfOlderKey(t *testing.T) {
	before, after, last := newRing(t, 1), newRing(t, 2, 1), newRing(t, 2)
	p, set, m := Compile(affinityOf(cookieMethod)), newSet("a b c"), &ConnState{}
	req := &fakeRequest{cookies: cookieField(t, before, []sealed{{name: "cart-id", endpoint: "b", session: 77, bound: -600}})}
	for turn := range 2 { // the second turn finds the token in the ConnState
		var d Decision
		p.Decide(&d, req, set, after, m, testNow)
		if outcomeOf(&d) != "hit" || d.Endpoint != 1 || !d.Issue {
			t.Fatalf("turn %d: %s on %d, issue %v", turn, outcomeOf(&d), d.Endpoint, d.Issue)
		}
		if turn == 0 {
			continue
		}
		text := p.AppendToken(nil, &d, set, after, m, false)[len("cart-id="):][:TokenLen]
		var token Token
		want := Token{Endpoint: model.KeyOf("b"), Scope: model.ScopeOf(testScope), Started: testNow - 600, Renewed: testNow, Session: 77}
		if !last.Open(&ConnState{}, text, &token) || token != want {
			t.Errorf("the new token is %+v, want %+v by the new key alone", token, want)
		}
		req.cookies = []string{"cart-id=" + string(text)}
	}
	var d Decision
	p.Decide(&d, req, set, after, m, testNow)
	if outcomeOf(&d) != "hit" || d.Issue {
		t.Errorf("by the first key: %s, issue %v", outcomeOf(&d), d.Issue)
	}
}

// Load balancers pool connections. One connection carries tokens of several clients, sealed with old and new keys.
func TestDecide_olderKeysOnOneConnection(t *testing.T) {
	before, after := newRing(t, 1), newRing(t, 2, 1)
	p, set, m := Compile(affinityOf(cookieMethod)), newSet("a b c"), &ConnState{}
	old := &fakeRequest{cookies: cookieField(t, before, []sealed{{name: "cart-id", endpoint: "a", session: 1}})}
	renewed := &fakeRequest{cookies: cookieField(t, after, []sealed{{name: "cart-id", endpoint: "b", session: 2}})}
	for range 3 {
		for req, issues := range map[*fakeRequest]bool{old: true, renewed: false} {
			var d Decision
			if p.Decide(&d, req, set, after, m, testNow); d.Outcome != OutcomeHit || d.Issue != issues {
				t.Fatalf("session %d: %s, issue %v", d.Session, outcomeOf(&d), d.Issue)
			}
		}
	}
}
