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
// others. A name without certificates is served with those of "", even if a wildcard covers it.
type names map[string][]presented

// presented is a certificate and the namespace of its Secret.
type presented struct {
	*tls.Certificate
	namespace string
}

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

// Replace makes the given certificates the ones in use, for handshakes from now on. The hosts of defaultFor get the default
// certificate, even if a wildcard covers them (model.Model.DefaultCertificateFor).
func (s *Store) Replace(certificates []model.Certificate, defaultFor ...string) {
	next := names{}
	for _, name := range defaultFor {
		next[name] = nil
	}
	// By name, those come first whose signatures cost the server least: ECDSA, Ed25519, RSA.
	for _, c := range slices.SortedStableFunc(slices.Values(certificates), func(a, b model.Certificate) int {
		return cmp.Compare(a.Algorithm, b.Algorithm)
	}) {
		for _, name := range c.ServerNames {
			next[name] = append(next[name], presented{c.Pair, c.Secret.Namespace})
		}
	}
	s.current.Store(&next)
}

// Certificate answers tls.Config.GetCertificate: the exact name first, then the wildcard, then the default. Of several
// it is the first that the client can verify.
func (s *Store) Certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	pairs, _ := s.of(hello.ServerName)
	switch len(pairs) {
	case 0:
		return s.fallback, nil
	case 1:
		return pairs[0].Certificate, nil
	}
	anyName := *hello
	anyName.ServerName = "" // it has been decided what to present for the name, also where the certificate lacks it
	for _, pair := range pairs {
		if anyName.SupportsCertificate(pair.Certificate) == nil {
			return pair.Certificate, nil
		}
	}
	return pairs[0].Certificate, nil
}

// Covers reports whether a certificate that is presented for a server name also serves the host: it was made for it, and
// no other namespace has the certificates of that host. Both names are in lower case.
func (s *Store) Covers(presentedFor, host string) bool {
	pairs, _ := s.of(presentedFor)
	return slices.ContainsFunc(pairs, func(pair presented) bool {
		return slices.ContainsFunc(pair.Leaf.DNSNames, func(name string) bool {
			return matches(strings.ToLower(name), host)
		}) && s.serves(pair.namespace, host)
	})
}

// serves reports whether the certificates of a namespace may be used for a host: it has one of those that are presented for
// it, or nobody has named one for it.
func (s *Store) serves(namespace, host string) bool {
	pairs, named := s.of(host)
	return !named || slices.ContainsFunc(pairs, func(pair presented) bool { return pair.namespace == namespace })
}

// matches compares as clients do: a wildcard stands for one label (RFC 6125 section 6.4.3).
func matches(name, host string) bool {
	if base, wildcard := strings.CutPrefix(name, "*."); wildcard {
		label, rest, _ := strings.Cut(host, ".")
		return label != "" && rest == base
	}
	return name == host
}

// of returns the certificates for a name. named is false if they are the default ones for want of others.
func (s *Store) of(name string) (pairs []presented, named bool) {
	current := *s.current.Load()
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	pairs, named = current[name]
	if _, suffix, ok := strings.Cut(name, "."); ok && !named {
		pairs, named = current["*."+suffix]
	}
	if len(pairs) == 0 {
		pairs = current[""]
	}
	return pairs, named
}
