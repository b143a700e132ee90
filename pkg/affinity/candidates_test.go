package affinity

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// keyed returns requests with different header values.
func keyed(n int) *fakeRequest { return &fakeRequest{header: fmt.Sprintf("client-%d", n)} }

func decideAt(p *Policy, req Request, set Set, now int64) Decision {
	var d Decision
	p.Decide(&d, req, set, nil, &ConnState{}, now)
	return d
}

func TestSlowStart_hashedSessions(t *testing.T) {
	a := affinityOf(headerMethod)
	a.SlowStart = 100 * time.Second
	p := Compile(a)
	set := newSet("a b c d")
	set.since[3] = testNow
	full := newSet("a b c d")
	moved, previous := map[int]bool{}, 0
	for _, age := range []int64{0, 25, 50, 75, 100, 1000} {
		count := 0
		for n := range 4000 {
			at := decideAt(p, keyed(n), set, testNow+age).Endpoint
			if at == 3 {
				count++
				moved[n] = true
			} else if moved[n] {
				t.Fatalf("client %d leaves the new endpoint at %d s", n, age)
			} else if was := decideAt(p, keyed(n), newSet("a b c"), testNow).Endpoint; at != was {
				t.Fatalf("client %d moves from %d to %d, which is not the new one", n, was, at)
			}
		}
		want := int(min(age, 100)) * 10
		if count < previous || math.Abs(float64(count-want)) > 120 {
			t.Errorf("after %d s of 100 the new endpoint has %d sessions, want about %d", age, count, want)
		}
		previous = count
	}
	for n := range 100 {
		if got, want := decideAt(p, keyed(n), set, testNow+100).Endpoint, decideAt(p, keyed(n), full, testNow).Endpoint; got != want {
			t.Errorf("client %d is on %d after the slow start, want %d", n, got, want)
		}
	}
}

func TestSlowStart_everyPick(t *testing.T) {
	for _, pick := range allPicks {
		a := affinityOf(cookieMethod)
		a.Pick, a.SlowStart = pick, 100*time.Second
		p := Compile(a)
		set := newSet("a b c d")
		set.since[3] = testNow
		ring := newRing(t, 1)
		count := func(age int64) (n int) {
			clear(set.sessions)
			clear(set.requests)
			set.sessions = []int64{500, 500, 500, 0}
			set.requests = []int64{500, 500, 500, 0}
			for k := range 1000 {
				var d Decision
				req := &fakeRequest{ip: fmt.Sprintf("192.0.%d.%d", k/250, k%250)}
				p.Decide(&d, req, set, ring, &ConnState{}, testNow+age)
				set.sessions[d.Endpoint]++
				set.requests[d.Endpoint]++
				if d.Endpoint == 3 {
					n++
				}
			}
			return n
		}
		start, half, end := count(0), count(50), count(100)
		if start > 2 || half <= start || end <= half {
			t.Errorf("%s: new endpoint received %d, %d, %d of 1000 at 0, 50 and 100 s", pick, start, half, end)
		}
	}
}

func TestSlowStart_noOtherEndpoint(t *testing.T) {
	for _, pick := range allPicks {
		a := affinityOf(headerMethod)
		a.Pick, a.SlowStart = pick, 100*time.Second
		set := newSet("a b")
		set.since = []int64{testNow, testNow}
		if at := decideAt(Compile(a), &fakeRequest{ip: ipOnA}, set, testNow).Endpoint; at == none {
			t.Errorf("%s: no endpoint", pick)
		}
	}
}

func bounded(a *model.Affinity) { a.MaxSessions = 10 }

func TestMaxSessions_fullEndpoint(t *testing.T) {
	for _, pick := range allPicks {
		a := affinityOf(cookieMethod)
		a.Pick = pick
		bounded(a)
		p, set := Compile(a), newSet("a b c")
		set.sessions = []int64{10, 9, 10}
		for n := range 50 {
			req := &fakeRequest{ip: fmt.Sprintf("192.0.2.%d", n)}
			if at := decideAt(p, req, set, testNow).Endpoint; at != 1 {
				t.Fatalf("%s: a session goes to %d", pick, at)
			}
		}
		set.sessions[1] = 10
		if d := decideAt(p, &fakeRequest{ip: "192.0.2.1"}, set, testNow); d.Endpoint == none || d.Outcome != OutcomeNew {
			t.Errorf("%s: above the maximum: endpoint %d, %s", pick, d.Endpoint, outcomeOf(&d))
		}
	}
}

func TestMaxSessions_refused(t *testing.T) {
	a := affinityOf(cookieMethod, headerMethod)
	bounded(a)
	a.RefuseWhenFull = true
	p, set, ring := Compile(a), newSet("a b c"), newRing(t, 1)
	set.sessions = []int64{10, 11, 10}
	if d := decideAt(p, keyed(1), set, testNow); outcomeOf(&d) != "refused/full" || d.Endpoint != none || d.Issue {
		t.Errorf("%s, endpoint %d, issue %v", outcomeOf(&d), d.Endpoint, d.Issue)
	}
	var d Decision
	known := &fakeRequest{cookies: cookieField(t, ring, []sealed{{name: "cart-id", endpoint: "b", session: 77}})}
	if p.Decide(&d, known, set, ring, &ConnState{}, testNow); d.Endpoint != 1 || d.Outcome != OutcomeHit {
		t.Errorf("known session: %s on %d", outcomeOf(&d), d.Endpoint)
	}
	if d := decideAt(p, keyed(1), newSet(""), testNow); d.Outcome == OutcomeRefused {
		t.Error("empty set: refused as full")
	}
}

func TestMaxSessions_divertedSessionStays(t *testing.T) {
	a := affinityOf(headerMethod)
	bounded(a)
	p, set := Compile(a), newSet("a b c")
	for n := range 50 {
		clear(set.sessions)
		first := decideAt(p, keyed(n), set, testNow)
		set.sessions[first.Endpoint] = 10
		spilled := decideAt(p, keyed(n), set, testNow)
		if spilled.Endpoint == first.Endpoint {
			t.Fatalf("client %d goes to a full endpoint", n)
		}
		set.known = map[uint64]int{spilled.Session: spilled.Endpoint}
		set.sessions[first.Endpoint], set.sessions[spilled.Endpoint] = 0, 10
		if at := decideAt(p, keyed(n), set, testNow).Endpoint; at != spilled.Endpoint {
			t.Errorf("client %d went from %d to %d and back to %d", n, first.Endpoint, spilled.Endpoint, at)
		}
	}
}

func TestPreferZone(t *testing.T) {
	for _, pick := range allPicks {
		a := affinityOf(cookieMethod)
		a.Pick, a.PreferZone = pick, true
		p, set := Compile(a), newSet("a b c d")
		set.near = map[int]bool{1: true, 2: true}
		set.requests, set.sessions = []int64{0, 5, 5, 0}, []int64{0, 5, 5, 0}
		away := 0
		for n := range 100 {
			if at := decideAt(p, &fakeRequest{ip: fmt.Sprintf("192.0.2.%d", n)}, set, testNow).Endpoint; at != 1 && at != 2 {
				away++
			}
		}
		// Replicas in other zones must place a hash on the same endpoint.
		if hashes := pick == model.PickHash; hashes != (away > 0) {
			t.Errorf("%s: %d of 100 sessions outside of the zone", pick, away)
		}
		set.near = nil
		if at := decideAt(p, &fakeRequest{ip: "192.0.2.1"}, set, testNow).Endpoint; at == none {
			t.Errorf("%s: no endpoint without one in the zone", pick)
		}
	}
}

// Half of the active requests have one key. No endpoint receives more than 1.25 times the mean plus one.
func TestBalanceFactor_hotKey(t *testing.T) {
	a := affinityOf(headerMethod)
	a.BalanceFactor = 125
	p, set := Compile(a), newSet("a b c d e f g h i j")
	diverted := 0
	for n := range 2000 {
		req := keyed(n)
		if n%2 == 0 {
			req = keyed(0)
		}
		d := decideAt(p, req, set, testNow)
		switch outcomeOf(&d) {
		case "moved/full":
			diverted++
		case "hit":
		default:
			t.Fatalf("outcome %s", outcomeOf(&d))
		}
		set.requests[d.Endpoint]++
		mean := float64(n+1) / 10
		if got := set.requests[d.Endpoint]; float64(got) > 1.25*mean+1 {
			t.Fatalf("after %d requests endpoint %d has %d, the mean is %.1f", n+1, d.Endpoint, got, mean)
		}
	}
	if diverted < 500 {
		t.Errorf("bound exceeded %d times", diverted)
	}
}

func TestBalanceFactor_belowBound(t *testing.T) {
	a := affinityOf(headerMethod)
	a.BalanceFactor = 200
	p, set := Compile(a), newSet("a b c d")
	set.requests = []int64{10, 10, 10, math.MaxInt64}
	for n := range 100 {
		d := decideAt(p, keyed(n), set, testNow)
		want := place(newSet("a b c"), model.IdentityPod, model.HashString(keyed(n).header), true, nil)
		own := place(set, model.IdentityPod, model.HashString(keyed(n).header), true, nil)
		if own == 3 {
			if d.Endpoint == 3 || outcomeOf(&d) != "moved/full" {
				t.Errorf("client %d: %s on %d, which refuses connections", n, outcomeOf(&d), d.Endpoint)
			}
			continue
		}
		if d.Endpoint != want || d.Outcome != OutcomeHit {
			t.Errorf("client %d: %s on %d, want %d", n, outcomeOf(&d), d.Endpoint, want)
		}
	}
}

func TestDrainTimeout(t *testing.T) {
	a := affinityOf(cookieMethod, headerMethod)
	a.DrainTimeout = 100 * time.Second
	p, ring := Compile(a), newRing(t, 1)
	set := newSet("a b | d")
	set.since[2] = testNow
	cookies := cookieField(t, ring, []sealed{{name: "cart-id", endpoint: "d", session: 77}})
	for age, want := range map[int64]string{0: "hit", 99: "hit", 100: "moved/gone"} {
		var d Decision
		p.Decide(&d, &fakeRequest{cookies: cookies}, set, ring, &ConnState{}, testNow+age)
		if outcomeOf(&d) != want || (d.Endpoint == 2) != (want == "hit") {
			t.Errorf("by token after %d s: %s on %d", age, outcomeOf(&d), d.Endpoint)
		}
	}
	hashedOnD := 0
	for n := range 50 {
		set.known = map[uint64]int{model.HashString(keyed(n).header): 2}
		if decideAt(p, keyed(n), set, testNow+99).Endpoint == 2 {
			hashedOnD++
		}
		if decideAt(p, keyed(n), set, testNow+100).Endpoint == 2 {
			t.Errorf("client %d kept after the drain timeout", n)
		}
	}
	if hashedOnD == 0 {
		t.Error("no hashed session was kept during the drain")
	}
}
