package store

import (
	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
)

// Memory is a Store in the memory of one process. It is not shared by replicas.
type Memory struct {
	table   *table
	unknown unknownIDs
	now     func() int64
}

// NewMemory returns an empty Memory. It uses the options Entries, Bytes, Idle, Now and Observe.
func NewMemory(o Options) *Memory {
	o = o.withDefaults()
	return &Memory{table: o.newTable(), unknown: o.newUnknownIDs(), now: o.Now}
}

// Lookup implements Store.
func (m *Memory) Lookup(id *affinity.LearnedID) affinity.Learned {
	key := sessionOf(id)
	st := m.table.lookup(key, m.now(), id.Peek)
	switch {
	case !st.known:
		return affinity.Learned{}
	case st.expired:
		if !id.Peek {
			m.table.forget(key.id)
		}
		return affinity.Learned{State: affinity.LearnedExpired}
	}
	return affinity.Learned{State: affinity.LearnedAlive, Endpoint: st.key}
}

// Resolve implements Store.
func (m *Memory) Resolve(id *affinity.LearnedID) (affinity.Learned, bool) { return m.Lookup(id), true }

// Remember implements Store.
func (m *Memory) Remember(id *affinity.LearnedID, key model.EndpointKey) {
	m.table.bind(sessionOf(id), key, m.now())
}

// Returned implements Store.
func (m *Memory) Returned(id *affinity.LearnedID, key model.EndpointKey, accepted bool) {
	if s, now := sessionOf(id), m.now(); m.unknown.returned(s, accepted, now) {
		m.table.bind(s, key, now)
	}
}

// Forget implements Store.
func (m *Memory) Forget(id *affinity.LearnedID) { m.table.forget(sessionOf(id).id) }

// Len implements Store.
func (m *Memory) Len() int { return m.table.len() }

// Capacity implements Store.
func (m *Memory) Capacity() int { return m.table.capacity() }

// Close implements Store. It does nothing.
func (m *Memory) Close() {}
