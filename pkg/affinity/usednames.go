package affinity

import (
	"sync"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/model"
)

// UsedNames records which names of cookies and headers an app uses although a policy issues tokens in them. It outlives the
// Policies, so that the record is kept when a Policy is compiled again. It is safe for concurrent use.
type UsedNames struct {
	mu    sync.Mutex
	flags map[usedName]*atomic.Bool
}

// usedName is a name in which a policy issues the tokens of a scope.
type usedName struct {
	policy model.Ref
	scope  string
	source model.Source
	name   string
}

// maxUsedNames bounds the record. When it is full, it starts again, and each name is avoided once the app has used it again.
const maxUsedNames = 100_000

// flag returns the flag of a name. It is set once the app has used the name.
func (u *UsedNames) flag(name usedName) *atomic.Bool {
	if u == nil {
		return new(atomic.Bool)
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if flag := u.flags[name]; flag != nil {
		return flag
	}
	if u.flags == nil || len(u.flags) >= maxUsedNames {
		u.flags = map[usedName]*atomic.Bool{}
	}
	flag := new(atomic.Bool)
	u.flags[name] = flag
	return flag
}
