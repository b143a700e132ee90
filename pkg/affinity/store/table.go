package store

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/limpet-dev/limpet/pkg/model"
)

const shardCount = 64

// table is an in-memory map of sessions, divided into shards. The shard of a session depends on a random seed, so
// that an attacker cannot choose ids of one shard.
type table struct {
	shards  [shardCount]shard
	seed    uint64
	idle    int64 // seconds
	observe func(Event)
}

// state is the result of a lookup in a table.
type state struct {
	entry
	known  bool
	inSync bool   // not invalidated since it was last in sync with the shared store
	epoch  uint64 // epoch of the shard, for adopt
}

func newTable(o *Options) *table {
	t := &table{seed: rand.Uint64(), idle: o.idleSeconds(), observe: o.Observe}
	entries := min(int64(o.Entries), o.Bytes/entryBytes)
	for i := range t.shards {
		s := &t.shards[i]
		s.index, s.gen = map[sessionHash]int32{}, 1
		s.limit = int(max(1, entries/shardCount))
	}
	return t
}

func (t *table) shard(id sessionHash) *shard {
	return &t.shards[model.Mix(binary.LittleEndian.Uint64(id[:8])^t.seed)%shardCount]
}

// lookup returns the state of a session, and counts as a use.
func (t *table) lookup(id sessionHash, now int64) state {
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.find(id, now, t.idle)
	if e == nil {
		return state{epoch: s.epoch}
	}
	e.lastUsed, e.used = now, true
	return state{entry: *e, known: true, inSync: e.gen == s.gen, epoch: s.epoch}
}

// bind sets the endpoint of a session. If it returns false, the caller must queue a write.
func (t *table) bind(id sessionHash, key model.EndpointKey, now int64) (queued bool) {
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := t.entry(s, id, now)
	queued = e.queued
	e.key, e.gen, e.lastUsed, e.renewed = key, s.gen, now, now
	e.dirty, e.queued = true, true
	return queued
}

// entry returns the entry of an id, and adds one if it is missing. The lock of s must be held.
func (t *table) entry(s *shard, id sessionHash, now int64) *entry {
	if e := s.find(id, now, t.idle); e != nil {
		return e
	}
	e, evicted := s.add(id, now, t.idle)
	if evicted {
		t.observe(Evicted)
	}
	return e
}

func (t *table) forget(id sessionHash) {
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if i, ok := s.index[id]; ok {
		s.remove(int(i))
	}
}

func (t *table) len() int {
	n := 0
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		n += len(s.slots)
		s.mu.Unlock()
	}
	return n
}
