package affinity

import (
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

func ptr[T any](v T) *T { return &v }

// The rules follow ingress-nginx.
func TestAppendToken_compatibleSameSite(t *testing.T) {
	const mac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_14_6) AppleWebKit/605.1.15 (KHTML, like Gecko) "
	method := cookieMethod
	method.Cookie = &model.Cookie{Name: "cart-id", SameSite: model.SameSiteNone, HTTPOnly: true, CompatibleSameSite: true}
	p, set, ring := Compile(affinityOf(method)), newSet("a b"), newRing(t, 1)
	for agent, want := range map[string]bool{
		"": true,
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36": true,
		"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/66.0.0.0 Safari/537.36":  false,
		"Mozilla/5.0 (iPhone; CPU iPhone OS 12_1 like Mac OS X)":                                                false,
		mac + "Version/12.1 Safari/605.1.15":                                                                    false,
		mac + "Chrome/80.0 Safari/605.1.15":                                                                     true,
		strings.Repeat("x", maxAgent) + " Chrome/66.0":                                                          true,
	} {
		var d Decision
		var state ConnState
		p.Decide(&d, &fakeRequest{agent: agent}, set, ring, &state, testNow)
		token := string(p.AppendToken(nil, &d, set, ring, &state, true))
		if got := strings.Contains(token, "SameSite=None"); got != want || !strings.Contains(token, "HttpOnly") {
			t.Errorf("%q: %s", agent, token)
		}
	}
}

func TestBalance_roundRobin(t *testing.T) {
	p, set := Balance(model.PickRoundRobin), newSet("a b c")
	used := map[int]int{}
	for range 9 {
		var d Decision
		p.Decide(&d, &fakeRequest{}, set, newRing(t, 1), &ConnState{}, testNow)
		used[d.Endpoint]++
		if d.Outcome != OutcomeNone {
			t.Fatalf("outcome %s", d.Outcome)
		}
	}
	if used[0] != 3 || used[1] != 3 || used[2] != 3 {
		t.Errorf("requests by endpoint: %v", used)
	}
}

// With AnyPart, a missing part is empty, and only a request without all of them is not recognized.
func TestComposite_anyPart(t *testing.T) {
	m := compositeMethod(cookiePart, queryPart)
	m.AnyPart = true
	p := Compile(affinityOf(m))
	key := func(cookie, query string) (uint64, bool) {
		return p.methods[0].hash(&fakeRequest{cookies: []string{cookie}, query: query}, &ConnState{})
	}
	both, _ := key("sid=1", "room=7")
	one, ok := key("sid=1", "")
	if !ok || one == both {
		t.Errorf("without the query: %v, %#x; with it: %#x", ok, one, both)
	}
	if other, ok := key("", "room=1"); !ok || other == one {
		t.Errorf("the value in another part has the same hash: %#x", other)
	}
	if _, ok := key("", ""); ok {
		t.Error("a request without any part is recognized")
	}
}
