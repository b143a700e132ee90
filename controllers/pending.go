package controllers

import (
	"sync"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/translate"
)

// pendingChanges are the changes since the last build. They refer to the objects of the cache, which are not copied. It is
// safe for concurrent use.
type pendingChanges struct {
	mu      sync.Mutex
	changes map[model.Ref]translate.Change
	// endpoints are the Services whose endpoints may change the Reports.
	endpoints map[model.Ref]struct{}
	building  bool
}

// put records the new state of an object. Nil means that it was deleted.
func (p *pendingChanges) put(ref model.Ref, object client.Object) {
	change := translate.Change{Ref: ref}
	if object != nil {
		change.Object = object
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.set(change)
}

// set records a change. p.mu must be held.
func (p *pendingChanges) set(change translate.Change) {
	if p.changes == nil {
		p.changes = map[model.Ref]translate.Change{}
	}
	p.changes[change.Ref] = change
}

// putEndpoints records a change of the endpoints of a Service if it may change the Reports, and reports whether it may. During
// a build any Service may be about to be read.
func (p *pendingChanges) putEndpoints(ref model.Ref) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.endpoints[ref]; !ok && !p.building {
		return false
	}
	p.set(translate.Change{Ref: ref})
	return true
}

// begin returns the changes, and forgets them.
func (p *pendingChanges) begin() []translate.Change {
	p.mu.Lock()
	defer p.mu.Unlock()
	changes := make([]translate.Change, 0, len(p.changes))
	for _, change := range p.changes {
		changes = append(changes, change)
	}
	p.changes, p.building = nil, true
	return changes
}

// end must be called after the changes of begin were applied. referenced is Update.Referenced.
func (p *pendingChanges) end(referenced map[model.Ref]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.building = false
	for ref, is := range referenced {
		switch {
		case ref.Kind != translate.KindEndpoints:
		case !is:
			delete(p.endpoints, ref)
		case p.endpoints == nil:
			p.endpoints = map[model.Ref]struct{}{ref: {}}
		default:
			p.endpoints[ref] = struct{}{}
		}
	}
}
