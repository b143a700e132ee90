package store

import (
	"sync"

	"github.com/limpet-dev/limpet/pkg/model"
)

// entryBytes is what one session costs in memory at most: its entry (64 bytes), the quarter by which a growing slice may
// exceed its length, and its place in the index (20 bytes at a load of 7/16 to 7/8). A test measures it.
const entryBytes = 128

// patience is after how many used entries in a row eviction takes the next one, used or not: it bounds the time that
// the lock is held.
const patience = 64

// entry is one session. A zero key is a session that was released.
type entry struct {
	id      sum
	key     model.EndpointKey
	seen    int64  // Unix seconds of its last use here
	renewed int64  // Unix seconds of when the shared store was last told that it is used
	gen     uint32 // of the shard, when this was last known to agree with the shared store; 0: it does not
	used    bool   // since the hand last passed
	dirty   bool   // the shared store has not taken it yet
	queued  bool   // on its way to the shared store
}

// shard is a part of the table, with a lock of its own. Slots are dense: removal moves the last one into the hole.
type shard struct {
	mu    sync.Mutex
	index map[sum]int32
	slots []entry
	limit int    // of slots
	hand  int    // where eviction looks next (CLOCK, or second chance)
	broom int    // where the search for idle entries looks next
	gen   uint32 // grows when nothing is sure to agree with the shared store any longer; from 1
	epoch uint64 // grows whenever the shared store told of a change
	_     [24]byte
}

func (s *shard) find(id sum, now, idle int64) *entry {
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

// idle is false while the clock is behind the last use: a clock that was set back ends no session.
func (e *entry) idle(now, idle int64) bool { return now-e.seen >= idle }

// add makes an entry for an id that has none, and reports whether another one went for it. A new entry has not been used
// again yet: a flood of sessions that never come back evicts itself first.
func (s *shard) add(id sum, now, idle int64) (e *entry, evicted bool) {
	s.sweep(now, idle)
	i := len(s.slots)
	if i < s.limit {
		s.slots = append(s.slots, entry{})
	} else {
		i = s.victim()
		evicted = !s.slots[i].idle(now, idle)
		delete(s.index, s.slots[i].id)
	}
	s.slots[i] = entry{id: id, seen: now, gen: s.gen}
	s.index[id] = int32(i)
	return &s.slots[i], evicted
}

// victim picks the slot to be used anew, and moves the hand past it.
func (s *shard) victim() int {
	for range patience {
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

// sweep removes idle entries that nobody asks for, a little with every entry that is added.
func (s *shard) sweep(now, idle int64) {
	for range 2 {
		if s.broom >= len(s.slots) {
			s.broom = 0
		}
		if s.broom < len(s.slots) && s.slots[s.broom].idle(now, idle) {
			s.remove(s.broom)
			continue
		}
		s.broom++
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
