package affinity

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// sharedStore is a Store whose sessions must be resolved. Zero keys are sessions that have ended.
type sharedStore struct {
	memoryStore
	resolved int
	isDown   bool
	last     LearnedID
}

func (s *sharedStore) Lookup(id *LearnedID) Learned {
	s.last = *id
	if _, ok := s.memoryStore["local "+string(id.ID)]; ok {
		return s.memoryStore.Lookup(&LearnedID{ID: []byte("local " + string(id.ID))})
	}
	return Learned{State: LearnedUnresolved}
}

func (s *sharedStore) Resolve(id *LearnedID) (Learned, bool) {
	s.resolved++
	if s.isDown {
		return Learned{}, false
	}
	if key, ok := s.memoryStore[string(id.ID)]; ok && key == (model.EndpointKey{}) {
		return Learned{State: LearnedExpired}, true
	}
	return s.memoryStore.Lookup(id), true
}

// sidCookies returns n cookies named sid with unknown ids, and then one with id.
func sidCookies(n int, id string) []string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "sid=unknown-%d; ", i)
	}
	return []string{b.String() + "sid=" + id}
}

func TestLearned_manyUnknownCookies(t *testing.T) {
	keyB := newSet("a b c").Key(model.IdentityPod, 1)
	for _, c := range []struct {
		name     string
		unknown  int
		known    string
		isDown   bool
		outcome  string
		resolved int
	}{
		{"known to this process", 180, "local mine", false, "hit", 0},
		{"known to others", 12, "mine", false, "hit", 13},
		{"known to others, too late", 180, "mine", false, "new", maxResolved},
		{"store unavailable", 180, "mine", true, "new", 1},
	} {
		p, set := Compile(affinityOf(ownMethod(model.SourceCookie, model.BindingLearned))), newSet("a b c")
		s := &sharedStore{memoryStore: memoryStore{c.known: keyB}, isDown: c.isDown}
		var d Decision
		p.Decide(&d, &fakeRequest{cookies: sidCookies(c.unknown, "mine")}, set, nil, &ConnState{Learned: s}, testNow)
		if outcomeOf(&d) != c.outcome || s.resolved != c.resolved || c.outcome == "hit" && set.name(d.Endpoint) != "b" {
			t.Errorf("%s: %s on %s, %d resolved; want %s, %d", c.name, outcomeOf(&d), set.name(d.Endpoint), s.resolved,
				c.outcome, c.resolved)
		}
	}
}

// The id whose session moves is stored again, not the first one of that name.
func TestRelearn_rightValue(t *testing.T) {
	p, set := Compile(affinityOf(ownMethod(model.SourceCookie, model.BindingLearned))), newSet("a b c")
	m := &ConnState{Learned: memoryStore{"mine": model.KeyOf("z")}}
	req := &fakeRequest{cookies: sidCookies(2, "mine")}
	var d Decision
	p.Decide(&d, req, set, nil, m, testNow)
	p.Relearn(&d, req, set, m, 200)
	if got := m.Learned.(memoryStore)["mine"]; outcomeOf(&d) != "moved/gone" || got != set.Key(model.IdentityPod, d.Endpoint) {
		t.Errorf("%s to %s, stored %x", outcomeOf(&d), set.name(d.Endpoint), got[:4])
	}
}

func TestLearned_expired(t *testing.T) {
	a := affinityOf(ownMethod(model.SourceHeader, model.BindingLearned))
	a.AbsoluteTimeout, a.IdleTimeout = 8*time.Hour, 1500*time.Millisecond
	p, set := Compile(a), newSet("a b c")
	s := &sharedStore{memoryStore: memoryStore{"mine": model.EndpointKey{}}}
	m, req := &ConnState{Learned: s}, &fakeRequest{header: "mine", ip: "192.0.2.1"}
	var d Decision
	p.Decide(&d, req, set, nil, m, testNow)
	if want := (Lifetime{Idle: 2, Absolute: 28800}); s.last.Lifetime != want || s.last.Client == 0 {
		t.Errorf("looked up with %+v, want %+v and a client", s.last, want)
	}
	if outcomeOf(&d) != "moved/expired" || d.Endpoint == none {
		t.Errorf("%s to %d, want moved/expired", outcomeOf(&d), d.Endpoint)
	}
	p.Relearn(&d, req, set, m, 500)
	if s.memoryStore["mine"] != set.Key(model.IdentityPod, d.Endpoint) {
		t.Error("the id of a session that has ended does not begin a new one")
	}
}

func TestLearned_from(t *testing.T) {
	a := affinityOf(
		ownMethod(model.SourceCookie, model.BindingLearned), ownMethod(model.SourceHeader, model.BindingLearned),
		ownMethod(model.SourceQueryParam, model.BindingLearned))
	a.LearnedFrom = []model.ResponseField{{Source: model.SourceCookie, Name: "app"}, {Source: model.SourceHeader, Name: "X-New-Session"}}
	p, set := Compile(a), newSet("a b c d")
	for at, c := range []struct {
		name, value string
		learned     bool
	}{
		{"Set-Cookie", "app=one; Path=/", true},
		{"x-new-session", "two", true},
		{"Set-Cookie", "sid=three", false}, // not listed
		{"X-Session-Id", "four", false},
	} {
		m, id := &ConnState{Learned: memoryStore{}}, []string{"one", "two", "three", "four"}[at]
		d := Decision{Endpoint: at, Outcome: OutcomeNew}
		p.BindResponse(nil, &d, []byte(c.name), []byte(c.value), set, nil, m)
		for source, req := range map[string]*fakeRequest{
			"cookie": {cookies: []string{"sid=" + id}}, "header": {header: id}, "query": {query: "sid=" + id},
		} {
			p.Decide(&d, req, set, nil, m, testNow)
			if isHit := d.Outcome == OutcomeHit && d.Endpoint == at; isHit != c.learned {
				t.Errorf("%s: %s, then the id in a %s: %s on %d", c.name, c.value, source, d.Outcome, d.Endpoint)
			}
		}
	}
}
