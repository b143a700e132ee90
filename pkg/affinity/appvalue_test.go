package affinity

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// memoryStore is an unbounded Store without timeouts. Unknown ids have a zero key.
type memoryStore map[string]model.EndpointKey

func (s memoryStore) Lookup(id *LearnedID) Learned {
	key := s[string(id.ID)]
	if key == (model.EndpointKey{}) {
		return Learned{}
	}
	return Learned{LearnedAlive, key}
}

func (s memoryStore) Resolve(id *LearnedID) (Learned, bool)         { return s.Lookup(id), true }
func (s memoryStore) Remember(id *LearnedID, key model.EndpointKey) { s[string(id.ID)] = key }
func (s memoryStore) Forget(id *LearnedID)                          { delete(s, string(id.ID)) }

func (s memoryStore) Returned(id *LearnedID, key model.EndpointKey, accepted bool) {
	if _, ok := s[string(id.ID)]; ok {
		s[string(id.ID)] = key
	} else if accepted {
		s[string(id.ID)] = model.EndpointKey{}
	}
}

func ownMethod(source model.Source, binding model.Binding) model.Method {
	m := model.Method{Source: source, Binding: binding, Separator: "."}
	switch source {
	case model.SourceCookie:
		m.Cookie = &model.Cookie{Name: "sid"}
	case model.SourceHeader:
		m.Header = &model.Header{Name: "X-Session-Id"}
	case model.SourceQueryParam:
		m.QueryParam = &model.QueryParam{Name: "sid"}
	case model.SourcePathSegment:
		m.PathSegment = &model.PathSegment{Index: 0}
	}
	return m
}

func TestNamed_podLabel(t *testing.T) {
	m := ownMethod(model.SourceHeader, model.BindingNamed)
	m.By = model.PodLabel("route")
	p := Compile(affinityOf(m))
	set := newSet("a b c")
	set.byLabel = newFakeIndex([]string{"", "one", "two"})
	for _, c := range []struct{ value, endpoint, outcome string }{
		{"A1B2.two", "c", "hit"},
		{"one", "b", "hit"},
		{"A1B2.c", "", "moved/gone"}, // ends in the name of a pod, not in a label value
		{"A1B2.three", "", "moved/gone"},
	} {
		var d Decision
		p.Decide(&d, &fakeRequest{header: c.value}, set, nil, &ConnState{}, testNow)
		if c.outcome == "hit" && set.name(d.Endpoint) != c.endpoint || outcomeOf(&d) != c.outcome {
			t.Errorf("%s: %s, %s; want %s, %s", c.value, set.name(d.Endpoint), outcomeOf(&d), c.endpoint, c.outcome)
		}
	}
}

func TestNamed_podName(t *testing.T) {
	for _, source := range []model.Source{
		model.SourceCookie, model.SourceHeader, model.SourceQueryParam, model.SourcePathSegment,
	} {
		p := Compile(affinityOf(ownMethod(source, model.BindingNamed)))
		for _, c := range []struct{ value, endpoint, outcome string }{
			{"A1B2.b", "b", "hit"},
			{"A1.B2.c", "c", "hit"},
			{"d", "d", "hit"}, // draining
			{"A1B2.z", "", "moved/gone"},
			{"A1B2", "", "new"},
		} {
			set := newSet("a b c | d")
			req := &fakeRequest{
				cookies: []string{"sid=" + c.value}, header: c.value, path: "/" + c.value + "/x", query: "sid=" + c.value,
			}
			var d Decision
			p.Decide(&d, req, set, nil, &ConnState{}, testNow)
			if c.endpoint != "" && set.name(d.Endpoint) != c.endpoint || outcomeOf(&d) != c.outcome || d.Endpoint == none {
				t.Errorf("%s %s: %s, %s; want %s, %s", source, c.value, set.name(d.Endpoint), outcomeOf(&d), c.endpoint, c.outcome)
			}
		}
	}
}

// Only the app can change its value. Requests with the same value must therefore use the same endpoint, without a
// token.
func TestNamed_podGone(t *testing.T) {
	p := Compile(affinityOf(ownMethod(model.SourceCookie, model.BindingNamed)))
	set := newSet("a b c")
	for i := range 20 {
		req := &fakeRequest{cookies: []string{"sid=" + strings.Repeat("x", i) + ".z"}}
		var first, second Decision
		p.Decide(&first, req, set, nil, &ConnState{}, testNow)
		set.known = map[uint64]int{first.Session: first.Endpoint}
		p.Decide(&second, req, set, nil, &ConnState{}, testNow)
		if outcomeOf(&first) != "moved/gone" || outcomeOf(&second) != "hit" || first.Endpoint != second.Endpoint {
			t.Errorf("%s on %d, then %s on %d; want moved/gone, then hit on the same", outcomeOf(&first), first.Endpoint,
				outcomeOf(&second), second.Endpoint)
		}
	}
}

func TestNamed_podGoneRefused(t *testing.T) {
	a := affinityOf(ownMethod(model.SourceCookie, model.BindingNamed))
	strict(a)
	var d Decision
	Compile(a).Decide(&d, &fakeRequest{cookies: []string{"sid=1.z"}}, newSet("a b"), nil, &ConnState{}, testNow)
	if outcomeOf(&d) != "refused/gone" || d.Endpoint != none {
		t.Errorf("%s on %d, want refused/gone", outcomeOf(&d), d.Endpoint)
	}
}

func TestLearned_hit(t *testing.T) {
	for _, source := range []model.Source{model.SourceCookie, model.SourceHeader} {
		p := Compile(affinityOf(ownMethod(source, model.BindingLearned)))
		set := newSet("a b c | d")
		m := &ConnState{Learned: memoryStore{}}
		for at, id := range []string{"one", "two", "three", "four"} {
			d := Decision{Endpoint: at, Outcome: OutcomeNew}
			p.BindResponse(nil, &d, []byte("X-Session-Id"), []byte(id), set, nil, m)
			p.BindResponse(nil, &d, []byte("Set-Cookie"), []byte("sid="+id+"; Path=/"), set, nil, m)
			req := &fakeRequest{cookies: []string{"sid=" + id}, header: id}
			p.Decide(&d, req, set, nil, m, testNow)
			if d.Endpoint != at || d.Outcome != OutcomeHit {
				t.Errorf("%s: endpoint %d, %s; want %d, hit", source, d.Endpoint, d.Outcome, at)
			}
			p.Forget(req, m)
		}
		if len(m.Learned.(memoryStore)) > 0 {
			t.Errorf("%s: not forgotten: %v", source, m.Learned)
		}
	}
}

// The client may choose the id, or the replica that saw its response may not have stored it. The id is then learned
// from the request, and learned again if the entry was lost.
func TestLearned_fromRequest(t *testing.T) {
	p := Compile(affinityOf(ownMethod(model.SourceQueryParam, model.BindingLearned)))
	m := &ConnState{Learned: memoryStore{}}
	req := &fakeRequest{query: "sid=7"}
	var d Decision
	before := newSet("a b c")
	for range 2 { // it is learned when it is used again
		p.Decide(&d, req, before, nil, m, testNow)
		p.Relearn(&d, req, before, m, 200)
	}
	current := before.name(d.Endpoint)
	p.Decide(&d, req, newSet("a b c e f g h i"), nil, m, testNow)
	if d.Outcome != OutcomeHit || newSet("a b c e f g h i").name(d.Endpoint) != current {
		t.Errorf("after scaling up: %s, endpoint %d; want %s", d.Outcome, d.Endpoint, current)
	}
	after := newSet("e f g")
	p.Decide(&d, req, after, nil, m, testNow)
	if outcomeOf(&d) != "moved/gone" {
		t.Errorf("endpoint gone: %s", outcomeOf(&d))
	}
	p.Relearn(&d, req, after, m, 500)
	current = after.name(d.Endpoint)
	all := newSet("a b c e f g")
	if p.Decide(&d, req, all, nil, m, testNow); all.name(d.Endpoint) != current || d.Outcome != OutcomeHit {
		t.Errorf("after it has moved to %s: %s on %s", current, d.Outcome, all.name(d.Endpoint))
	}
	if p.Next(&d, req, all); d.relearn != noteBinding {
		t.Error("move after a failure not learned")
	}
}

func TestLearned_withoutStore(t *testing.T) {
	p, set := Compile(affinityOf(ownMethod(model.SourceCookie, model.BindingLearned), addressMethod)), newSet("a b c")
	var d Decision
	p.Decide(&d, &fakeRequest{cookies: []string{"sid=1"}, ip: ipOnA}, set, nil, &ConnState{}, testNow)
	if set.name(d.Endpoint) != "a" {
		t.Errorf("endpoint %s, want a by the address", set.name(d.Endpoint))
	}
	p.BindResponse(nil, &d, []byte("Set-Cookie"), []byte("sid=1"), set, nil, &ConnState{})
}

// A valid token takes precedence over any other method.
func TestDecide_tokenBeforeAppValue(t *testing.T) {
	p := Compile(affinityOf(cookieMethod, ownMethod(model.SourceCookie, model.BindingNamed)))
	set, ring := newSet("a b c"), newRing(t, 1)
	lost := cookieField(t, ring, []sealed{{name: "cart-id", endpoint: "z", session: 77}})
	var d Decision
	p.Decide(&d, &fakeRequest{cookies: append(lost, "sid=1.b")}, set, ring, &ConnState{}, testNow)
	if outcomeOf(&d) != "moved/gone" || set.name(d.Endpoint) != "b" || d.Session != 77 || !d.Issue {
		t.Errorf("%s to %s, session %d, issue %v", outcomeOf(&d), set.name(d.Endpoint), d.Session, d.Issue)
	}
}

// The client keeps a value that names the old pod. The token names the new one.
func TestDecide_tokenAfterLostValue(t *testing.T) {
	a := affinityOf(ownMethod(model.SourceCookie, model.BindingNamed), cookieMethod)
	a.Unavailable = model.Unavailable{Action: model.UnavailableWait, Wait: time.Second}
	p, set, ring := Compile(a), newSet("a b c"), newRing(t, 1)
	token := cookieField(t, ring, []sealed{{name: "cart-id", endpoint: "b", session: 77}})
	var d Decision
	p.Decide(&d, &fakeRequest{cookies: append(token, "sid=1.z")}, set, ring, &ConnState{}, testNow)
	if outcomeOf(&d) != "hit" || set.name(d.Endpoint) != "b" || d.Issue || d.EndpointWait != 0 {
		t.Errorf("%s on %s, issue %v, wait %s; want hit on b", outcomeOf(&d), set.name(d.Endpoint), d.Issue, d.EndpointWait)
	}
}

func TestNext_unknownAppValue(t *testing.T) {
	for _, value := range []string{"unknown", "1.z"} {
		p, set := Compile(affinityOf(ownMethod(model.SourceCookie, model.BindingNamed))), newSet("a b c")
		req := &fakeRequest{cookies: []string{"sid=" + value}}
		var d Decision
		p.Decide(&d, req, set, nil, &ConnState{}, testNow)
		set.known = map[uint64]int{d.Session: d.Endpoint}
		p.Decide(&d, req, set, nil, &ConnState{}, testNow)
		first := d.Endpoint
		if at := p.Next(&d, req, set); at == none || at == first || outcomeOf(&d) != "moved/failed" {
			t.Errorf("%s: %s from %d to %d", value, outcomeOf(&d), first, at)
		}
	}
}

// Any client can invent ids. So an unknown one is learned only when it is used again after a successful request.
func TestLearned_unknownID(t *testing.T) {
	for _, c := range []struct {
		statuses string
		want     int
	}{{"200", 0}, {"200 200", 1}, {"304 404", 1}, {"404 404 500 401", 0}, {"404 200", 0}, {"404 302 500", 1}} {
		for _, source := range []model.Source{model.SourceCookie, model.SourceHeader, model.SourceQueryParam} {
			p, set, m := Compile(affinityOf(ownMethod(source, model.BindingLearned))), newSet("a b c"), &ConnState{Learned: memoryStore{}}
			req := &fakeRequest{cookies: []string{"sid=1"}, header: "1", query: "sid=1"}
			var d Decision
			for status := range strings.FieldsSeq(c.statuses) {
				code, _ := strconv.Atoi(status)
				p.Decide(&d, req, set, nil, m, testNow)
				p.Relearn(&d, req, set, m, code)
			}
			if got := m.Learned.(memoryStore).bound(); got != c.want {
				t.Errorf("%s, %s: %d learned, want %d", source, c.statuses, got, c.want)
			}
		}
	}
}

// bound returns the number of sessions.
func (s memoryStore) bound() (n int) {
	for _, key := range s {
		if key != (model.EndpointKey{}) {
			n++
		}
	}
	return n
}
