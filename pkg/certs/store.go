package certs

import (
	"cmp"
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/shards"
)

// Store is the set of certificates in use. It is safe for concurrent use. Handshakes take no lock.
type Store struct {
	mu       sync.Mutex // serializes changes
	current  atomic.Pointer[certificatesByName]
	fallback *tls.Certificate
}

// certificatesByName maps server names to certificates, at most one per algorithm. Keys are "shop.example.com",
// "*.example.com", and "" for the default. A name without certificates is served with those of "", even if a wildcard
// covers it.
type certificatesByName = shards.Map[[]presented]

// presented is a certificate and the namespace of its Secret.
type presented struct {
	*tls.Certificate
	namespace string
}

// NewStore returns an empty Store. For server names without a certificate it presents a self-signed one, which is
// generated for each process.
func NewStore() (*Store, error) {
	fallback, err := selfSigned()
	if err != nil {
		return nil, fmt.Errorf("certs: generating the fallback certificate: %w", err)
	}
	s := &Store{fallback: fallback}
	s.current.Store(&certificatesByName{})
	return s, nil
}

// Replace replaces all certificates. It affects new handshakes only. The hosts of defaultFor get the default certificate,
// even if a wildcard covers them (model.Model.DefaultCertificateFor).
func (s *Store) Replace(certificates []model.Certificate, defaultFor ...string) {
	names := map[string]*model.ServerNameChange{}
	change := func(name string) *model.ServerNameChange {
		if names[name] == nil {
			names[name] = &model.ServerNameChange{Name: name}
		}
		return names[name]
	}
	for _, name := range defaultFor {
		change(name).UsesDefault = true
	}
	for i := range certificates {
		for _, name := range certificates[i].ServerNames {
			c := change(name)
			c.Certificates = append(c.Certificates, &certificates[i])
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	edit := certificatesByName{}.Edit()
	for _, c := range names {
		set(edit, c)
	}
	next := edit.Map()
	s.current.Store(&next)
}

// Update replaces the certificates of these server names. It affects new handshakes only.
func (s *Store) Update(changes []model.ServerNameChange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	edit := s.current.Load().Edit()
	for i := range changes {
		set(edit, &changes[i])
	}
	next := edit.Map()
	s.current.Store(&next)
}

// set sets the certificates of one server name. It prefers algorithms with cheap signatures: ECDSA, Ed25519, RSA.
func set(edit *shards.Edit[[]presented], c *model.ServerNameChange) {
	if len(c.Certificates) == 0 && !c.UsesDefault {
		edit.Delete(c.Name)
		return
	}
	var pairs []presented
	for _, certificate := range slices.SortedStableFunc(slices.Values(c.Certificates), func(a, b *model.Certificate) int {
		return cmp.Compare(a.Algorithm, b.Algorithm)
	}) {
		pairs = append(pairs, presented{certificate.Pair, certificate.Secret.Namespace})
	}
	edit.Set(c.Name, pairs)
}

// Certificate implements tls.Config.GetCertificate. It prefers the exact name over the wildcard, and the wildcard
// over the default. Among several certificates for a name, it returns the first one that the client supports.
func (s *Store) Certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	pairs, _ := s.lookup(hello.ServerName)
	switch len(pairs) {
	case 0:
		return s.fallback, nil
	case 1:
		return pairs[0].Certificate, nil
	}
	anyName := *hello
	anyName.ServerName = "" // check algorithms only: the name is already matched
	for _, pair := range pairs {
		if anyName.SupportsCertificate(pair.Certificate) == nil {
			return pair.Certificate, nil
		}
	}
	return pairs[0].Certificate, nil
}

// Covers reports whether a certificate presented for one server name also serves host: it is valid for host, and no other
// namespace has the certificates of host. Host must be in lower case.
func (s *Store) Covers(presentedFor, host string) bool {
	pairs, _ := s.lookup(presentedFor)
	return slices.ContainsFunc(pairs, func(pair presented) bool {
		return slices.ContainsFunc(pair.Leaf.DNSNames, func(name string) bool {
			return matches(strings.ToLower(name), host)
		}) && s.serves(pair.namespace, host)
	})
}

// serves reports whether the certificates of a namespace may be used for a host: one of them is presented for the host, or
// no certificate names it.
func (s *Store) serves(namespace, host string) bool {
	pairs, named := s.lookup(host)
	return !named || slices.ContainsFunc(pairs, func(pair presented) bool { return pair.namespace == namespace })
}

// matches compares like clients do: a wildcard matches one label (RFC 6125, section 6.4.3).
func matches(name, host string) bool {
	if base, wildcard := strings.CutPrefix(name, "*."); wildcard {
		label, rest, _ := strings.Cut(host, ".")
		return label != "" && rest == base
	}
	return name == host
}

// lookup returns the certificates for a server name. named is false if no certificate names it, and pairs are the default
// ones.
func (s *Store) lookup(name string) (pairs []presented, named bool) {
	current := s.current.Load()
	name = strings.TrimSuffix(strings.ToLower(name), ".")
	pairs, named = current.Get(name)
	if _, suffix, ok := strings.Cut(name, "."); ok && !named {
		pairs, named = current.Get("*." + suffix)
	}
	if len(pairs) == 0 {
		pairs, _ = current.Get("")
	}
	return pairs, named
}
