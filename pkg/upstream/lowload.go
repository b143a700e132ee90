package upstream

import (
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Comparing the load of an endpoint costs about 20 ns. In sets of more than comparedAtOnce endpoints, a pick compares listed
// endpoints and as many others.
const (
	comparedAtOnce = 64
	listed         = 16
)

// lowLoad remembers endpoints with a low load between picks from one Set.
type lowLoad struct{ bySessions, byRequests [listed]atomic.Int32 }

func newLowLoad(ready int) *lowLoad {
	if ready <= comparedAtOnce {
		return nil
	}
	return &lowLoad{}
}

// LowLoad returns memory for endpoints with a low load for the pick. It is zero at first, and all picks from the set share it. It
// is empty for a small set.
func (s *Set) LowLoad(pick model.Pick) []atomic.Int32 {
	switch {
	case s.lowLoad == nil:
		return nil
	case pick == model.PickLeastSessions:
		return s.lowLoad.bySessions[:]
	}
	return s.lowLoad.byRequests[:]
}
