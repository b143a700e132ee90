package upstream

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

const (
	ready    = model.EndpointReady
	draining = model.EndpointDraining
)

// poolOf returns a pool with an endpoint for each word. Words in parentheses are draining.
func poolOf(words string) *Pool {
	p := NewRegistry().Pool(model.PoolID{Namespace: "shop", Service: "cart", Port: 80})
	p.Replace(endpoints(words))
	return p
}

func endpoints(words string) []model.Endpoint {
	var all []model.Endpoint
	for _, word := range strings.Fields(words) {
		name := strings.Trim(word, "()")
		e := model.Endpoint{ID: "uid-" + name, Pod: name, Address: name + ":80", State: ready}
		if name != word {
			e.State = draining
		}
		all = append(all, e)
	}
	return all
}

func names(s *Set) string {
	var all []string
	for i := range s.Len() {
		name := s.Endpoint(i).Pod
		if i >= s.Ready() {
			name = "(" + name + ")"
		}
		all = append(all, name)
	}
	return strings.Join(all, " ")
}

func TestSet_order(t *testing.T) {
	for words, want := range map[string]string{
		"":                "",
		"b a c":           "a b c",
		"(a) b (c) d":     "b d (a) (c)",
		"(b) (a)":         "a b", // draining endpoints serve if there are no others
		"e (d) (c) b (a)": "b e (a) (c) (d)",
	} {
		given := endpoints(words)
		for range 10 {
			rand.Shuffle(len(given), func(i, j int) { given[i], given[j] = given[j], given[i] })
			p := poolOf("")
			p.Replace(given)
			if got := names(p.Set()); got != want {
				t.Errorf("%q: got %q, want %q", words, got, want)
			}
		}
	}
}

func TestSet_allDraining(t *testing.T) {
	for words, want := range map[string]bool{"a b": false, "a (b)": false, "(a) (b)": true, "(a)": true} {
		set := poolOf(words).Set()
		if set.AllDraining() != want {
			t.Errorf("%q: AllDraining is %v", words, set.AllDraining())
		}
		if want && set.Ready() != set.Len() {
			t.Errorf("%q: %d of %d accept new sessions, want all", words, set.Ready(), set.Len())
		}
	}
}

// The state of an endpoint survives the change to a set in which all endpoints are draining.
func TestSet_allDrainingKeepsSessions(t *testing.T) {
	p := poolOf("(a) b c")
	p.Set().Endpoint(0).SessionServed(7) // b: ready endpoints come first
	p.Replace(endpoints("(a) (b) (c)"))
	for i := range p.Set().Len() {
		if name := p.Set().Endpoint(i).Pod; p.Set().HasServed(i, 7) != (name == "b") {
			t.Errorf("%s HasServed: %v", name, p.Set().HasServed(i, 7))
		}
	}
}

func TestLookup_bothIdentities(t *testing.T) {
	p := poolOf("")
	p.Replace([]model.Endpoint{
		{ID: "uid-1", Pod: "cart-0", Address: "10.0.0.1:80", State: ready},
		{ID: "uid-2", Pod: "cart-1", Address: "10.0.0.2:80", State: draining},
		{ID: "10.0.0.3:80", Address: "10.0.0.3:80", State: ready}, // no pod
	})
	set := p.Set()
	for identity, of := range map[model.Identity]func(*Endpoint) string{
		model.IdentityPod: func(e *Endpoint) string { return e.ID },
		model.IdentityPodName: func(e *Endpoint) string {
			if e.Pod == "" {
				return e.ID
			}
			return e.Pod
		},
	} {
		for i := range set.Len() {
			want := of(set.Endpoint(i))
			if key := set.Key(identity, i); key != model.KeyOf(strings.TrimSuffix(want, ":80")) { // the IP address for every port
				t.Errorf("%s: the key of %s is %x", identity, want, key)
			}
			if hash := set.IdentityHashes(identity)[i]; hash != model.HashString(want) {
				t.Errorf("%s: the hash of %s is %x", identity, want, hash)
			}
			if at, ok := set.Lookup(identity, model.KeyOf(want)); at != i || !ok {
				t.Errorf("%s: %s is found at %d, %v", identity, want, at, ok)
			}
		}
		if at, ok := set.Lookup(identity, model.KeyOf("cart-9")); ok {
			t.Errorf("%s: unknown key found at %d", identity, at)
		}
	}
}

// While a StatefulSet replaces a pod, the old and the new pod have the same name.
func TestLookup_prefersReadyPod(t *testing.T) {
	p := poolOf("")
	p.Replace([]model.Endpoint{
		{ID: "uid-1", Pod: "cart-0", Address: "10.0.0.1:80", State: draining},
		{ID: "uid-2", Pod: "cart-0", Address: "10.0.0.2:80", State: ready},
	})
	if at, ok := p.Set().Lookup(model.IdentityPodName, model.KeyOf("cart-0")); !ok || p.Set().Endpoint(at).ID != "uid-2" {
		t.Errorf("found at %d, %v", at, ok)
	}
}

func TestSet_loadOfRefusingEndpoint(t *testing.T) {
	set := poolOf("a b").Set()
	a := set.Endpoint(0)
	a.BeginRequest()
	a.BeginRequest()
	a.EndRequest()
	a.SessionServed(model.Mix(1))
	if set.ActiveRequests(0) != 1 || set.Sessions(0) != 1 || !set.HasServed(0, model.Mix(1)) {
		t.Errorf("%d requests, %d sessions", set.ActiveRequests(0), set.Sessions(0))
	}
	if set.ActiveRequests(1) != 0 || set.Sessions(1) != 0 || set.HasServed(1, model.Mix(1)) {
		t.Errorf("of another: %d requests, %d sessions", set.ActiveRequests(1), set.Sessions(1))
	}
	a.ConnectFailed()
	if set.ActiveRequests(0) != math.MaxInt64 || set.Sessions(0) != math.MaxInt64 || a.InFlight() != 1 || a.Sessions() != 1 {
		t.Errorf("while it refuses: %d requests, %d sessions", set.ActiveRequests(0), set.Sessions(0))
	}
	a.ConnectSucceeded()
	if set.ActiveRequests(0) != 1 {
		t.Errorf("when it accepts again: %d requests", set.ActiveRequests(0))
	}
}

func TestNextTurn_acrossChanges(t *testing.T) {
	p := poolOf("a b")
	var turns []uint64
	for _, words := range []string{"a b", "a b c", "c"} {
		p.Replace(endpoints(words))
		turns = append(turns, p.Set().NextTurn(), p.Set().NextTurn())
	}
	if !slices.Equal(turns, []uint64{1, 2, 3, 4, 5, 6}) {
		t.Errorf("turns %v", turns)
	}
}

func TestSet_portsShareEndpoints(t *testing.T) {
	pool := func(port string, addresses ...string) *Set {
		p := NewRegistry().Pool(model.PoolID{Namespace: "shop", Service: "cart", Port: 80})
		var all []model.Endpoint
		for _, host := range addresses {
			address := host + ":" + port
			all = append(all, model.Endpoint{ID: address, Address: address, State: ready})
		}
		p.Replace(all)
		return p.Set()
	}
	web, ws := pool("80", "10.0.0.1", "10.0.0.2", "[fd00::1]"), pool("81", "10.0.0.1", "10.0.0.2", "[fd00::1]")
	for i := range web.Len() {
		at, ok := ws.Lookup(model.IdentityPod, web.Key(model.IdentityPod, i))
		if !ok || ws.Address(at)[:len(ws.Address(at))-2] != web.Address(i)[:len(web.Address(i))-2] {
			t.Errorf("the key of %s finds endpoint %d, %v on the other port", web.Address(i), at, ok)
		}
		if at, ok := web.Lookup(model.IdentityPod, model.KeyOf(web.Address(i))); !ok || at != i {
			t.Errorf("the address %s finds endpoint %d, %v", web.Address(i), at, ok)
		}
	}
}

func TestSet_endpointsOfOneAddress(t *testing.T) {
	p := NewRegistry().Pool(model.PoolID{Namespace: "shop", Service: "cart", Port: 80})
	p.Replace([]model.Endpoint{
		{ID: "10.0.0.1:80", Address: "10.0.0.1:80", State: ready}, {ID: "10.0.0.1:81", Address: "10.0.0.1:81", State: ready},
	})
	for i := range 2 {
		if at, ok := p.Set().Lookup(model.IdentityPod, p.Set().Key(model.IdentityPod, i)); !ok || at != i {
			t.Errorf("the key of endpoint %d finds endpoint %d, %v", i, at, ok)
		}
	}
}
