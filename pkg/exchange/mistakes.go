package exchange

import (
	"sync"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
)

// mistake is a likely mistake in a policy that only responses can show. Its value is a label of metrics.
type mistake string

// hashedByPolicy means that the app sets a value that the policy hashes.
const hashedByPolicy mistake = "hashed_value_of_app"

// nameUsedByApp means that the app sets a cookie or header in which the policy issues tokens.
const nameUsedByApp mistake = "token_name_used_by_app"

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

// reportHashed reports a policy that hashes a value which the app sets.
func (m *mistakes) reportHashed(e *Engine, object model.Ref, source model.Source, name string) {
	if !m.count(e, object, hashedByPolicy) {
		return
	}
	e.Log.Info("Policy hashes a value that the app sets in responses: clients move to another pod with their second request",
		"object", object.String(), "source", string(source), "name", name,
		"hint", "use binding Learned or Wrapped, which return clients to the pod that set the value")
}

// reportName reports a policy that issues tokens in a cookie or header which the app sets.
func (m *mistakes) reportName(e *Engine, object model.Ref, c *affinity.Collision) {
	if !m.count(e, object, nameUsedByApp) {
		return
	}
	e.Log.Info("App sets the cookie or header in which the policy issues tokens: the app keeps it, and tokens get a generated name",
		"object", object.String(), "source", string(c.Source), "name", c.Name, "generatedName", c.Generated,
		"hint", "use binding Learned or Wrapped to recognize clients by that value, or choose a name that the app does not use")
}

// count counts a mistake. It returns false if the mistake was counted before.
func (m *mistakes) count(e *Engine, object model.Ref, found mistake) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := foundMistake{object, found}
	if m.reported[key] || len(m.reported) >= maxMistakes {
		return false
	}
	if m.reported == nil {
		m.reported = map[foundMistake]bool{}
	}
	m.reported[key] = true
	e.Metrics.LikelyMistake(object, string(found))
	return true
}
