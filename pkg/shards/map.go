package shards

import (
	"hash/maphash"
	"maps"
)

// count is the number of shards of a Map. An edit copies the array of shards and each shard that it changes.
const count = 512

// seed is random for each process, so that clients cannot choose keys of one shard.
var seed = maphash.MakeSeed()

// Map maps strings to values. It is immutable: an Edit makes the next one. The zero value is an empty Map.
type Map[V any] struct {
	shards *[count]map[string]V
	length int
}

// Len returns the number of keys.
func (m Map[V]) Len() int { return m.length }

// Get returns the value of a key. found is false if the Map does not have the key.
func (m Map[V]) Get(key string) (value V, found bool) {
	if m.shards == nil {
		return value, false
	}
	value, found = m.shards[maphash.String(seed, key)%count][key]
	return value, found
}

// GetBytes is Get for a key in bytes. It does not allocate.
func (m Map[V]) GetBytes(key []byte) (value V, found bool) {
	if m.shards == nil {
		return value, false
	}
	value, found = m.shards[maphash.Bytes(seed, key)%count][string(key)]
	return value, found
}

// All calls f for each key, in no particular order.
func (m Map[V]) All(f func(key string, value V)) {
	if m.shards == nil {
		return
	}
	for _, shard := range m.shards {
		for key, value := range shard {
			f(key, value)
		}
	}
}

// Edit makes a Map that differs from another one. It is not safe for concurrent use.
type Edit[V any] struct {
	next  Map[V]
	owned [count]bool // shards that are already copied
}

// Edit begins an Edit of m, which stays as it is.
func (m Map[V]) Edit() *Edit[V] {
	e := &Edit[V]{next: Map[V]{shards: new([count]map[string]V), length: m.length}}
	if m.shards != nil {
		*e.next.shards = *m.shards
	}
	return e
}

// Set sets the value of a key.
func (e *Edit[V]) Set(key string, value V) {
	shard := e.shard(key)
	before := len(shard)
	shard[key] = value
	e.next.length += len(shard) - before
}

// Delete removes a key, if the Map has it.
func (e *Edit[V]) Delete(key string) {
	if _, found := e.next.Get(key); !found {
		return
	}
	delete(e.shard(key), key)
	e.next.length--
}

// Map returns the result. The Edit must not be used after that.
func (e *Edit[V]) Map() Map[V] { return e.next }

// shard returns the shard of a key for modification.
func (e *Edit[V]) shard(key string) map[string]V {
	at := maphash.String(seed, key) % count
	if !e.owned[at] {
		e.owned[at] = true
		if e.next.shards[at] = maps.Clone(e.next.shards[at]); e.next.shards[at] == nil {
			e.next.shards[at] = map[string]V{}
		}
	}
	return e.next.shards[at]
}
