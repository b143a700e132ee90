package proxy

import (
	"crypto/tls"
	"sync"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/affinity"
)

// ticketConfig is a tls.Config whose session ticket keys are derived from a keyring, so that all replicas with the same keyring
// resume its sessions. The first key seals tickets, and all keys open them. It is safe for concurrent use.
type ticketConfig struct {
	*tls.Config
	purpose string // context of the key derivation: a ticket for one purpose is invalid for another

	mu   sync.Mutex
	ring atomic.Pointer[affinity.Keyring] // the keyring of the current ticket keys
}

// withKeyring returns the Config with the ticket keys of ring. With a nil ring, tickets are valid in this process only.
func (t *ticketConfig) withKeyring(ring *affinity.Keyring) (*tls.Config, error) {
	if ring == nil || t.ring.Load() == ring {
		return t.Config, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	keys, err := ring.Derive(t.purpose)
	if err != nil {
		return nil, err
	}
	t.SetSessionTicketKeys(keys)
	t.ring.Store(ring)
	return t.Config, nil
}
