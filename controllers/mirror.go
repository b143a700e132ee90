package controllers

import (
	"context"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// mirror holds all objects of one kind, each reduced to a T with the parts that Limpet reads. It replaces an informer for the
// kinds with the most objects in a cluster. An informer keeps whole objects, and a set for each value of an index: with 100,000
// pods and endpoints, that takes 130 MiB more.
//
// It is safe for concurrent use. A *T is immutable once it is in a mirror.
type mirror[T reduced[T]] struct {
	// index is called for each change with the lock held, if it is not nil. before is nil for a new object, and after is nil for a
	// deleted one.
	index func(before, after *T)
	// onChange is called like index, without the lock. Changes of one object arrive in order.
	onChange func(before, after *T)
	synced   chan struct{} // closed after the first list of each reflector

	mu       sync.RWMutex
	objects  map[types.NamespacedName]*T
	unsynced int // reflectors without a first list
}

// reduced is implemented by the reduced objects of a mirror.
type reduced[T any] interface {
	// objectKey returns the name of the object.
	objectKey() types.NamespacedName
	// equal reports whether Limpet reads the same from both objects.
	equal(other *T) bool
}

// newMirror returns a mirror that is filled by a number of reflectors, each of which has other objects.
func newMirror[T reduced[T]](reflectors int) *mirror[T] {
	return &mirror[T]{
		synced: make(chan struct{}), unsynced: reflectors, objects: map[types.NamespacedName]*T{},
		onChange: func(_, _ *T) {},
	}
}

// get returns an object, or nil if it does not exist.
func (m *mirror[T]) get(key types.NamespacedName) *T {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.objects[key]
}

// keys returns the names of all objects of a namespace. An empty namespace means all.
func (m *mirror[T]) keys(namespace string) []types.NamespacedName {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var keys []types.NamespacedName
	for key := range m.objects {
		if namespace == "" || key.Namespace == namespace {
			keys = append(keys, key)
		}
	}
	return keys
}

// put adds or replaces an object.
func (m *mirror[T]) put(after *T) {
	if before, after := m.lockAndPut(after); after != nil {
		m.onChange(before, after)
	}
}

// lockAndPut returns what changed. Without a change, after is nil.
func (m *mirror[T]) lockAndPut(object *T) (before, after *T) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := (*object).objectKey()
	before = m.objects[key]
	if before != nil && (*before).equal(object) {
		return before, nil
	}
	delete(m.objects, key) // its key may be in one allocation with all texts of before
	m.objects[key] = object
	m.lockedIndex(before, object)
	return before, object
}

// remove removes an object.
func (m *mirror[T]) remove(key types.NamespacedName) {
	if before := m.lockAndRemove(key); before != nil {
		m.onChange(before, nil)
	}
}

func (m *mirror[T]) lockAndRemove(key types.NamespacedName) *T {
	m.mu.Lock()
	defer m.mu.Unlock()
	before := m.objects[key]
	if before != nil {
		delete(m.objects, key)
		m.lockedIndex(before, nil)
	}
	return before
}

func (m *mirror[T]) lockedIndex(before, after *T) {
	if m.index != nil {
		m.index(before, after)
	}
}

// listed notes the first list of a reflector.
func (m *mirror[T]) listed() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.unsynced--; m.unsynced == 0 {
		close(m.synced)
	}
}

// waitForSync waits for the first list of each reflector.
func (m *mirror[T]) waitForSync(ctx context.Context) error {
	select {
	case <-m.synced:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// packTexts copies texts into one allocation. Objects arrive with one allocation for each text, between others that are garbage
// soon: what remains of them would leave gaps in the heap.
func packTexts(texts ...*string) {
	var b strings.Builder
	size := 0
	for _, text := range texts {
		size += len(*text)
	}
	b.Grow(size)
	for _, text := range texts {
		b.WriteString(*text)
	}
	packed := b.String()
	for _, text := range texts {
		*text, packed = packed[:len(*text)], packed[len(*text):]
	}
}
