package affinity

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"slices"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

func adopting(controllers ...model.Adopted) *Policy {
	a := affinityOf(cookieMethod)
	a.Adopt, a.AdoptBackends = controllers, []string{"default-http-svc-80", "default-http-svc-http"}
	return Compile(a)
}

var adoptable = []string{"10.0.0.4:8080", "10.0.0.5:8080", "[fd00::7]:8080"}

func adoptionSet() *fakeSet {
	set := newSetOf(adoptable, adoptable, 3)
	set.requests = []int64{0, 5, 5} // a client that is not adopted uses the first endpoint
	return set
}

func md5Hex(text string) string { sum := md5.Sum([]byte(text)); return hex.EncodeToString(sum[:]) }

func sha256Hex(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestAdopt_onlyOnce(t *testing.T) {
	mark := "|5a881deec44117eee2efd3540198e203"
	for _, c := range []struct {
		name, value string
		controller  model.Adopted
		want        int
	}{
		// The vector from research/affinity-features.md, section 2a.
		{"ingress-nginx", "dff8f26d85867582fc6052e4fc181905" + mark, model.AdoptIngressNginx, 1},
		{"ingress-nginx, IPv6", md5Hex("default-http-svc-80[fd00::7]:8080") + mark, model.AdoptIngressNginx, 2},
		{"ingress-nginx, port by name", md5Hex("default-http-svc-http10.0.0.5:8080") + "|" +
			md5Hex(md5Hex("default-http-svc-http")+"default-http-svc-http"), model.AdoptIngressNginx, 1},
		{"ingress-nginx, its pod is gone", md5Hex("default-http-svc-8010.0.0.9:8080") + mark, model.AdoptIngressNginx, none},
		{"ingress-nginx, another backend", "dff8f26d85867582fc6052e4fc181905|" + md5Hex("x"), model.AdoptIngressNginx, none},
		{"ingress-nginx, not asked for", "dff8f26d85867582fc6052e4fc181905" + mark, model.AdoptNGINX, none},
		{"Traefik", sha256Hex("http://10.0.0.5:8080")[:16], model.AdoptTraefik, 1},
		{"Traefik, as it was", "http://10.0.0.5:8080", model.AdoptTraefik, 1},
		{"NGINX", md5Hex("10.0.0.5:8080"), model.AdoptNGINX, 1},
		{"garbage", "garbage", model.AdoptNGINX, none},
	} {
		p, set, ring := adopting(c.controller), adoptionSet(), newRing(t, 1)
		var d Decision
		p.Decide(&d, &fakeRequest{cookies: []string{"cart-id=" + c.value}}, set, ring, &ConnState{}, testNow)
		if c.want == none {
			if d.Outcome != OutcomeInvalid || d.Endpoint != 0 {
				t.Errorf("%s: %s on %d, want invalid", c.name, outcomeOf(&d), d.Endpoint)
			}
			continue
		}
		if d.Outcome != OutcomeHit || d.Endpoint != c.want || !d.Issue || d.Session == 0 {
			t.Errorf("%s: %s on %d, issue %v; want hit on %d", c.name, outcomeOf(&d), d.Endpoint, d.Issue, c.want)
		}
	}
}

// nginxRing computes the ring of ingress-nginx independently of newKetamaRing: all points, sorted.
func nginxRing(addresses []string) func(key string) string {
	type point struct {
		hash    uint32
		address string
	}
	var points []point
	for _, address := range addresses {
		previous := []byte{0, 0, 0, 0}
		for range 160 {
			hash := crc32.ChecksumIEEE(append([]byte(address), previous...))
			previous = []byte{byte(hash), byte(hash >> 8), byte(hash >> 16), byte(hash >> 24)}
			points = append(points, point{hash, address})
		}
	}
	slices.SortFunc(points, func(a, b point) int { return int(int64(a.hash) - int64(b.hash)) })
	return func(key string) string {
		from := crc32.ChecksumIEEE([]byte(key))
		for _, p := range points {
			if p.hash >= from {
				return p.address
			}
		}
		return points[0].address
	}
}

func TestAdopt_ingressNginxBalanced(t *testing.T) {
	p, set, owner := adopting(model.AdoptIngressNginx), adoptionSet(), nginxRing(adoptable)
	used := map[int]int{}
	for n := range 500 {
		key := fmt.Sprintf("1700000%03d.%d.31.%d", n, n%7, n*7919)
		var d Decision
		cookie := "cart-id=" + key + "|5a881deec44117eee2efd3540198e203"
		p.Decide(&d, &fakeRequest{cookies: []string{cookie}}, set, newRing(t, 1), &ConnState{}, testNow)
		if set.name(d.Endpoint) != owner(key) || d.Outcome != OutcomeHit {
			t.Fatalf("%s: %s, %s; want %s", key, set.name(d.Endpoint), d.Outcome, owner(key))
		}
		used[d.Endpoint]++
	}
	if len(used) != 3 {
		t.Errorf("endpoints used: %v", used)
	}
}

// The method's cookie has another name than the cookie of the other controller.
func TestAdopt_additionalCookie(t *testing.T) {
	a := affinityOf(cookieMethod)
	a.Adopt, a.AdoptCookie = []model.Adopted{model.AdoptNGINX}, "route"
	p, set, ring := Compile(a), adoptionSet(), newRing(t, 1)
	theirs := "route=" + md5Hex("10.0.0.5:8080")
	token := cookieField(t, ring, []sealed{{name: "cart-id", endpoint: adoptable[2], session: 77}})
	for _, c := range []struct {
		cookies []string
		at      int
		outcome string
		issues  bool
	}{
		{[]string{theirs}, 1, "hit", true},
		{[]string{theirs, token[0]}, 2, "hit", false},
		{[]string{"route=" + md5Hex("10.0.0.9:8080")}, 0, "new", true},
		{[]string{"route=" + md5Hex("10.0.0.9:8080") + "; " + theirs}, 1, "hit", true},
		{nil, 0, "new", true},
	} {
		d := decideBy(p, ring, &fakeRequest{cookies: c.cookies}, set)
		if d.Endpoint != c.at || outcomeOf(&d) != c.outcome || d.Issue != c.issues {
			t.Errorf("%q: %s on %d, issue %v", c.cookies, outcomeOf(&d), d.Endpoint, d.Issue)
		}
	}
}

func TestAdopt_tokenTakesPrecedence(t *testing.T) {
	p, set, ring := adopting(model.AdoptNGINX), adoptionSet(), newRing(t, 1)
	token := cookieField(t, ring, []sealed{{name: "cart-id", endpoint: adoptable[2], session: 77}})
	foreign := "cart-id=" + md5Hex("10.0.0.5:8080")
	for _, cookies := range [][]string{{foreign, token[0]}, {token[0], foreign}} {
		var d Decision
		p.Decide(&d, &fakeRequest{cookies: cookies}, set, ring, &ConnState{}, testNow)
		if d.Endpoint != 2 || d.Session != 77 || d.Issue {
			t.Errorf("%v: endpoint %d, session %d, issue %v", cookies, d.Endpoint, d.Session, d.Issue)
		}
	}
}

// countingSet counts the lookups of endpoint addresses.
type countingSet struct {
	*fakeSet
	looked int
}

func (s *countingSet) Address(i int) string {
	s.looked++
	return s.fakeSet.Address(i)
}

func TestAdopt_indexIsReused(t *testing.T) {
	a := affinityOf(cookieMethod)
	a.Adopt = []model.Adopted{model.AdoptIngressNginx, model.AdoptTraefik, model.AdoptNGINX}
	a.AdoptBackends = []string{"shop-cart-80"}
	adoption, set := compileAdoption(a), &countingSet{fakeSet: worstSet(1000)}
	find := func() {
		for _, value := range []string{md5Hex("x"), md5Hex("x") + "|" + markOf("shop-cart-80"), "1.2|" + markOf("shop-cart-80"), "http://x"} {
			adoption.find([]byte(value), set)
		}
	}
	find()
	built := set.looked
	find()
	if set.looked != built {
		t.Errorf("%d addresses were read again", set.looked-built)
	}
	other := &countingSet{fakeSet: worstSet(7)}
	if at := adoption.find([]byte(md5Hex(other.Address(5))), other); at != 5 {
		t.Errorf("after an endpoint change: endpoint %d, want 5", at)
	}
}

// findBalancedSlowly finds the endpoint of the nearest ring point without an index.
func findBalancedSlowly(key []byte, set Set) int {
	from := crc32.ChecksumIEEE(key)
	at, nearest := none, uint32(0)
	for i := range set.Ready() {
		base, point := crc32.ChecksumIEEE([]byte(set.Address(i))), [4]byte{}
		for range pointsPerEndpoint {
			hash := crc32.Update(base, crc32.IEEETable, point[:])
			binary.LittleEndian.PutUint32(point[:], hash)
			if distance := hash - from; at == none || distance < nearest {
				at, nearest = i, distance
			}
		}
	}
	return at
}

func TestFindBalanced_matchesSlowSearch(t *testing.T) {
	a := affinityOf(cookieMethod)
	a.Adopt, a.AdoptBackends = []model.Adopted{model.AdoptIngressNginx}, []string{"shop-cart-80"}
	for _, endpoints := range []int{0, 1, 3, 50} {
		adoption, set := compileAdoption(a), worstSet(endpoints)
		for i := range 500 {
			key := []byte(fmt.Sprint("1700000000.", i))
			if got, want := adoption.findBalanced(key, set), findBalancedSlowly(key, set); got != want {
				t.Fatalf("%d endpoints, key %s: %d, want %d", endpoints, key, got, want)
			}
		}
	}
}
