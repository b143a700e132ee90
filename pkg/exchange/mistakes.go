package exchange

import (
	"sync"

	"github.com/limpet-dev/limpet/pkg/model"
)

// mistake is a likely mistake in a policy that only responses can show. Its value is a label of metrics.
type mistake string

// hashedByPolicy means that the app sets a value that the policy hashes.
const hashedByPolicy mistake = "hashed_value_of_app"

// maxMistakes bounds the objects that are reported.
const maxMistakes = 1000

// mistakes reports each mistake once per object. The zero value is ready to use.
type mistakes struct {
	mu       sync.Mutex
	reported map[foundMistake]bool
}

type foundMistake struct {
	object model.Ref
	mistake
}

// report logs and counts a mistake, unless it was reported before.
func (m *mistakes) report(e *Engine, object model.Ref, found mistake, source model.Source, name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := foundMistake{object, found}
	if m.reported[key] || len(m.reported) >= maxMistakes {
		return
	}
	if m.reported == nil {
		m.reported = map[foundMistake]bool{}
	}
	m.reported[key] = true
	e.Metrics.LikelyMistake(object, string(found))
	e.Log.Info("Policy hashes a value that the app sets in responses: clients move to another pod with their second request",
		"object", object.String(), "source", string(source), "name", name,
		"hint", "use binding Learned or Wrapped, which return clients to the pod that set the value")
}
