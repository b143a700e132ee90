package store

import "github.com/limpet-dev/limpet/pkg/model"

// Memory is a Store of one process.
type Memory struct {
	table *table
	now   func() int64
}

// NewMemory makes an empty one. It uses Entries, Bytes, Idle, Now and Observe.
func NewMemory(o Options) *Memory {
	o = o.withDefaults()
	return &Memory{table: newTable(&o), now: o.Now}
}

// Lookup implements Store.
func (m *Memory) Lookup(scope uint64, id []byte) (model.EndpointKey, bool) {
	st := m.table.lookup(sumOf(scope, id), m.now())
	return st.key, st.known
}

// Remember implements Store.
func (m *Memory) Remember(scope uint64, id []byte, key model.EndpointKey) {
	m.table.bind(sumOf(scope, id), key, m.now())
}

// Forget implements Store.
func (m *Memory) Forget(scope uint64, id []byte) { m.table.forget(sumOf(scope, id)) }

// Len implements Store.
func (m *Memory) Len() int { return m.table.len() }

// Close implements Store. There is nothing to let go of.
func (m *Memory) Close() {}
