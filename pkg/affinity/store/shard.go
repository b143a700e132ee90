package store

import (
	"sync"

	"github.com/limpet-dev/limpet/pkg/model"
)

// entryBytes is the maximum memory of one session, which a test measures. It consists of the entry (64 bytes), up
// to a quarter of slack in a growing slice, and a place in the index (20 bytes at a load of 7/16 to 7/8).
const entryBytes = 128

// maxSkips is how many recently used entries eviction skips before it evicts one anyway. It limits how long the
// lock is held.
const maxSkips = 64

// entry is one session. A zero key means that the session was released.
type entry struct {
	id       sessionHash
	key      model.EndpointKey
	lastUsed int64  // time of the last use on this replica, in Unix seconds
	renewed  int64  // time of the last renewal in the shared store, in Unix seconds
	gen      uint32 // generation of the shard in which the entry was last in sync; 0 if it is not
	used     bool   // used since the hand of the clock last passed
	dirty    bool   // not acknowledged by the shared store
	queued   bool   // queued for writing
}

// shard is a part of the table with its own lock. Slots are dense: remove moves the last entry into the gap.
type shard struct {
	mu        sync.Mutex
	index     map[sessionHash]int32
	slots     []entry
	limit     int    // maximum number of slots
	hand      int    // next slot checked by eviction (CLOCK algorithm)
	sweepHand int    // next slot checked by sweep
	gen       uint32 // incremented when all entries may be out of sync; starts at 1
	epoch     uint64 // incremented by each invalidation
	_         [24]byte
}

// find returns the entry of an id, or nil. It removes an idle entry.
func (s *shard) find(id sessionHash, now, idle int64) *entry {
	i, ok := s.index[id]
	if !ok {
		return nil
	}
	if e := &s.slots[i]; !e.idle(now, idle) {
		return e
	}
	s.remove(int(i))
	return nil
}

// idle reports whether the session has timed out. If the clock was set back, it returns false, so that no session
// ends.
func (e *entry) idle(now, idle int64) bool { return now-e.lastUsed >= idle }

// add returns a new entry for an id that has none. It reports whether an entry that was not idle was evicted for
// it.
//
// A new entry does not count as used, so a flood of sessions that never return evicts itself first.
func (s *shard) add(id sessionHash, now, idle int64) (e *entry, evicted bool) {
	s.sweep(now, idle)
	i := len(s.slots)
	if i < s.limit {
		s.slots = append(s.slots, entry{})
	} else {
		i = s.victim()
		evicted = !s.slots[i].idle(now, idle)
		delete(s.index, s.slots[i].id)
	}
	s.slots[i] = entry{id: id, lastUsed: now, gen: s.gen}
	s.index[id] = int32(i)
	return &s.slots[i], evicted
}

// victim returns the slot to evict, and moves the hand past it.
func (s *shard) victim() int {
	for range maxSkips {
		e := &s.slots[s.hand]
		if !e.used {
			break
		}
		e.used = false
		s.hand = (s.hand + 1) % len(s.slots)
	}
	i := s.hand
	s.hand = (s.hand + 1) % len(s.slots)
	return i
}

// sweep removes idle entries that are never looked up. Each call checks two slots.
func (s *shard) sweep(now, idle int64) {
	for range 2 {
		if s.sweepHand >= len(s.slots) {
			s.sweepHand = 0
		}
		if s.sweepHand < len(s.slots) && s.slots[s.sweepHand].idle(now, idle) {
			s.remove(s.sweepHand)
			continue
		}
		s.sweepHand++
	}
}

func (s *shard) remove(i int) {
	last := len(s.slots) - 1
	delete(s.index, s.slots[i].id)
	if i != last {
		s.slots[i] = s.slots[last]
		s.index[s.slots[i].id] = int32(i)
	}
	s.slots = s.slots[:last]
	if s.hand >= last {
		s.hand = 0
	}
}
