package affinity

import (
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

func exempting(a *model.Affinity) {
	a.Exempt = &model.Exempt{
		Methods: []string{"OPTIONS"}, Paths: []string{"/static", "/assets/"}, UserAgents: []string{"Bot"},
	}
}

func TestExempt_noAffinity(t *testing.T) {
	a := affinityOf(cookieMethod, headerMethod)
	exempting(a)
	p, set, ring := Compile(a), newSet("a b c"), newRing(t, 1)
	for _, c := range []struct {
		req    fakeRequest
		exempt bool
	}{
		{fakeRequest{method: "OPTIONS", path: "/"}, true},
		{fakeRequest{method: "GET", path: "/"}, false},
		{fakeRequest{method: "options", path: "/"}, false},
		{fakeRequest{path: "/static"}, true},
		{fakeRequest{path: "/static/a"}, true},
		{fakeRequest{path: "/statics"}, false},
		{fakeRequest{path: "/assets"}, true},
		{fakeRequest{path: "/stat"}, false},
		{fakeRequest{path: "/", agent: "Mozilla/5.0 (compatible; GoogleBOT/2.1)"}, true},
		{fakeRequest{path: "/", agent: "Bo"}, false},
		{fakeRequest{path: "/static", header: "x"}, true},
	} {
		var d Decision
		p.Decide(&d, &c.req, set, ring, &ConnState{}, testNow)
		if got := d.Outcome == OutcomeNone; got != c.exempt || d.Issue == c.exempt || d.Endpoint == none {
			t.Errorf("%+v: %s, issue %v, endpoint %d; exempt: want %v", c.req, d.Outcome, d.Issue, d.Endpoint, c.exempt)
		}
	}
}

// Exempt requests have no session. A pick by session count would send all of them to one endpoint.
func TestExempt_pickByActiveRequests(t *testing.T) {
	a := affinityOf(headerMethod)
	exempting(a)
	a.Pick = model.PickLeastSessions
	p, set := Compile(a), newSet("a b c")
	set.sessions = []int64{0, 9, 9}
	used := map[int]int{}
	for range 300 {
		var d Decision
		p.Decide(&d, &fakeRequest{path: "/static", header: "x"}, set, nil, &ConnState{}, testNow)
		used[d.Endpoint]++
		if at := p.Next(&d, &fakeRequest{path: "/static", header: "x"}, set); at == none {
			t.Fatal("Next returned no other endpoint")
		}
		used[d.Endpoint]++
	}
	for i := range 3 {
		if used[i] < 100 {
			t.Errorf("endpoint %d was used %d times of 600", i, used[i])
		}
	}
}

var headerIssued = model.Method{
	Source: model.SourceHeader, Binding: model.BindingIssued, Header: &model.Header{Name: "X-Session-Id"},
}

func TestDecide_tokenInHeader(t *testing.T) {
	p, set, ring := Compile(affinityOf(headerIssued)), newSet("a b c"), newRing(t, 1)
	set.requests = []int64{1, 0, 1}
	var d Decision
	var m ConnState
	p.Decide(&d, &fakeRequest{}, set, ring, &m, testNow)
	if !d.Issue || string(p.TokenHeader(&d)) != "X-Session-Id" {
		t.Fatalf("issued %v in header %q", d.Issue, p.TokenHeader(&d))
	}
	token := string(p.AppendToken(nil, &d, set, ring, &m, true))
	set.requests = []int64{0, 1, 0}
	p.Decide(&d, &fakeRequest{header: token}, set, ring, &m, testNow)
	if d.Endpoint != 1 || d.Outcome != OutcomeHit || d.Issue {
		t.Errorf("endpoint %d, %s, issue %v; want 1, hit, no token", d.Endpoint, d.Outcome, d.Issue)
	}
	if _, ok := p.ForwardHeader([]byte("x-session-ID"), []byte(token), ring); ok {
		t.Error("token forwarded to the app")
	}
}

func TestMovedHeader(t *testing.T) {
	ring := newRing(t, 1)
	a := affinityOf(cookieMethod)
	a.MovedHeader = "X-Moved"
	p := Compile(a)
	if _, ok := p.ForwardHeader([]byte("x-moved"), []byte("gone"), ring); ok {
		t.Error("the client's moved header was forwarded")
	}
	if value, ok := p.ForwardHeader([]byte("X-Other"), []byte("1"), ring); !ok || string(value) != "1" {
		t.Error("another header was dropped")
	}
	if name, why := p.MovedHeader(&Decision{Outcome: OutcomeMoved, Reason: ReasonGone}); string(name) != "X-Moved" || why != "gone" {
		t.Errorf("moved header %q: %q", name, why)
	}
	if name, _ := p.MovedHeader(&Decision{Outcome: OutcomeHit}); name != nil {
		t.Error("moved header without a move")
	}
	if Compile(affinityOf(cookieMethod)).EditsHeaders() {
		t.Error("EditsHeaders without such headers")
	}
}

func TestForwardHeader_lookAlikes(t *testing.T) {
	a := affinityOf(model.Method{
		Source: model.SourceHeader, Binding: model.BindingWrapped, Header: &model.Header{Name: "X-Session-Id"},
	})
	a.MovedHeader = "X-Moved"
	p := Compile(a)
	for name, want := range map[string]bool{
		"x-moved": false, "X_Moved": false, "x.moved": false, "X-Moved-Not": true, "XaMoved": true,
		"X-Session-ID": true, "X_Session-Id": false, "X_Session_Id": false,
	} {
		if _, ok := p.ForwardHeader([]byte(name), []byte("gone"), newRing(t, 1)); ok != want {
			t.Errorf("header %s is forwarded: %v, want %v", name, ok, want)
		}
	}
	for name, want := range map[string]bool{"X-Moved": false, "x_moved": false, "X-Session-Id": false, "X-Sum": true} {
		if got := p.ForwardsTrailer([]byte(name)); got != want {
			t.Errorf("trailer %s is forwarded: %v, want %v", name, got, want)
		}
	}
}
