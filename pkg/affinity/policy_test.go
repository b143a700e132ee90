package affinity

import (
	"slices"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

func TestAPolicyNamesItsCookies(t *testing.T) {
	p := Compile(affinityOf(cookieMethod, headerMethod, oldCookieMethod, addressMethod))
	if got := p.CookieNames(); !slices.Equal(got, []string{"cart-id", "old-id"}) {
		t.Errorf("cookies %v, want cart-id and old-id", got)
	}
}

func TestARefusalHasAStatusAndWholeSeconds(t *testing.T) {
	a := affinityOf(cookieMethod)
	a.Unavailable = model.Unavailable{Action: model.UnavailableFail, Status: 410, RetryAfter: 1500 * time.Millisecond}
	if status, after := Compile(a).Refusal(); status != 410 || after != 2 {
		t.Errorf("status %d after %d s, want 410 after 2 s", status, after)
	}
}

func TestAMethodThatIsNotBuiltRecognisesNobody(t *testing.T) {
	unknown := headerMethod
	unknown.Binding = "Taught"
	p, set := Compile(affinityOf(unknown, addressMethod)), newSet("a b c")
	var d Decision
	p.Decide(&d, &fakeRequest{header: headerOnB, ip: ipOnA}, set, newRing(t, 1), &ConnState{}, testNow)
	if set.name(d.Endpoint) != "a" || outcomeOf(&d) != "hit" {
		t.Errorf("endpoint %q, %s; want a by the address", set.name(d.Endpoint), outcomeOf(&d))
	}
}

func TestHeadersAndAddressesHaveOneValue(t *testing.T) {
	req := &fakeRequest{header: "x", ip: "192.0.2.1"}
	for _, m := range []method{
		{source: sourceHeader, name: "X-Session-Id"},
		{source: sourceAddress, bits4: 32, bits6: 64},
	} {
		v := valueReader{method: &m, req: req, state: &ConnState{}}
		if first, second := v.next(), v.next(); first == nil || second != nil {
			t.Errorf("source %d gives %q, then %q", m.source, first, second)
		}
	}
}

func TestAnAddressWithoutANetworkRecognisesNobody(t *testing.T) {
	m := method{source: sourceAddress, bits4: 33, bits6: 64}
	if _, ok := m.hash(&fakeRequest{ip: "192.0.2.1"}, &ConnState{}); ok {
		t.Error("a prefix length of 33 gives a network of IPv4")
	}
	if _, ok := m.hash(&fakeRequest{}, &ConnState{}); ok {
		t.Error("no address gives a network")
	}
}
