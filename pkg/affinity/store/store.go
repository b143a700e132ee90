package store

import (
	"time"

	"github.com/go-logr/logr"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Store remembers to which endpoint the sessions of an app belong. It is safe for concurrent use, keeps no slice that
// it is given, and never fails: what it cannot tell is not found.
type Store interface {
	// Lookup gives the endpoint of a session and counts as a use of it. It does not allocate where the session is
	// known in memory and agreed upon.
	Lookup(scope uint64, id []byte) (model.EndpointKey, bool)
	// Remember binds a session to an endpoint. The last call wins.
	Remember(scope uint64, id []byte, key model.EndpointKey)
	// Forget releases a session, on every replica.
	Forget(scope uint64, id []byte)
	// Len is how many sessions are kept in this process, among them such as have been idle for too long.
	Len() int
	// Close lets go of connections and goroutines, after writing what is waiting to be written; it takes up to three
	// seconds if the store does not answer. Lookup and Remember still work on what is in memory.
	Close()
}

// Options of a Store. The zero value of each field means its default.
type Options struct {
	Entries int           // sessions kept in memory at most; 500000
	Bytes   int64         // memory that they take at most, in bytes; 64 MiB
	Idle    time.Duration // how long a session outlives its last use, in whole seconds; 1h
	Wait    time.Duration // how long a Lookup waits for a shared store; 50ms
	Retry   time.Duration // how often a shared store that does not answer is tried; 500ms
	Queue   int           // writes that wait for a shared store; 8192

	// Now is the wall clock in Unix seconds, asked by every Lookup. By default the time of the system.
	Now func() int64
	Log logr.Logger
	// Observe is told what happens, by any goroutine; it must not block. It hears nothing of a Lookup that is
	// answered from memory.
	Observe func(Event)
}

// Open makes the Store that the text names, as the package documentation spells it. An error means that the text is
// wrong, and quotes no secret. A shared store that cannot be reached is no error: Open waits for it no longer
// than a second, and it is tried until Close.
func Open(text string, o Options) (Store, error) {
	if text == "memory" {
		return NewMemory(o), nil
	}
	a, err := parseURL(text)
	if err != nil {
		return nil, err
	}
	return openShared(a, o), nil
}

func (o Options) withDefaults() Options {
	setDefault(&o.Entries, 500_000)
	setDefault(&o.Bytes, 64<<20)
	setDefault(&o.Idle, time.Hour)
	setDefault(&o.Wait, 50*time.Millisecond)
	setDefault(&o.Retry, 500*time.Millisecond)
	setDefault(&o.Queue, 8192)
	if o.Now == nil {
		o.Now = func() int64 { return time.Now().Unix() }
	}
	if o.Observe == nil {
		o.Observe = func(Event) {}
	}
	return o
}

func setDefault[T int | int64 | time.Duration](field *T, value T) {
	if *field <= 0 {
		*field = value
	}
}

// idleSeconds is Idle in whole seconds, at least one.
func (o *Options) idleSeconds() int64 {
	return max(1, int64(o.Idle/time.Second))
}
