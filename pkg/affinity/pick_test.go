package affinity

import (
	"fmt"
	"slices"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

var allPicks = []model.Pick{
	model.PickLeastSessions, model.PickLeastRequests, model.PickRoundRobin, model.PickRandom, model.PickHash, model.PickLatency,
}

// counts returns the number of times each endpoint is picked in n calls.
func counts(set Set, pick model.Pick, n int) []int {
	got := make([]int, set.Len())
	for range n {
		got[Pick(set, pick, &fakeRequest{ip: "192.0.2.1"})]++
	}
	return got
}

func TestPick_readyOnly(t *testing.T) {
	for _, pick := range allPicks {
		set := newSet("a b | c d")
		set.requests, set.sessions = []int64{9, 9, 0, 0}, []int64{9, 9, 0, 0}
		for k := range 200 {
			req := &fakeRequest{ip: fmt.Sprintf("192.0.2.%d", k)}
			if got := Pick(set, pick, req); got != 0 && got != 1 {
				t.Fatalf("%s picked endpoint %d, which is draining", pick, got)
			}
		}
	}
}

func TestPick_fewEndpoints(t *testing.T) {
	for _, pick := range allPicks {
		req := &fakeRequest{ip: "2001:db8::1"}
		if got := Pick(newSet(""), pick, req); got != none {
			t.Errorf("%s of none: %d, want %d", pick, got, none)
		}
		if got := Pick(newSet("a"), pick, req); got != 0 {
			t.Errorf("%s of one: %d, want 0", pick, got)
		}
	}
}

func TestPick_skipsTried(t *testing.T) {
	for _, pick := range allPicks {
		var tried []int
		set := newSet("a b c d e")
		for range set.Len() {
			at := pickUntried(set, pick, model.IdentityPod, &fakeRequest{ip: "192.0.2.1"}, tried)
			if at == none || slices.Contains(tried, at) {
				t.Fatalf("%s: picked %d with %v tried", pick, at, tried)
			}
			tried = append(tried, at)
		}
		if at := pickUntried(set, pick, model.IdentityPod, &fakeRequest{}, tried); at != none {
			t.Errorf("%s: picked %d with all tried", pick, at)
		}
	}
}

func TestPick_least(t *testing.T) {
	set := newSet("a b c")
	set.sessions, set.requests = []int64{3, 1, 2}, []int64{3, 2, 1}
	if got := counts(set, model.PickLeastSessions, 10); !slices.Equal(got, []int{0, 10, 0}) {
		t.Errorf("LeastSessions: %v, want all on the second", got)
	}
	if got := counts(set, model.PickLeastRequests, 10); !slices.Equal(got, []int{0, 0, 10}) {
		t.Errorf("LeastRequests: %v, want all on the third", got)
	}
}

func TestPick_equalLoad(t *testing.T) {
	for _, pick := range []model.Pick{model.PickLeastSessions, model.PickLeastRequests, model.PickRoundRobin} {
		if got := counts(newSet("a b c"), pick, 300); !slices.Equal(got, []int{100, 100, 100}) {
			t.Errorf("%s: %v, want 100 each", pick, got)
		}
	}
	set := newSet("a b c d")
	set.sessions = []int64{5, 1, 5, 1}
	got := counts(set, model.PickLeastSessions, 400)
	if got[0] != 0 || got[2] != 0 || got[1] < 100 || got[3] < 100 {
		t.Errorf("LeastSessions of two equal ones: %v, want at least 100 on each of the two", got)
	}
}

func TestPick_random(t *testing.T) {
	even := counts(newSet("a b c d"), model.PickRandom, 40_000)
	for i, n := range even {
		if n < 9_000 || n > 11_000 {
			t.Errorf("endpoint %d of four equal ones was picked %d times in 40000", i, n)
		}
	}
	set := newSet("a b c d")
	set.requests = []int64{0, 0, 0, 9}
	if got := counts(set, model.PickRandom, 10_000); got[3] != 0 {
		t.Errorf("the busiest was picked %d times", got[3])
	}
}

func TestPick_hash(t *testing.T) {
	set := newSet("a b c d e f g h")
	at := func(ip string) int { return Pick(set, model.PickHash, &fakeRequest{ip: ip}) }
	if at("2001:db8:0:1::1") != at("2001:db8:0:1:aaaa::2") {
		t.Error("two addresses of one /64: different endpoints")
	}
	if at("192.0.2.1") != at("::ffff:192.0.2.1") {
		t.Error("IPv4-mapped address: different endpoint")
	}
	seen := map[int]bool{}
	for k := range 200 {
		ip := fmt.Sprintf("192.0.2.%d", k)
		if first, again := at(ip), at(ip); first != again {
			t.Fatalf("%s picked a different endpoint each time", ip)
		}
		seen[at(ip)] = true
	}
	if len(seen) != set.Len() {
		t.Errorf("200 addresses reach %d of %d endpoints", len(seen), set.Len())
	}
}

func TestPick_latency(t *testing.T) {
	set := newSet("a b c")
	set.latency = []float64{1e6, 4e6, 4e6}
	if got := counts(set, model.PickLatency, 3000); got[0] < 1800 || got[1] == 0 || got[2] == 0 {
		t.Errorf("one of three is faster: %v", got)
	}
	set.requests = []int64{9, 0, 0} // ten times a millisecond
	if got := counts(set, model.PickLatency, 3000); got[0] > 0 {
		t.Errorf("the fastest is busy: %v", got)
	}
	set.latency, set.requests = []float64{0, 4e6, 4e6}, []int64{1, 0, 0}
	if got := counts(set, model.PickLatency, 3000); got[0] > 0 || got[1] == 0 {
		t.Errorf("a new one is busy: %v", got)
	}
	set.requests = []int64{0, 0, 0}
	if got := counts(set, model.PickLatency, 3000); got[0] < 700 || got[0] > 1300 {
		t.Errorf("a new one is idle: %v", got)
	}
}
