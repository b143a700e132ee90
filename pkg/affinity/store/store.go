package store

import (
	"time"

	"github.com/go-logr/logr"

	"github.com/limpet-dev/limpet/pkg/affinity"
)

// Store maps sessions to endpoints. It is safe for concurrent use and does not retain its arguments. It never
// fails: a session that cannot be looked up is not found.
//
// Lookup does not allocate.
type Store interface {
	affinity.Store
	// Len returns the number of sessions in the memory of this process, including idle ones that were not removed
	// yet.
	Len() int
	// Capacity returns the maximum of Len.
	Capacity() int
	// Close flushes queued writes, then closes connections and stops goroutines. It takes up to three seconds if
	// the store is unavailable. Afterwards Lookup and Remember work in memory only.
	Close()
}

// Options configures a Store. Zero values select the defaults given below.
type Options struct {
	Entries int           // maximum number of sessions in memory; default 500000
	Bytes   int64         // maximum memory of these sessions in bytes; default 128 for each of Entries
	Idle    time.Duration // idle timeout of sessions whose policy sets no timeout, in whole seconds; default 1h
	Wait    time.Duration // how long a Lookup waits for a shared store; default 50ms
	Retry   time.Duration // interval of probes of an unavailable store; default 500ms
	Queue   int           // maximum number of queued writes; default 8192

	// Now returns the wall clock in Unix seconds. It is called by every Lookup. The default is the system time.
	Now func() int64
	Log logr.Logger
	// Observe is called for each event, by any goroutine. It must not block. A Lookup that uses only memory causes
	// no event.
	Observe func(Event)
}

// Open returns the Store for a URL (see the package documentation). It returns an error only if the URL is invalid.
// The error contains no secrets.
//
// An unreachable shared store is not an error: Open waits for it for at most one second, and the store keeps trying
// to connect until Close.
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
	setDefault(&o.Bytes, int64(o.Entries)*entryBytes)
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

// sessions is the maximum number of sessions in memory.
func (o *Options) sessions() int64 { return min(int64(o.Entries), o.Bytes/entryBytes) }

func (o *Options) newTable() *table { return newTable(o.sessions(), o.idleSeconds(), o.Now, o.Observe) }

// idleSeconds is Idle in whole seconds, at least one.
func (o *Options) idleSeconds() int64 {
	return max(1, int64(o.Idle/time.Second))
}
