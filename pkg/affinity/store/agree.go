package store

import "github.com/limpet-dev/limpet/pkg/model"

// This file is what a table does for a store that is shared. A binding is dirty from bind until the shared store has
// taken that very key, and holds meanwhile. Otherwise it agrees with the shared store until that tells of a change.

// edit calls f with the entry of an id, if there is one, under the lock of its shard.
func (t *table) edit(id sum, f func(s *shard, e *entry)) {
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if i, ok := s.index[id]; ok {
		f(s, &s.slots[i])
	}
}

// adopt takes over what the shared store answered, and gives what holds: a binding made here in the meantime is newer.
// The epoch is that of the lookup before the question. Where it has passed, the answer may be older than a change that was
// told while the answer was under way: it is used once, and the next lookup asks again.
func (t *table) adopt(id sum, key model.EndpointKey, epoch uint64, now int64) model.EndpointKey {
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := t.entry(s, id, now)
	if e.dirty {
		return e.key
	}
	e.key, e.seen, e.gen = key, now, 0
	if s.epoch == epoch {
		e.gen = s.gen
	}
	return key
}

// renew notes that the shared store is told now of the use of a session.
func (t *table) renew(id sum, now int64) {
	t.edit(id, func(_ *shard, e *entry) { e.renewed = now })
}

// lost notes that the shared store does not have a session. It reports whether the caller has to have it written.
func (t *table) lost(id sum) (write bool) {
	t.edit(id, func(s *shard, e *entry) {
		write = !e.queued
		e.gen, e.dirty, e.queued = s.gen, true, true
	})
	return write
}

// retry reports whether the caller has to have a binding written that is dirty and was not queued.
func (t *table) retry(id sum) (write bool) {
	t.edit(id, func(_ *shard, e *entry) {
		write = e.dirty && !e.queued
		e.queued = e.queued || write
	})
	return write
}

// take gives the key to be written now. It is not that of the time when the write was queued: the order of the queue is
// not that of calls to bind, and the last of those must be written last.
func (t *table) take(id sum) (key model.EndpointKey, ok bool) {
	t.edit(id, func(_ *shard, e *entry) {
		key, ok = e.key, e.dirty
		e.queued = false
	})
	return key, ok
}

// taken notes that the shared store has this key. A change that was told since bind stays noted.
func (t *table) taken(id sum, key model.EndpointKey) {
	t.edit(id, func(_ *shard, e *entry) {
		if e.key == key {
			e.dirty = false
		}
	})
}

// changed notes that the shared store may have something else for an id than it had.
func (t *table) changed(id sum) {
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch++
	if i, ok := s.index[id]; ok {
		s.slots[i].gen = 0
	}
}

// changedAll is changed for every id: what the shared store had to tell may have been lost.
func (t *table) changedAll() {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		s.epoch++
		s.gen++
		s.mu.Unlock()
	}
}
