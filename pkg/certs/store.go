package certs

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Store is the certificates of this moment. Safe for concurrent use; handshakes take no lock.
type Store struct {
	current  atomic.Pointer[names]
	fallback *tls.Certificate
}

// names maps server names to certificates, one for each algorithm: "shop.example.com", "*.example.com", and "" for all
// others.
type names map[string][]*tls.Certificate

// NewStore makes a Store that presents a self-signed certificate, made for this process, to clients whose server name
// no Ingress has a certificate for.
func NewStore() (*Store, error) {
	fallback, err := selfSigned()
	if err != nil {
		return nil, fmt.Errorf("making the fallback certificate: %w", err)
	}
	s := &Store{fallback: fallback}
	s.current.Store(&names{})
	return s, nil
}

// Replace makes the given certificates the ones in use, for handshakes from now on.
func (s *Store) Replace(certificates []model.Certificate) {
	next := names{}
	// By name, those come first whose signatures cost the server least: ECDSA, Ed25519, RSA.
	for _, c := range slices.SortedStableFunc(slices.Values(certificates), func(a, b model.Certificate) int {
		return cmp.Compare(a.Algorithm, b.Algorithm)
	}) {
		for _, name := range c.ServerNames {
			next[name] = append(next[name], c.Pair)
		}
	}
	s.current.Store(&next)
}

// Certificate answers tls.Config.GetCertificate: the exact name first, then the wildcard, then the default. Of several
// it is the first that the client can verify.
func (s *Store) Certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	pairs := s.of(hello.ServerName)
	switch len(pairs) {
	case 0:
		return s.fallback, nil
	case 1:
		return pairs[0], nil
	}
	anyName := *hello
	anyName.ServerName = "" // it has been decided what to present for the name, also where the certificate lacks it
	for _, pair := range pairs {
		if anyName.SupportsCertificate(pair) == nil {
			return pair, nil
		}
	}
	return pairs[0], nil
}

// Covers reports whether a certificate that is presented for a server name was made for this host too. Both are in lower
// case.
func (s *Store) Covers(presentedFor, host string) bool {
	return slices.ContainsFunc(s.of(presentedFor), func(pair *tls.Certificate) bool {
		return slices.ContainsFunc(pair.Leaf.DNSNames, func(name string) bool { return matches(strings.ToLower(name), host) })
	})
}

// matches compares as clients do: a wildcard stands for one label (RFC 6125 section 6.4.3).
func matches(name, host string) bool {
	if base, wildcard := strings.CutPrefix(name, "*."); wildcard {
		label, rest, _ := strings.Cut(host, ".")
		return label != "" && rest == base
	}
	return name == host
}

func (s *Store) of(name string) []*tls.Certificate {
	current := *s.current.Load()
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	if pairs := current[name]; pairs != nil {
		return pairs
	}
	if _, suffix, ok := strings.Cut(name, "."); ok {
		if pairs := current["*."+suffix]; pairs != nil {
			return pairs
		}
	}
	return current[""]
}
