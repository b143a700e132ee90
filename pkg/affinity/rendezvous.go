package affinity

import (
	"slices"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Rendezvous hashing (Thaler and Ravishankar, 1996): each endpoint has a rank of its own for each key, and the highest
// rank wins. An endpoint that comes or goes moves no key between two others, and the order of endpoints is of no
// account.

// rank is that of an endpoint for a key.
func rank(key, seed uint64) uint64 { return model.Mix(key ^ seed) }

// highest is the endpoint that ranks first for key, passing over those in spent, and its rank; -1 if there is none.
func highest(seeds []uint64, key uint64, spent []int) (at int, top uint64) {
	at = none
	for i, seed := range seeds {
		r := rank(key, seed)
		if (r > top || at == none) && !slices.Contains(spent, i) {
			at, top = i, r
		}
	}
	return at, top
}

// place is where a hashed session goes: to the ready endpoint that ranks first, or to a draining one that ranks higher
// still and knows the session, which it keeps until it is gone.
func place(set Set, id model.Identity, session uint64, keepDraining bool, spent []int) int {
	seeds, ready := set.Seeds(id), set.Ready()
	at, top := highest(seeds[:ready], session, spent)
	if !keepDraining {
		return at
	}
	for i := ready; i < len(seeds); i++ {
		r := rank(session, seeds[i])
		if (r > top || at == none) && set.Knows(i, session) && !slices.Contains(spent, i) {
			at, top = i, r
		}
	}
	return at
}
