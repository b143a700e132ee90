package certs

import (
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Store is the certificates of this moment. Safe for concurrent use; handshakes take no lock.
type Store struct {
	current  atomic.Pointer[names]
	fallback *tls.Certificate

	mu     sync.Mutex // held while certificates are replaced
	parsed map[string]*tls.Certificate
}

// names maps server names to certificates: "shop.example.com", "*.example.com", and "" for all others.
type names map[string]*tls.Certificate

// NewStore makes a Store that presents a self-signed certificate, made for this process, to clients whose server name
// no Ingress has a certificate for.
func NewStore() (*Store, error) {
	fallback, err := selfSigned()
	if err != nil {
		return nil, fmt.Errorf("making the fallback certificate: %w", err)
	}
	s := &Store{fallback: fallback, parsed: map[string]*tls.Certificate{}}
	s.current.Store(&names{})
	return s, nil
}

// Replace makes the given certificates the ones in use, for handshakes from now on. A certificate that does not parse
// is left out, and the error names the Secret of each; translation has tried them before.
func (s *Store) Replace(certificates []model.Certificate) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	next, parsed := names{}, map[string]*tls.Certificate{}
	var failed error
	for _, c := range certificates {
		pair, err := s.parse(c)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", c.Secret, err))
			continue
		}
		parsed[c.Fingerprint] = pair
		for _, name := range c.ServerNames {
			next[name] = pair
		}
	}
	s.parsed = parsed
	s.current.Store(&next)
	return failed
}

// parse takes a certificate over that was parsed before: private keys are costly to check.
func (s *Store) parse(c model.Certificate) (*tls.Certificate, error) {
	if pair := s.parsed[c.Fingerprint]; pair != nil {
		return pair, nil
	}
	pair, err := tls.X509KeyPair(c.CertPEM, c.KeyPEM)
	if err != nil {
		return nil, err
	}
	return &pair, nil
}

// Certificate answers tls.Config.GetCertificate: the exact name first, then the wildcard, then the default.
func (s *Store) Certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	current := *s.current.Load()
	name := strings.TrimSuffix(strings.ToLower(hello.ServerName), ".")
	if pair := current[name]; pair != nil {
		return pair, nil
	}
	if _, suffix, ok := strings.Cut(name, "."); ok {
		if pair := current["*."+suffix]; pair != nil {
			return pair, nil
		}
	}
	if pair := current[""]; pair != nil {
		return pair, nil
	}
	return s.fallback, nil
}
