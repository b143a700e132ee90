package controllers

import (
	"sync"

	"github.com/limpet-dev/limpet/pkg/model"
)

// referencedObjects is the set of objects that the last table depends on: Services, Secrets and endpoints,
// including those that did not exist. A change of any other such object cannot change the table. It is safe for
// concurrent use.
type referencedObjects struct {
	mu  sync.Mutex
	set map[model.Ref]struct{}
	// missed contains objects that changed during a build and were not in set. The build may have listed such an
	// object before it changed, and may add it to the set.
	missed   map[model.Ref]struct{}
	building bool
}

// contains reports whether the last table depends on the object. During a build it also records objects that are
// not in the set.
func (r *referencedObjects) contains(ref model.Ref) bool {
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

// beginBuild must be called before the objects of a build are listed.
func (r *referencedObjects) beginBuild() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.building, r.missed = true, map[model.Ref]struct{}{}
}

// endBuild replaces the set with the objects that the build depends on. It reports whether one of them changed
// during the build, so that another build is needed.
func (r *referencedObjects) endBuild(set map[model.Ref]struct{}) (rebuild bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for ref := range r.missed {
		if _, ok := set[ref]; ok {
			rebuild = true
		}
	}
	r.set, r.missed, r.building = set, nil, false
	return rebuild
}
