package exchange

import (
	"sync"

	"github.com/limpet-dev/limpet/pkg/model"
)

// mistake is a likely mistake in a policy that only responses can show. Its value is a label of metrics.
type mistake string

// hashedByPolicy means that the app sets a value that the policy hashes.
const hashedByPolicy mistake = "hashed_value_of_app"

// nameUsedByApp means that the app sets a cookie or header in which the policy issues tokens.
const nameUsedByApp mistake = "token_name_used_by_app"

// mistakeText contains the log message and the hint for each mistake.
var mistakeText = map[mistake]struct{ message, hint string }{
	hashedByPolicy: {
		"Policy hashes a value that the app sets in responses: clients move to another pod with their second request",
		"use binding Learned or Wrapped, which return clients to the pod that set the value",
	},
	nameUsedByApp: {
		"App sets the cookie or header in which the policy issues tokens: the app keeps it, and tokens get a generated name",
		"use binding Learned or Wrapped to recognize clients by the value of the app, or choose a name that the app does not use",
	},
}

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
func (m *mistakes) report(e *Engine, object model.Ref, found mistake, details ...any) {
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
	text := mistakeText[found]
	e.Log.Info(text.message, append([]any{"object", object.String(), "hint", text.hint}, details...)...)
}
