package upstream

import (
	"slices"

	"github.com/limpet-dev/limpet/pkg/model"
)

// maxDeparted bounds how many endpoints that have left a Set remembers: who leaves makes a difference for seconds only.
const maxDeparted = 64

// departed is the keys of the endpoints that have left a pool, the last of them last. It never changes.
type departed struct {
	pods, names []model.EndpointKey // parallel
}

// departedFrom adds to what a Set remembers those of its endpoints that are not in next, which is by liveKey.
func departedFrom(s *Set, next map[string]*live) departed {
	pods, names := slices.Clone(s.left.pods), slices.Clone(s.left.names)
	for i, e := range s.endpoints {
		if next[liveKey(&e.Endpoint)] == nil {
			pods, names = append(pods, s.byPod.keys[i]), append(names, s.byName.keys[i])
		}
	}
	over := max(len(pods)-maxDeparted, 0)
	return departed{pods[over:], names[over:]}
}

// Left reports whether an endpoint of that key was in the pool and has left it lately. It may be back.
func (s *Set) HasDeparted(identity model.Identity, key model.EndpointKey) bool {
	if identity == model.IdentityPodName {
		return slices.Contains(s.left.names, key)
	}
	return slices.Contains(s.left.pods, key)
}
