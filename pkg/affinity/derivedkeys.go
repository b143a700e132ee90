package affinity

import "sync/atomic"

// Derived returns a function that returns the keys for a purpose, derived from the current keyring as Keyring.Derive does. It
// derives them again only after the keyring has changed. It returns nil if they cannot be derived, and if k is nil.
func (k *Keys) Derived(purpose string) func() [][32]byte {
	type derived struct {
		from *Keyring
		keys [][32]byte
	}
	var last atomic.Pointer[derived]
	return func() [][32]byte {
		if k == nil || k.Load() == nil {
			return nil
		}
		ring := k.Load()
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
