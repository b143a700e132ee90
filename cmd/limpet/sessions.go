package main

import (
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity/store"
)

// sessionOptions are the flags of the store of learned sessions.
type sessionOptions struct {
	url     string
	entries int64
	idle    time.Duration
}

// The bounds of the store. 100 million sessions are about 13 GB.
const (
	minSessions     = 1_000
	maxSessions     = 100_000_000
	defaultSessions = 500_000
	maxSessionIdle  = 365 * 24 * time.Hour
)

func (o *sessionOptions) register(f flagSet) {
	o.entries, o.idle = defaultSessions, time.Hour
	f.StringVar(&o.url, "session-store", "memory", "The `store` of learned sessions and of shared limits: memory, or the"+
		" URL of a Redis or Valkey that all replicas share.")
	f.number(&o.entries, minSessions, maxSessions, "session-store-entries", "The maximum `number` of learned sessions in the"+
		" memory of this replica, of all policies. Each takes up to 128 bytes. When it is reached, a session of the policy"+
		" that has the most is evicted.")
	f.DurationVar(&o.idle, "session-store-idle", o.idle, "How long after its last use a learned session is forgotten if its"+
		" policy sets no timeout.")
}

func (o *sessionOptions) validate() error {
	if o.idle < time.Second || o.idle > maxSessionIdle {
		return usagef("--session-store-idle is %v, but must be from 1s to %v", o.idle, maxSessionIdle)
	}
	return nil
}

// openSessions opens the store of learned sessions. An unreachable store is not an error, because the store reconnects.
func (n *node) openSessions() (err error) {
	o := &n.options.sessions
	n.setStoreUp(o.url == "memory")
	n.sessions, err = store.Open(o.url, store.Options{
		Entries: int(o.entries), Idle: o.idle,
		Log:     n.log.WithName("sessions"),
		Observe: n.observeStore,
	})
	if err != nil {
		return usagef("--session-store: %w", err)
	}
	if n.limits, err = store.OpenLimits(o.url); err != nil {
		return usagef("--session-store: %w", err)
	}
	n.metrics.WatchSessions(n.sessions.Len, n.sessions.Capacity)
	return nil
}

// observeStore counts an event of the store, and records whether the store is available.
func (n *node) observeStore(e store.Event) {
	n.metrics.SessionStore(e.String())
	if e == store.Up || e == store.Down {
		n.setStoreUp(e == store.Up)
	}
}

// setStoreUp records whether the store is available.
func (n *node) setStoreUp(up bool) {
	n.storeUp.Store(up)
	n.metrics.SessionStoreUp(up)
}
