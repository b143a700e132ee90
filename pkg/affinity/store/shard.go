package store

import (
	"sync"

	"github.com/limpet-dev/limpet/pkg/model"
)

// entryBytes is the maximum memory of one session, which a test measures. It consists of the entry (68 bytes), up
// to a quarter of slack in a growing slice, and a place in the index (20 bytes at a load of 7/16 to 7/8).
const entryBytes = 128

// maxSkips is how many recently used entries eviction skips before it evicts one anyway. It limits how long the
// lock is held.
const maxSkips = 64

// entry is one session. A zero key means that the session was released. Times are in Unix seconds.
type entry struct {
	id       sessionHash
	key      model.EndpointKey
	started  uint32 // start of the session
	lastUsed uint32 // last use on this replica
	renewed  uint32 // last renewal in the shared store
	end      uint32 // when the session ends unless it is used again
	gen      uint32 // generation of the shard in which the entry was last in sync; 0 if it is not
	quota    int32  // index of the quota that the entry counts for
	next     int32  // slot of the next entry of the same quota; the last one is followed by the first one
	prev     int32
	used     bool // used since the hand of the quota's clock last passed
	dirty    bool // not acknowledged by the shared store
	queued   bool // queued for writing
}

// hasEnded reports whether the session has timed out. If the clock was set back, it returns false, so that no session
// ends.
func (e *entry) hasEnded(now int64) bool { return now >= int64(e.end) }

// shard is a part of the table with its own lock. Slots are dense: remove moves the last entry into the gap.
type shard struct {
	mu        sync.Mutex
	index     map[sessionHash]int32
	slots     []entry
	quotas    quotas
	limit     int    // maximum number of slots
	sweepHand int    // next slot checked by sweep
	gen       uint32 // incremented when all entries may be out of sync; starts at 1
	epoch     uint64 // incremented by each invalidation
}

// find returns the entry of an id, or nil.
func (s *shard) find(id sessionHash) *entry {
	i, ok := s.index[id]
	if !ok {
		return nil
	}
	return &s.slots[i]
}

// add returns a new entry for an id without an entry. It reports whether an active session was evicted for it.
//
// A new entry does not count as used, so a flood of sessions that never return evicts itself first.
func (s *shard) add(id sessionHash, policy uint64, now int64) (e *entry, evicted bool) {
	s.sweep(now)
	quota := s.quotas.of(policy)
	if len(s.slots) >= s.limit {
		i := s.victim(s.quotas.largest(quota))
		evicted = !s.slots[i].hasEnded(now)
		s.remove(int(i))
		quota = s.quotas.of(policy) // the eviction may have freed it
	}
	i := int32(len(s.slots))
	s.slots = append(s.slots, entry{id: id, quota: quota, gen: s.gen})
	s.index[id] = i
	s.link(i)
	return &s.slots[i], evicted
}

// victim returns the slot to evict from a quota, and moves the hand of its clock past the entries that were used.
func (s *shard) victim(quota int32) int32 {
	q := &s.quotas.list[quota]
	for range maxSkips {
		e := &s.slots[q.hand]
		if !e.used {
			break
		}
		e.used = false
		q.hand = e.next
	}
	return q.hand
}

// sweep removes ended sessions that are never looked up. Each call checks two slots.
func (s *shard) sweep(now int64) {
	for range 2 {
		if s.sweepHand >= len(s.slots) {
			s.sweepHand = 0
		}
		if s.sweepHand < len(s.slots) && s.slots[s.sweepHand].hasEnded(now) {
			s.remove(s.sweepHand)
			continue
		}
		s.sweepHand++
	}
}

func (s *shard) remove(i int) {
	last := len(s.slots) - 1
	delete(s.index, s.slots[i].id)
	s.unlink(int32(i))
	if i != last {
		s.move(int32(last), int32(i))
	}
	s.slots = s.slots[:last]
}

// move moves an entry to the slot of a removed one.
func (s *shard) move(from, to int32) {
	e := &s.slots[to]
	*e = s.slots[from]
	if e.next == from { // the only entry of its quota
		e.next, e.prev = to, to
	}
	s.slots[e.next].prev, s.slots[e.prev].next = to, to
	if q := &s.quotas.list[e.quota]; q.hand == from {
		q.hand = to
	}
	s.index[e.id] = to
}

// link adds slot i to the entries of its quota, at the end of the clock.
func (s *shard) link(i int32) {
	e := &s.slots[i]
	q := &s.quotas.list[e.quota]
	q.count++
	if q.count == 1 {
		e.next, e.prev, q.hand = i, i, i
		return
	}
	e.next, e.prev = q.hand, s.slots[q.hand].prev
	s.slots[e.prev].next, s.slots[e.next].prev = i, i
}

func (s *shard) unlink(i int32) {
	e := &s.slots[i]
	q := &s.quotas.list[e.quota]
	s.slots[e.prev].next, s.slots[e.next].prev = e.next, e.prev
	if q.hand == i {
		q.hand = e.next
	}
	if q.count--; q.count == 0 {
		s.quotas.free(e.quota)
	}
}
