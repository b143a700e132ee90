package routing

import (
	"bytes"

	"github.com/limpet-dev/limpet/pkg/model"
)

// site is a host in one Table. Unchanged sites are carried over to the next Table. Requests that no route of the host
// matches fall through to the site above it, which Table.above looks up, so that a change of that site does not concern the
// sites below it.
type site struct {
	*host
	tls *model.Host // nil: the defaults
	// passthrough receives TLS connections without decryption. Nil terminates TLS.
	passthrough *Backend
	// owner restricts requests to the routes of one namespace: ACME challenges, and unmatched paths. It is nil if other
	// namespaces have no routes for the host or above it.
	owner *model.HostOwner
	// digest is digestOf the host.
	digest uint64
}

// digestOrZero returns the digest of s, which may be nil.
func (s *site) digestOrZero() uint64 {
	if s == nil {
		return 0
	}
	return s.digest
}

// level is the kind of a site, in the order in which requests fall through.
type level uint8

const (
	levelExact level = iota
	levelWildcard
	levelAny
	levelUnmatched
	levels
)

// siteAt returns the site of one level for the name of a request, or nil.
func (t *Table) siteAt(at level, name []byte) *site {
	var s *site
	switch at {
	case levelExact:
		s, _ = t.exact.GetBytes(name)
	case levelWildcard:
		if dot := bytes.IndexByte(name, '.'); dot > 0 && t.wildcard.Len() > 0 {
			s, _ = t.wildcard.GetBytes(name[dot+1:])
		}
	case levelAny:
		s = t.any
	case levelUnmatched:
		s = t.unmatched
	}
	return s
}

// site returns the most specific site for a name and its level, or nil: the exact host, then the wildcard host, then any host.
func (t *Table) site(name []byte) (*site, level) {
	for at := range levels {
		if s := t.siteAt(at, name); s != nil {
			return s, at
		}
	}
	return nil, levels
}

// above returns the next site above a level, with its level, or nil.
func (t *Table) above(at level, name []byte) (*site, level) {
	for at++; at < levels; at++ {
		if s := t.siteAt(at, name); s != nil {
			return s, at
		}
	}
	return nil, levels
}

// of returns the routes of h that a namespace has, or nil.
func (h *host) of(namespace string) *host {
	if h.parts != nil {
		return h.parts[namespace]
	}
	if h.namespace == namespace {
		return h
	}
	return nil
}

// split sets the parts of h by namespace. They share the routes with h.
func (h *host) split() {
	h.namespace = h.model[0].Source.Namespace
	shared := false
	for i := range h.model {
		shared = shared || h.model[i].Source.Namespace != h.namespace
	}
	if !shared {
		return
	}
	h.parts = map[string]*host{}
	add := func(r *Route) {
		p := h.parts[r.Source.Namespace]
		if p == nil {
			p = &host{exact: newPaths(), prefix: newPaths()}
			h.parts[r.Source.Namespace] = p
		}
		p.add(r)
	}
	h.each(add)
}
