package upstream

import (
	"slices"

	"github.com/limpet-dev/limpet/pkg/model"
)

// maxRemovedKeys is the maximum number of removed endpoints that a Set remembers. An entry is useful only for some
// seconds after the removal.
const maxRemovedKeys = 64

// removedKeys contains the keys of endpoints that were removed from a pool, most recent last. It is immutable.
type removedKeys struct {
	pods, names []model.EndpointKey // by pod UID and by pod name, in the same order
}

// removedAfter returns the removed keys of s and those of its endpoints that are missing in next. It returns nil without
// such endpoints.
func removedAfter(s *Set, next map[stateKey]*endpointState) *removedKeys {
	var gone []int
	for i, e := range s.endpoints {
		if next[stateKeyOf(&e.Endpoint)] == nil {
			gone = append(gone, i)
		}
	}
	if len(gone) == 0 {
		return s.removed
	}
	var out removedKeys
	if s.removed != nil {
		out = removedKeys{slices.Clone(s.removed.pods), slices.Clone(s.removed.names)}
	}
	byPod, byName := s.index(model.IdentityPod), s.index(model.IdentityPodName)
	for _, i := range gone {
		out.pods, out.names = append(out.pods, byPod.keys[i]), append(out.names, byName.keys[i])
	}
	over := max(len(out.pods)-maxRemovedKeys, 0)
	return &removedKeys{out.pods[over:], out.names[over:]}
}

// WasRemoved reports whether an endpoint with that key recently left the pool, or is ejected. The endpoint may have rejoined,
// so callers must check Lookup first.
func (s *Set) WasRemoved(identity model.Identity, key model.EndpointKey) bool {
	if s.hasEjected(identity, key) {
		return true
	}
	if s.removed == nil {
		return false
	}
	if identity == model.IdentityPodName {
		return slices.Contains(s.removed.names, key)
	}
	return slices.Contains(s.removed.pods, key)
}
