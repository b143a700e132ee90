package affinity

import (
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

const (
	nginxName = "default-http-svc-80"
	nginxMark = "5a881deec44117eee2efd3540198e203"
)

var nginxModes = map[string]bool{"persistent": false, "balanced": true}

// forNginx returns a policy whose cookies ingress-nginx recognizes.
func forNginx(balanced bool) *Policy {
	a := affinityOf(cookieMethod)
	a.Adopt, a.AdoptBackends = []model.Adopted{model.AdoptIngressNginx}, []string{nginxName, "default-http-svc-http"}
	a.NginxCookie = &model.NginxCookie{Backend: nginxName, Balanced: balanced}
	return Compile(a)
}

// atNginx returns the address to which ingress-nginx sends a request with a cookie value, "" if it picks a new one. It follows
// get_cookie_parsed and balance in sticky.lua.
func atNginx(value string, balanced bool, addresses []string) string {
	key, _, _ := strings.Cut(value, "|")
	if balanced {
		return nginxRing(addresses)(key)
	}
	for _, address := range addresses {
		if md5Hex(nginxName+address) == key {
			return address
		}
	}
	return ""
}

// issuedValue returns the value of the cookie that d issues.
func issuedValue(t *testing.T, p *Policy, d *Decision, set Set, ring *Keyring) string {
	t.Helper()
	if !d.Issue {
		t.Fatal("no cookie is issued")
	}
	field := string(p.AppendToken(nil, d, set, ring, &ConnState{}, false))
	value, _, _ := strings.Cut(field, ";")
	return strings.TrimPrefix(value, "cart-id=")
}

func TestNginxCookie_leadsToThePod(t *testing.T) {
	for name, balanced := range nginxModes {
		t.Run(name, func(t *testing.T) {
			p, set, ring := forNginx(balanced), adoptionSet(), newRing(t, 1)
			seen := map[string]bool{}
			for n := range 300 {
				set.requests = []int64{5, 5, 5}
				set.requests[n%3] = 0
				d := decideBy(p, ring, &fakeRequest{}, set)
				value := issuedValue(t, p, &d, set, ring)
				if got := atNginx(value, balanced, adoptable); got != adoptable[n%3] {
					t.Fatalf("%s: ingress-nginx uses %q, want %s", value, got, adoptable[n%3])
				}
				parts := strings.Split(value, "|")
				if len(parts) != 3 || parts[1] != nginxMark || len(parts[2]) != TokenLen {
					t.Fatalf("value = %q", value)
				}
				seen[parts[0]] = true
				again := decideBy(p, ring, &fakeRequest{cookies: []string{"cart-id=" + value}}, set)
				if again.Endpoint != d.Endpoint || again.Session != d.Session || outcomeOf(&again) != "hit" || again.Issue {
					t.Fatalf("%q: %s on %d, issue %v", value, outcomeOf(&again), again.Endpoint, again.Issue)
				}
			}
			if want := map[bool]int{false: 3, true: 250}[balanced]; len(seen) < want {
				t.Errorf("%d different keys, want at least %d", len(seen), want)
			}
		})
	}
}

// The token decides, also where ingress-nginx would choose another pod: with more pods, or with a plain token of the time before
// the flag was set. The response then has a cookie that leads to the pod.
func TestNginxCookie_isCorrected(t *testing.T) {
	more := append([]string{"10.0.0.2:8080", "10.0.0.3:8080", "10.0.0.9:8080"}, adoptable...)
	for name, balanced := range nginxModes {
		p, ring, small, large := forNginx(balanced), newRing(t, 1), adoptionSet(), newSetOf(more, more, 6)
		moved := 0
		for range 100 {
			d := decideBy(p, ring, &fakeRequest{}, small)
			home, value := small.Address(d.Endpoint), issuedValue(t, p, &d, small, ring)
			if atNginx(value, balanced, more) != home {
				moved++
			}
			for _, sent := range []string{value, value[len(value)-TokenLen:]} {
				d := decideBy(p, ring, &fakeRequest{cookies: []string{"cart-id=" + sent}}, large)
				if large.Address(d.Endpoint) != home || outcomeOf(&d) != "hit" {
					t.Fatalf("%s: %s on %s, want %s", name, outcomeOf(&d), large.Address(d.Endpoint), home)
				}
				if atNginx(sent, balanced, more) == home && sent == value {
					if d.Issue {
						t.Fatalf("%s: a correct cookie is issued again", name)
					}
					continue
				}
				if now := issuedValue(t, p, &d, large, ring); atNginx(now, balanced, more) != home {
					t.Fatalf("%s: %s does not lead to %s", name, now, home)
				}
			}
		}
		if (moved > 0) != balanced {
			t.Errorf("%s: %d cookies lead elsewhere with more pods", name, moved)
		}
	}
}

func TestNginxCookie_isReadWithoutTheFlag(t *testing.T) {
	p, set, ring := forNginx(false), adoptionSet(), newRing(t, 1)
	d := decideBy(p, ring, &fakeRequest{}, set)
	value := issuedValue(t, p, &d, set, ring)
	if !ring.HasSealed([]byte(value)) {
		t.Error("the app would receive the cookie")
	}
	set.requests = []int64{9, 0, 0} // a new client would use another endpoint
	again := decideBy(adopting(model.AdoptIngressNginx), ring, &fakeRequest{cookies: []string{"cart-id=" + value}}, set)
	if again.Endpoint != d.Endpoint || again.Session != d.Session || again.Issue {
		t.Errorf("%s on %d, issue %v", outcomeOf(&again), again.Endpoint, again.Issue)
	}
}

// ingress-nginx does not use a draining pod, and a cookie that leads to another one would be wrong.
func TestNginxCookie_drainingPod(t *testing.T) {
	for name, balanced := range nginxModes {
		p, ring, before := forNginx(balanced), newRing(t, 1), adoptionSet()
		before.requests = []int64{5, 5, 0}
		d := decideBy(p, ring, &fakeRequest{}, before)
		value := issuedValue(t, p, &d, before, ring)
		draining := newSetOf(adoptable, adoptable, 2)
		again := decideBy(p, ring, &fakeRequest{cookies: []string{"cart-id=" + value}}, draining)
		if again.Endpoint != 2 || again.Issue {
			t.Errorf("%s: %s on %d, issue %v", name, outcomeOf(&again), again.Endpoint, again.Issue)
		}
		again.Issue, again.issuingMethod = true, 0
		if got := issuedValue(t, p, &again, draining, ring); len(got) != TokenLen {
			t.Errorf("%s: value = %q, want only a token", name, got)
		}
	}
}

// A token that has expired must not live on as a cookie of ingress-nginx.
func TestNginxCookie_expiredToken(t *testing.T) {
	a := affinityOf(cookieMethod)
	a.Adopt, a.AdoptBackends, a.AbsoluteTimeout = []model.Adopted{model.AdoptIngressNginx}, []string{nginxName}, 1
	a.NginxCookie = &model.NginxCookie{Backend: nginxName}
	p, set, ring := Compile(a), adoptionSet(), newRing(t, 1)
	d := decideBy(p, ring, &fakeRequest{}, set)
	value := issuedValue(t, p, &d, set, ring)
	set.requests = []int64{9, 0, 9}
	var later Decision
	p.Decide(&later, &fakeRequest{cookies: []string{"cart-id=" + value}}, set, ring, &ConnState{}, testNow+10)
	if outcomeOf(&later) != "moved/expired" || later.Endpoint != 1 {
		t.Errorf("%s on %d", outcomeOf(&later), later.Endpoint)
	}
}

func TestAppendBalancedKey_everyTarget(t *testing.T) {
	targets := []uint32{0, 1, 1 << 31, 1<<32 - 1}
	for range 1000 {
		targets = append(targets, rand.Uint32())
	}
	for i, target := range targets {
		key := appendBalancedKey(nil, target, testNow+int64(i))
		if crc32.ChecksumIEEE(key) != target || !strings.HasPrefix(string(key), fmt.Sprint(testNow+int64(i), ".1.")) ||
			strings.Trim(string(key[len(key)-keyDigits:]), "01234567") != "" {
			t.Fatalf("key %q has %08x, want %08x", key, crc32.ChecksumIEEE(key), target)
		}
	}
}

func TestNginxCookie_doesNotAllocate(t *testing.T) {
	for name, balanced := range nginxModes {
		p, set, ring := forNginx(balanced), adoptionSet(), newRing(t, 1)
		var d Decision
		var state ConnState
		out := make([]byte, 0, 1024)
		p.Decide(&d, &fakeRequest{}, set, ring, &state, testNow)
		req, fresh := newStage(t, 3, cookieMethod).req, &fakeRequest{}
		req.cookie = []byte("cart-id=" + issuedValue(t, p, &d, set, ring))
		for what, act := range map[string]func(){
			"Decide for a new client": func() { p.Decide(&d, fresh, set, ring, &state, testNow) },
			"AppendToken":             func() { out = p.AppendToken(out[:0], &d, set, ring, &state, true) },
			"Decide for a known one":  func() { p.Decide(&d, &req, set, ring, &state, testNow) },
		} {
			if n := testing.AllocsPerRun(100, act); n != 0 {
				t.Errorf("%s: %s: %v allocations", name, what, n)
			}
		}
	}
}
