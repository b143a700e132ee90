package filter

import (
	"runtime"
	"sync"
	"weak"

	"github.com/limpet-dev/limpet/pkg/model"
)

// limiters has the clientLimiter of each object. They survive the tables that use them, because the next table looks them up
// before the previous one is freed.
var limiters = limiterRegistry{byObject: map[model.Ref]weak.Pointer[clientLimiter]{}}

// limiterRegistry finds limiters that are in use. It does not keep them.
type limiterRegistry struct {
	mu       sync.Mutex
	byObject map[model.Ref]weak.Pointer[clientLimiter]
}

// get returns the limiter of an object, a new one if none is in use.
func (r *limiterRegistry) get(object model.Ref) *clientLimiter {
	r.mu.Lock()
	defer r.mu.Unlock()
	if l := r.byObject[object].Value(); l != nil {
		return l
	}
	l := newClientLimiter(object)
	r.byObject[object] = weak.Make(l)
	runtime.AddCleanup(l, r.forget, object)
	return l
}

// forget removes the entry of a limiter that was freed, unless there is another one since.
func (r *limiterRegistry) forget(object model.Ref) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byObject[object].Value() == nil {
		delete(r.byObject, object)
	}
}
