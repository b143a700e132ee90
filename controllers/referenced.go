package controllers

import (
	"sync"

	"github.com/limpet-dev/limpet/pkg/model"
)

// referenced is the Services and Secrets that the last table was built from, also those that did not exist, and the
// endpoints that it was told by: a change of any other one cannot change the table. Safe for concurrent use.
type referenced struct {
	mu  sync.Mutex
	set map[model.Ref]struct{}
	// missed are the objects that changed during a build without being in the set. The build may bring them into it,
	// after having listed them as they were before.
	missed   map[model.Ref]struct{}
	building bool
}

// has says whether a change of the object matters.
func (r *referenced) has(ref model.Ref) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.set[ref]; ok {
		return true
	}
	if r.building {
		r.missed[ref] = struct{}{}
	}
	return false
}

// begin is called before the objects of a build are listed.
func (r *referenced) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.building, r.missed = true, map[model.Ref]struct{}{}
}

// end takes the set that a build has found, and says whether one of its objects was missed: then build once more.
func (r *referenced) end(set map[model.Ref]struct{}) (again bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for ref := range r.missed {
		if _, ok := set[ref]; ok {
			again = true
		}
	}
	r.set, r.missed, r.building = set, nil, false
	return again
}
