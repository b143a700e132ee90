package affinity

import (
	"math/rand/v2"
	"slices"

	"github.com/limpet-dev/limpet/pkg/model"
)

// none stands for no endpoint and for no method.
const none = -1

// Pick chooses a ready endpoint for a client that nothing binds, -1 if there is none.
func Pick(set Set, pick model.Pick, req Request) int {
	return pickUnspent(set, pick, model.IdentityPod, req, nil)
}

// pickUnspent passes over the endpoints in spent. The identity is what PickHash knows endpoints by.
func pickUnspent(set Set, pick model.Pick, id model.Identity, req Request, spent []int) int {
	if set.Ready() == 0 {
		return none
	}
	switch pick {
	case model.PickLeastSessions, model.PickLeastRequests:
		return least(set, pick, spent)
	case model.PickRoundRobin:
		return nextInTurn(set, spent)
	case model.PickHash:
		at, _ := highest(set.Seeds(id)[:set.Ready()], hashOfNetwork(req), spent)
		return at
	default:
		return lessBusyOfTwo(set, spent)
	}
}

// least starts at another endpoint each time, so that equal ones take turns.
func least(set Set, pick model.Pick, spent []int) int {
	ready := set.Ready()
	start := int(set.Turn() % uint64(ready))
	at, low := none, int64(0)
	for n := range ready {
		i := (start + n) % ready
		load := load(set, pick, i)
		if (at == none || load < low) && !slices.Contains(spent, i) {
			at, low = i, load
		}
	}
	return at
}

func load(set Set, pick model.Pick, i int) int64 {
	if pick == model.PickLeastSessions {
		return set.Sessions(i)
	}
	return set.Requests(i)
}

func nextInTurn(set Set, spent []int) int {
	ready := set.Ready()
	return unspentFrom(int(set.Turn()%uint64(ready)), ready, spent)
}

// lessBusyOfTwo is nearly as even as the least busy of all, at a fixed cost, and does not send everyone to the same
// endpoint at once (Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 1996).
func lessBusyOfTwo(set Set, spent []int) int {
	ready := set.Ready()
	a := unspentFrom(rand.IntN(ready), ready, spent)
	if ready == 1 || a == none {
		return a
	}
	b := unspentFrom((a+1+rand.IntN(ready-1))%ready, ready, spent)
	if set.Requests(b) < set.Requests(a) {
		return b
	}
	return a
}

// unspentFrom is the first of n endpoints that is not spent, counting round from start; -1 if all are.
func unspentFrom(start, n int, spent []int) int {
	for k := range n {
		if i := (start + k) % n; !slices.Contains(spent, i) {
			return i
		}
	}
	return none
}
