package store

import "github.com/limpet-dev/limpet/pkg/model"

// This file keeps a table in sync with a shared store. A binding is dirty from bind until the shared store
// acknowledged the same key; until then the local key is used. A binding that is not dirty is in sync until the
// shared store reports a change of its key.

// update calls f with the entry of an id, if there is one, while holding the lock of its shard.
func (t *table) update(id sessionHash, f func(s *shard, e *entry)) {
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if i, ok := s.index[id]; ok {
		f(s, &s.slots[i])
	}
}

// adopt stores the binding received from the shared store, and returns the binding to use. A dirty one takes
// precedence, because it was made after the query.
//
// The epoch is that of the lookup before the query. If it has changed, a key of the shard was invalidated during
// the query, and the reply may be outdated. The reply is used once then, and the next lookup queries again.
func (t *table) adopt(id session, stored binding, epoch uint64, now int64) binding {
	s := t.shard(id.id)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := t.entry(s, id, now)
	if e.dirty {
		return binding{e.key, int64(e.started)}
	}
	stored.started = min(stored.started, now) // the clock of the replica that wrote it may be ahead
	e.key, e.started, e.gen = stored.key, uint32(stored.started), 0
	t.use(e, id.life, now)
	if s.epoch == epoch {
		e.gen = s.gen
	}
	return stored
}

// isReleased reports whether a session was released, here or on another replica.
func (t *table) isReleased(id session, now int64) bool {
	st := t.lookup(id, now, true)
	return st.known && !st.expired && st.inSync && st.key == released
}

// renew records that a renewal of the session was queued.
func (t *table) renew(id sessionHash, now int64) {
	t.update(id, func(_ *shard, e *entry) { e.renewed = uint32(now) })
}

// markMissing records that the shared store does not have a session. It reports whether the caller must queue a
// write.
func (t *table) markMissing(id sessionHash) (write bool) {
	t.update(id, func(s *shard, e *entry) {
		write = !e.queued
		e.gen, e.dirty, e.queued = s.gen, true, true
	})
	return write
}

// retry marks a dirty binding that is not queued as queued. It reports whether the caller must queue a write.
func (t *table) retry(id sessionHash) (write bool) {
	t.update(id, func(_ *shard, e *entry) {
		write = e.dirty && !e.queued
		e.queued = e.queued || write
	})
	return write
}

// binding is the content of a session in the shared store.
type binding struct {
	key     model.EndpointKey
	started int64 // Unix seconds
}

// takeForWrite returns the current state of a dirty binding for writing. It must be called when the write is sent,
// not when it is queued: otherwise a queued older key could be written after a newer one.
func (t *table) takeForWrite(id sessionHash) (b binding, ok bool) {
	t.update(id, func(_ *shard, e *entry) {
		b, ok = binding{e.key, int64(e.started)}, e.dirty
		e.queued = false
	})
	return b, ok
}

// acknowledge records that the shared store has stored key. An invalidation received since bind stays in effect.
func (t *table) acknowledge(id sessionHash, key model.EndpointKey) {
	t.update(id, func(_ *shard, e *entry) {
		if e.key == key {
			e.dirty = false
		}
	})
}

// invalidate records that the value of an id in the shared store may have changed. Each change also renews the session in the
// store, so this replica needs no renewal for a while. Otherwise each replica would renew each session, and invalidate it on all
// others. If the session was removed instead, its next lookup notices that.
func (t *table) invalidate(id sessionHash, now int64) {
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch++
	if i, ok := s.index[id]; ok {
		s.slots[i].gen, s.slots[i].renewed = 0, uint32(now)
	}
}

// invalidateAll invalidates all ids, because notifications of the shared store may have been lost.
func (t *table) invalidateAll() {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		s.epoch++
		s.gen++
		s.mu.Unlock()
	}
}
