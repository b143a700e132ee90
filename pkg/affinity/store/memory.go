package store

import "github.com/limpet-dev/limpet/pkg/model"

// Memory is a Store in the memory of one process. It is not shared by replicas.
type Memory struct {
	table *table
	now   func() int64
}

// NewMemory returns an empty Memory. It uses the options Entries, Bytes, Idle, Now and Observe.
func NewMemory(o Options) *Memory {
	o = o.withDefaults()
	return &Memory{table: newTable(&o), now: o.Now}
}

// Lookup implements Store.
func (m *Memory) Lookup(scope uint64, id []byte) (model.EndpointKey, bool) {
	st := m.table.lookup(hashOf(scope, id), m.now())
	return st.key, st.known
}

// Remember implements Store.
func (m *Memory) Remember(scope uint64, id []byte, key model.EndpointKey) {
	m.table.bind(hashOf(scope, id), key, m.now())
}

// Forget implements Store.
func (m *Memory) Forget(scope uint64, id []byte) { m.table.forget(hashOf(scope, id)) }

// Len implements Store.
func (m *Memory) Len() int { return m.table.len() }

// Close implements Store. It does nothing.
func (m *Memory) Close() {}
