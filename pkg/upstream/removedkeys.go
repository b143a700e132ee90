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

// removedAfter returns the removed keys of s and those of its endpoints that are missing in next. The keys of next
// are state keys.
func removedAfter(s *Set, next map[string]*endpointState) removedKeys {
	pods, names := slices.Clone(s.removed.pods), slices.Clone(s.removed.names)
	for i, e := range s.endpoints {
		if next[stateKey(&e.Endpoint)] == nil {
			pods, names = append(pods, s.byPod.keys[i]), append(names, s.byName.keys[i])
		}
	}
	over := max(len(pods)-maxRemovedKeys, 0)
	return removedKeys{pods[over:], names[over:]}
}

// WasRemoved reports whether an endpoint with that key recently left the pool. The endpoint may have rejoined, so
// callers must check Lookup first.
func (s *Set) WasRemoved(identity model.Identity, key model.EndpointKey) bool {
	if identity == model.IdentityPodName {
		return slices.Contains(s.removed.names, key)
	}
	return slices.Contains(s.removed.pods, key)
}
