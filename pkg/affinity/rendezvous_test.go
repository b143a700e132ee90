package affinity

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// goldenEndpoints and the vectors below were computed by an independent program in another language, from the
// algorithm in rendezvous.go and model.Hash. Changing them moves every hashed session of every user.
var goldenEndpoints = []string{
	"0b9ae2f6-7d1c-4a58-9f6e-0d9b3c1f2a11",
	"5e0c7a4e-2f53-4c0f-8c55-61d1a9e4b7d2",
	"c41f8f0a-9b7d-4e36-a1c8-7f3d20b65e93",
	"10.0.0.7:8080",
	"[fd00::7]:8080",
}

// goldenOrders contains, for each value, the order in which endpoints are tried: among the first three, and among all.
var goldenOrders = []struct {
	value string
	three []int
	five  []int
}{
	{"session-0", []int{1, 2, 0}, []int{1, 4, 3, 2, 0}},
	{"session-1", []int{0, 1, 2}, []int{4, 3, 0, 1, 2}},
	{"session-2", []int{1, 0, 2}, []int{1, 0, 3, 2, 4}},
	{"session-3", []int{1, 2, 0}, []int{1, 2, 0, 4, 3}},
	{"session-4", []int{2, 1, 0}, []int{3, 2, 1, 0, 4}},
	{"session-5", []int{0, 1, 2}, []int{3, 0, 1, 4, 2}},
	{"session-6", []int{1, 0, 2}, []int{1, 4, 0, 3, 2}},
	{"session-7", []int{2, 0, 1}, []int{3, 2, 4, 0, 1}},
	{"session-8", []int{1, 0, 2}, []int{1, 4, 0, 2, 3}},
	{"session-9", []int{0, 2, 1}, []int{4, 3, 0, 2, 1}},
	{"session-10", []int{1, 2, 0}, []int{1, 3, 2, 0, 4}},
	{"session-11", []int{2, 1, 0}, []int{2, 1, 3, 4, 0}},
	{"alice", []int{1, 2, 0}, []int{1, 4, 3, 2, 0}},
	{"Zoë", []int{1, 2, 0}, []int{1, 2, 3, 4, 0}},
	{"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", []int{0, 2, 1}, []int{4, 0, 2, 3, 1}},
}

func TestRendezvous_headerGoldenVectors(t *testing.T) {
	three := newSetOf(goldenEndpoints[:3], goldenEndpoints[:3], 3)
	five := newSetOf(goldenEndpoints, goldenEndpoints, 5)
	for _, golden := range goldenOrders {
		req := &fakeRequest{header: golden.value}
		if got := orderOf(headerMethod, req, three); !slices.Equal(got, golden.three) {
			t.Errorf("%s on three: %v, want %v", golden.value, got, golden.three)
		}
		if got := orderOf(headerMethod, req, five); !slices.Equal(got, golden.five) {
			t.Errorf("%s on five: %v, want %v", golden.value, got, golden.five)
		}
	}
}

func TestRendezvous_addressGoldenVectors(t *testing.T) {
	wide := addressMethod
	wide.SourceIP = &model.SourceIP{IPv4PrefixLength: 24, IPv6PrefixLength: 64}
	set := newSetOf(goldenEndpoints, goldenEndpoints, 5)
	for _, c := range []struct {
		ip     string
		method model.Method
		want   []int
	}{
		{"192.0.2.17", addressMethod, []int{4, 2, 1, 3, 0}},
		{"::ffff:192.0.2.17", addressMethod, []int{4, 2, 1, 3, 0}},
		{"198.51.100.200", addressMethod, []int{2, 0, 3, 4, 1}},
		{"2001:db8:1:2::1", addressMethod, []int{3, 2, 0, 4, 1}},
		{"2001:db8:1:2:ffff:ffff:ffff:ffff", addressMethod, []int{3, 2, 0, 4, 1}},
		{"2001:db8:1:2::1%eth0", addressMethod, []int{3, 2, 0, 4, 1}},
		{"192.0.2.17", wide, []int{1, 2, 3, 4, 0}},
		{"192.0.2.200", wide, []int{1, 2, 3, 4, 0}},
	} {
		if got := orderOf(c.method, &fakeRequest{ip: c.ip}, set); !slices.Equal(got, c.want) {
			t.Errorf("%s/%d: %v, want %v", c.ip, c.method.SourceIP.IPv4PrefixLength, got, c.want)
		}
	}
}

// Ranks that differ only in their lower bits are compared exactly.
func TestRendezvous_almostEqualRanks(t *testing.T) {
	const key = 0x0123456789abcdef
	for low := range uint64(64) {
		hashes := make([]uint64, 64)
		for i := range hashes {
			hashes[i] = key ^ unmix(0x54<<32|(uint64(i)^low))
		}
		if at, top := highestOf(hashes, key); at != int(63^low) || top != 0x54<<32|63 {
			t.Fatalf("endpoint %d with rank %x, want %d", at, top, 63^low)
		}
	}
}

// unmix is the inverse of model.Mix.
func unmix(h uint64) uint64 {
	for _, factor := range []uint64{0xc4ceb9fe1a85ec53, 0xff51afd7ed558ccd} {
		inverse := factor // correct in its lowest 3 bits
		for range 5 {
			inverse *= 2 - factor*inverse // twice as many
		}
		h = (h ^ h>>33) * inverse
	}
	return h ^ h>>33
}

// orderOf returns the endpoints in the order in which they are tried.
func orderOf(m model.Method, req Request, set Set) []int {
	p := Compile(affinityOf(m))
	var d Decision
	p.Decide(&d, req, set, nil, &ConnState{}, 0)
	var order []int
	for at := d.Endpoint; at != none; at = p.Next(&d, req, set) {
		order = append(order, at)
	}
	return order
}

const placedKeys = 20_000

// placed returns, for each of many keys, the identity of its endpoint.
func placed(ids []string) []string {
	set := newSetOf(ids, ids, len(ids))
	at := make([]string, placedKeys)
	for k := range at {
		at[k] = set.name(place(set, model.IdentityPod, model.HashString("client-"+strconv.Itoa(k)), true, nil))
	}
	return at
}

func podIDs(n int) []string {
	ids := make([]string, n)
	for i := range ids {
		ids[i] = fmt.Sprintf("pod-%d", i)
	}
	return ids
}

func TestRendezvous_removeEndpoint(t *testing.T) {
	for _, n := range []int{2, 3, 5, 10, 20, 50} {
		ids := podIDs(n)
		before := placed(ids)
		for _, removed := range []int{0, n / 2, n - 1} {
			after := placed(slices.Delete(slices.Clone(ids), removed, removed+1))
			for k := range before {
				if before[k] != ids[removed] && before[k] != after[k] {
					t.Fatalf("%d endpoints without %s: key %d moved from %s to %s", n, ids[removed], k, before[k], after[k])
				}
			}
		}
	}
}

func TestRendezvous_addEndpoint(t *testing.T) {
	for _, n := range []int{1, 2, 3, 5, 10, 20, 50} {
		before := placed(podIDs(n))
		after := placed(podIDs(n + 1))
		moved := 0
		for k := range before {
			if before[k] == after[k] {
				continue
			}
			moved++
			if after[k] != fmt.Sprintf("pod-%d", n) {
				t.Fatalf("%d endpoints plus one: key %d moved from %s to %s", n, k, before[k], after[k])
			}
		}
		share := float64(moved) / placedKeys
		if allowed := 1/float64(n+1) + 0.02; share > allowed || moved == 0 {
			t.Errorf("%d endpoints plus one: %.4f moved, at most %.4f allowed", n, share, allowed)
		}
	}
}

func TestRendezvous_orderIndependent(t *testing.T) {
	ids := podIDs(20)
	want := placed(ids)
	random := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		random.Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
		if !slices.Equal(placed(ids), want) {
			t.Fatalf("different placement with endpoint order %v", ids)
		}
	}
}

func TestRendezvous_evenDistribution(t *testing.T) {
	for _, n := range []int{3, 20, 100} {
		count := map[string]int{}
		for _, id := range placed(podIDs(n)) {
			count[id]++
		}
		mean := float64(placedKeys) / float64(n)
		for id, got := range count {
			if over := float64(got) / mean; over > 1.3 || over < 0.7 {
				t.Errorf("%d endpoints: %s has %.2f times the mean", n, id, over)
			}
		}
	}
}

func TestRendezvous_drainingEndpoint(t *testing.T) {
	const value = "session-7" // ranks 3, 2, 4, 0, 1
	key := model.HashString(value)
	// The same endpoints in another order: the last two, which rank first and second, are draining.
	ids := []string{goldenEndpoints[4], goldenEndpoints[0], goldenEndpoints[1], goldenEndpoints[2], goldenEndpoints[3]}
	for _, c := range []struct {
		name  string
		keep  bool
		tried []int
		known int // the endpoint that has served the session, or -1
		want  int
	}{
		{"first one knows it", true, nil, 4, 4},
		{"second one knows it: it came when the first was draining already", true, nil, 3, 3},
		{"no draining one knows it", true, nil, none, 0},
		{"a ready one knows it", true, nil, 0, 0},
		{"draining endpoints are not to keep sessions", false, nil, 4, 0},
		{"it cannot be reached", true, []int{4}, 4, 0},
	} {
		set := newSetOf(ids, ids, 3)
		set.known = map[uint64]int{key: c.known}
		if got := place(set, model.IdentityPod, key, c.keep, c.tried); got != c.want {
			t.Errorf("%s: endpoint %d, want %d", c.name, got, c.want)
		}
	}
}
