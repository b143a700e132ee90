package routing

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"hash"
	"io"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Digest returns a number that is equal for Tables with the same hosts, routes and settings, regardless of the order in which
// they changed. Secrets and Generation do not count. It is less than 2^48, so that a float64 holds it. t may be nil.
func (t *Table) Digest() uint64 {
	if t == nil {
		return 0
	}
	return t.digests >> 16
}

// digestOf returns a hash of a host with routes: its JSON form, as /debug/table shows it, and its public certificates.
func digestOf(c *model.HostChange) uint64 {
	h := sha256.New()
	// Encode does not fail: the model has neither cycles nor values without a JSON form, and a hash accepts everything.
	_ = json.NewEncoder(h).Encode(c)
	for i := range c.Routes {
		r := &c.Routes[i]
		for j := range r.Backends {
			digestTransport(h, &r.Backends[j].Transport)
		}
		if r.Fallback != nil {
			digestTransport(h, &r.Fallback.Transport)
		}
		if r.Filters != nil && r.Filters.ExternalAuth != nil {
			_, _ = io.WriteString(h, r.Filters.ExternalAuth.AuthorityPEM) // a hash does not fail
		}
	}
	return binary.BigEndian.Uint64(h.Sum(nil))
}

// digestTransport adds the certificates of a Transport without its private key.
func digestTransport(h hash.Hash, t *model.Transport) {
	_, _ = io.WriteString(h, t.AuthorityPEM) // a hash does not fail
	_, _ = io.WriteString(h, t.CertificatePEM)
}
