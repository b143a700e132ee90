package store

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/limpet-dev/limpet/pkg/model"
)

const shardCount = 64

// table is the memory of a process, in shards that are chosen by a hash that nobody outside can foresee: who can choose ids
// cannot crowd one shard.
type table struct {
	shards  [shardCount]shard
	seed    uint64
	idle    int64 // seconds
	observe func(Event)
}

// state is what a table knows of one session at one moment.
type state struct {
	entry
	known  bool
	agreed bool   // with the shared store, as far as that has told
	epoch  uint64 // of the shard: for adopt
}

func newTable(o *Options) *table {
	t := &table{seed: rand.Uint64(), idle: o.idleSeconds(), observe: o.Observe}
	entries := min(int64(o.Entries), o.Bytes/entryBytes)
	for i := range t.shards {
		s := &t.shards[i]
		s.index, s.gen = map[sum]int32{}, 1
		s.limit = int(max(1, entries/shardCount))
	}
	return t
}

func (t *table) shard(id sum) *shard {
	return &t.shards[model.Mix(binary.LittleEndian.Uint64(id[:8])^t.seed)%shardCount]
}

// lookup counts as a use.
func (t *table) lookup(id sum, now int64) state {
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.find(id, now, t.idle)
	if e == nil {
		return state{epoch: s.epoch}
	}
	e.seen, e.used = now, true
	return state{entry: *e, known: true, agreed: e.gen == s.gen, epoch: s.epoch}
}

// bind sets the endpoint of a session. The caller has the binding written, unless it was queued already.
func (t *table) bind(id sum, key model.EndpointKey, now int64) (queued bool) {
	s := t.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := t.entry(s, id, now)
	queued = e.queued
	e.key, e.gen, e.seen, e.renewed = key, s.gen, now, now
	e.dirty, e.queued = true, true
	return queued
}

func (t *table) entry(s *shard, id sum, now int64) *entry {
	if e := s.find(id, now, t.idle); e != nil {
		return e
	}
	e, evicted := s.add(id, now, t.idle)
	if evicted {
		t.observe(Evicted)
	}
	return e
}

func (t *table) forget(id sum) {
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
