package store

import (
	"encoding/binary"
	"math"
	"math/rand/v2"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
)

const shardCount = 64

// table is an in-memory map of sessions, divided into shards. The shard of a session depends on a random seed, so
// that an attacker cannot choose ids of one shard.
type table struct {
	shards  [shardCount]shard
	seed    uint64
	idle    int64 // seconds; idle timeout of sessions whose policy sets no timeout
	observe func(Event)
	now     func() int64 // for notifications of the shared store
}

// session identifies a session in a table, with the settings of its policy.
type session struct {
	id     sessionHash
	policy uint64
	life   affinity.Lifetime
}

func sessionOf(id *affinity.LearnedID) session {
	return session{hashOf(id.Scope, id.ID), id.Policy, id.Lifetime}
}

// state is the result of a lookup in a table.
type state struct {
	entry
	known   bool
	expired bool
	inSync  bool   // not invalidated since it was last in sync with the shared store
	epoch   uint64 // epoch of the shard, for adopt
}

func newTable(entries int64, idle int64, now func() int64, observe func(Event)) *table {
	t := &table{seed: rand.Uint64(), idle: idle, observe: observe, now: now}
	for i := range t.shards {
		s := &t.shards[i]
		s.index, s.gen = map[sessionHash]int32{}, 1
		s.quotas.byPolicy = map[uint64]int32{}
		s.limit = int(max(1, entries/shardCount))
	}
	return t
}

func (t *table) shard(id sessionHash) *shard {
	return &t.shards[model.Mix(binary.LittleEndian.Uint64(id[:8])^t.seed)%shardCount]
}

// capacity returns the maximum number of sessions.
func (t *table) capacity() int { return shardCount * t.shards[0].limit }

// end returns when a session ends unless it is used again.
func (t *table) end(started, lastUsed int64, life affinity.Lifetime) uint32 {
	end := int64(math.MaxUint32)
	if idle := t.idleOf(life); idle > 0 {
		end = min(end, lastUsed+idle)
	}
	if life.Absolute > 0 {
		end = min(end, started+life.Absolute)
	}
	return uint32(end)
}

// idleOf returns the idle timeout of a session in seconds. Zero disables it.
func (t *table) idleOf(life affinity.Lifetime) int64 {
	if life.Idle == 0 && life.Absolute == 0 {
		return t.idle
	}
	return life.Idle
}

// lookup returns the state of a session. It counts as a use unless peek is set.
func (t *table) lookup(id session, now int64, peek bool) state {
	s := t.shard(id.id)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.find(id.id)
	if e == nil {
		return state{epoch: s.epoch}
	}
	e.end = t.end(int64(e.started), int64(e.lastUsed), id.life) // the policy may have changed
	expired := e.hasEnded(now)
	if !expired && !peek {
		t.use(e, id.life, now)
	}
	return state{entry: *e, known: true, expired: expired, inSync: e.gen == s.gen, epoch: s.epoch}
}

func (t *table) use(e *entry, life affinity.Lifetime, now int64) {
	e.lastUsed, e.used = uint32(now), true
	e.end = t.end(int64(e.started), now, life)
}

// bind sets the endpoint of a session. A session that has ended starts again. If it returns false, the caller must
// queue a write.
func (t *table) bind(id session, key model.EndpointKey, now int64) (queued bool) {
	s := t.shard(id.id)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := t.entry(s, id, now)
	if isCurrent := e.key == key && e.gen == s.gen && !e.dirty; isCurrent {
		t.use(e, id.life, now)
		return true
	}
	queued = e.queued
	if e.key == released || e.started == 0 {
		e.started = uint32(now)
	}
	e.key, e.gen, e.renewed, e.lastUsed = key, s.gen, uint32(now), uint32(now)
	e.end = t.end(int64(e.started), now, id.life)
	e.dirty, e.queued = true, true
	return queued
}

// entry returns the entry of an id, and adds one if it is missing or has ended. The lock of s must be held.
func (t *table) entry(s *shard, id session, now int64) *entry {
	if e := s.find(id.id); e != nil {
		if now < int64(t.end(int64(e.started), int64(e.lastUsed), id.life)) {
			return e
		}
		s.remove(int(s.index[id.id]))
	}
	e, evicted := s.add(id.id, id.policy, now)
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
