package affinity

import (
	"slices"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

func TestPolicy_cookieNames(t *testing.T) {
	p := Compile(affinityOf(cookieMethod, headerMethod, oldCookieMethod, addressMethod))
	if got := p.CookieNames(); !slices.Equal(got, []string{"cart-id", model.TokenName(testScope), "old-id"}) {
		t.Errorf("cookies %v, want cart-id, old-id and the generated name", got)
	}
}

func TestPolicy_refusal(t *testing.T) {
	a := affinityOf(cookieMethod)
	a.Unavailable = model.Unavailable{Action: model.UnavailableFail, Status: 410, RetryAfter: 1500 * time.Millisecond}
	if status, after := Compile(a).Refusal(); status != 410 || after != 2 {
		t.Errorf("status %d after %d s, want 410 after 2 s", status, after)
	}
}

func TestCompile_unsupportedMethod(t *testing.T) {
	unknown := headerMethod
	unknown.Binding = "Taught"
	p, set := Compile(affinityOf(unknown, addressMethod)), newSet("a b c")
	var d Decision
	p.Decide(&d, &fakeRequest{header: headerOnB, ip: ipOnA}, set, newRing(t, 1), &ConnState{}, testNow)
	if set.name(d.Endpoint) != "a" || outcomeOf(&d) != "hit" {
		t.Errorf("endpoint %q, %s; want a by the address", set.name(d.Endpoint), outcomeOf(&d))
	}
}

func TestValueReader_singleValue(t *testing.T) {
	req := &fakeRequest{header: "x", ip: "192.0.2.1"}
	for _, m := range []method{
		{source: sourceHeader, name: "X-Session-Id"},
		{source: sourceAddress, bits4: 32, bits6: 64},
	} {
		v := valueReader{method: &m, req: req, state: &ConnState{}}
		if first, second := v.next(), v.next(); first == nil || second != nil {
			t.Errorf("source %d returned %q, then %q", m.source, first, second)
		}
	}
}

func TestNetwork_invalid(t *testing.T) {
	m := method{source: sourceAddress, bits4: 33, bits6: 64}
	if _, ok := m.hash(&fakeRequest{ip: "192.0.2.1"}, &ConnState{}); ok {
		t.Error("IPv4 network with a prefix length of 33")
	}
	if _, ok := m.hash(&fakeRequest{}, &ConnState{}); ok {
		t.Error("network of an invalid address")
	}
}
