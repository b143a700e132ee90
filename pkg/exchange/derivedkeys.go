package exchange

import (
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/affinity"
)

// derivedKeys returns a function that returns the keys for a purpose, derived from the current affinity keys. It derives them
// again only after the affinity keys have changed. It returns nil if they cannot be derived.
func derivedKeys(keys *affinity.Keys, purpose string) func() [][32]byte {
	type derived struct {
		from *affinity.Keyring
		keys [][32]byte
	}
	var last atomic.Pointer[derived]
	return func() [][32]byte {
		if keys == nil || keys.Load() == nil {
			return nil
		}
		ring := keys.Load()
		if d := last.Load(); d != nil && d.from == ring {
			return d.keys
		}
		made, err := ring.Derive(purpose)
		if err != nil {
			return nil
		}
		last.Store(&derived{ring, made})
		return made
	}
}
