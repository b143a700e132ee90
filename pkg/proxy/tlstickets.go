package proxy

import (
	"crypto/tls"
	"sync"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/affinity"
)

// ticketed is a tls.Config whose session tickets every replica opens that has the same keyring. Its first key seals
// tickets, all open them, and other keys come with another ring. Safe for concurrent use.
type ticketConfig struct {
	*tls.Config
	purpose string // what the ticket keys are derived for: tickets for one purpose do not open for another

	mu   sync.Mutex
	ring atomic.Pointer[affinity.Keyring] // that the ticket keys were derived from
}

// with gives the Config with the ticket keys of the ring. Without a ring tickets are good for this process.
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
