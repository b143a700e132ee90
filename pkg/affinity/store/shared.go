package store

import (
	"context"
	"sync"
	"time"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
)

const (
	openWait = time.Second // how long Open waits for the first reply
	maxReads = 1024        // maximum number of concurrent queries
)

// released is the key of a released session. It distinguishes released sessions from sessions that the store has
// lost.
var released model.EndpointKey

// shared is a Store that is shared by the replicas of Limpet, with a cache in memory.
type shared struct {
	// Immutable after openShared. What they point to is safe for concurrent use.
	Options
	table   *table
	unknown unknownIDs
	lookups *limiter // of ids that the shared store does not have
	writes  *limiter // of ids that only clients named
	health  *health
	parts   parts
	queue   chan change   // received by the goroutine of write
	reads   chan struct{} // semaphore for queries
	address address

	// Lifecycle.
	ctx     context.Context // done after Close
	cancel  context.CancelFunc
	tasks   sync.WaitGroup // write and one watch per breaker
	server  server
	closing sync.Once
}

func openShared(a address, o Options) *shared {
	o = o.withDefaults()
	s := &shared{Options: o, table: o.newTable(), unknown: o.newUnknownIDs(), address: a}
	s.lookups, s.writes = newLimiter(clientLookups, policyLookups), newLimiter(clientWrites, policyWrites)
	s.queue = make(chan change, o.Queue)
	s.reads = make(chan struct{}, maxReads)
	s.health = newHealth(partCount(a.mode), o.Log.WithValues("store", a.name), o.Observe)
	s.parts = newParts(a.mode, a.prefix+keyFormat, s.health)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for _, b := range s.parts.breakers {
		s.tasks.Go(func() { s.watch(b) })
	}
	s.tasks.Go(s.write)
	s.health.waitFirst(openWait)
	return s
}

// Lookup implements Store.
func (s *shared) Lookup(id *affinity.LearnedID) affinity.Learned {
	key, now := sessionOf(id), s.Now()
	st := s.table.lookup(key, now, id.Peek)
	switch {
	case !st.known:
		if missing, _ := s.unknown.isMissing(key, now); missing {
			return affinity.Learned{}
		}
		return affinity.Learned{State: affinity.LearnedUnresolved}
	case st.expired && st.isOver(key.life, now):
		s.drop(id, key)
		return affinity.Learned{State: affinity.LearnedExpired}
	case st.expired:
		return affinity.Learned{State: affinity.LearnedUnresolved}
	case st.dirty:
		s.retryWrite(key, st.queued)
	case !st.inSync:
		return affinity.Learned{State: affinity.LearnedUnresolved}
	}
	if !id.Peek && st.key != released && s.table.renewalDue(&st.entry, now, key.life) {
		s.renew(key, now)
	}
	return learnedFrom(st.key)
}

// isOver reports whether the session has reached its absolute timeout. If it was only idle here, another replica may
// have used it since.
func (e *entry) isOver(life affinity.Lifetime, now int64) bool {
	return life.Absolute > 0 && now >= int64(e.started)+life.Absolute
}

func learnedFrom(key model.EndpointKey) affinity.Learned {
	if key == released {
		return affinity.Learned{}
	}
	return affinity.Learned{State: affinity.LearnedAlive, Endpoint: key}
}

// Resolve implements Store.
func (s *shared) Resolve(id *affinity.LearnedID) (affinity.Learned, bool) {
	key, now := sessionOf(id), s.Now()
	st := s.table.lookup(key, now, id.Peek)
	if st.known && !st.expired {
		return s.revalidate(key, st, now, id.Peek), true
	}
	return s.fetch(id, key, st, now)
}

// Remember implements Store.
func (s *shared) Remember(id *affinity.LearnedID, key model.EndpointKey) { s.bind(sessionOf(id), key) }

func (s *shared) bind(id session, key model.EndpointKey) {
	if queued := s.table.bind(id, key, s.Now()); !queued {
		s.enqueue(change{session: id})
	}
}

// Returned implements Store. An id is recorded only if the shared store is known not to have it. Each bound id is a
// write, so their rate is limited.
func (s *shared) Returned(id *affinity.LearnedID, key model.EndpointKey, accepted bool) {
	session, now := sessionOf(id), s.Now()
	if missing, _ := s.unknown.isMissing(session, now); !missing && !s.table.isReleased(session, now) {
		return
	}
	if s.unknown.isAccepted(session, now) && !s.writes.take(id, now) {
		s.Observe(Limited)
		return
	}
	if s.unknown.returned(session, accepted, now) {
		s.bind(session, key)
	}
}

// Forget implements Store. The release is stored like a binding. Otherwise another replica would consider the
// session lost and write it back.
func (s *shared) Forget(id *affinity.LearnedID) {
	found := s.Lookup(id)
	if found.State == affinity.LearnedUnresolved {
		found, _ = s.Resolve(id)
	}
	if found.State == affinity.LearnedAlive {
		s.bind(sessionOf(id), released)
	}
}

// Capacity implements Store.
func (s *shared) Capacity() int { return s.table.capacity() }

// Len implements Store.
func (s *shared) Len() int { return s.table.len() }

// Close implements Store.
func (s *shared) Close() { s.closing.Do(s.close) }

func (s *shared) close() {
	s.cancel()
	s.tasks.Wait()
	for _, b := range s.parts.breakers {
		b.open.Store(true)
	}
	s.server.close()
	for range cap(s.reads) {
		s.reads <- struct{}{} // wait for running queries, which end within Wait
	}
}

// fetch queries a session that is not in memory, or that was not used on this replica for its idle timeout.
func (s *shared) fetch(id *affinity.LearnedID, key session, st state, now int64) (found affinity.Learned, ok bool) {
	if st.expired {
		found.State = affinity.LearnedExpired
	}
	if s.parts.breakerFor(key.id).isOpen() {
		s.Observe(Skipped)
		return found, false
	}
	if !s.lookups.allows(id, now) {
		s.Observe(Limited)
		return found, false
	}
	_, epoch := s.unknown.isMissing(key, now)
	r := s.query(key.id)
	if r.err != nil {
		return found, false
	}
	if !r.found {
		s.lookups.take(id, now)
		s.drop(id, key)
		s.unknown.markMissing(key, epoch, now)
		return found, true
	}
	if id.Peek {
		return learnedFrom(r.key), true
	}
	found = s.adopt(key, r.binding, st.epoch, now)
	if found.State == affinity.LearnedAlive {
		s.renew(key, now)
	}
	return found, true
}

// drop removes a session that has ended from the memory of this replica. Its id is then unknown.
func (s *shared) drop(id *affinity.LearnedID, key session) {
	if !id.Peek {
		s.table.forget(key.id)
	}
}

// adopt stores a binding received from the shared store, and returns the state of the session.
func (s *shared) adopt(id session, stored binding, epoch uint64, now int64) affinity.Learned {
	b := s.table.adopt(id, stored, epoch, now)
	if id.life.Absolute > 0 && now >= b.started+id.life.Absolute {
		return affinity.Learned{State: affinity.LearnedExpired}
	}
	return learnedFrom(b.key)
}

// revalidate queries a session that is in memory but may have been changed by another replica. If the query fails,
// the key in memory is used.
func (s *shared) revalidate(id session, st state, now int64, peek bool) affinity.Learned {
	r := s.query(id.id)
	switch {
	case r.err != nil:
		return learnedFrom(st.key)
	case r.found && peek:
		return learnedFrom(r.key)
	case r.found:
		return s.adopt(id, r.binding, st.epoch, now)
	}
	if st.key == released {
		s.table.forget(id.id)
		return affinity.Learned{}
	}
	if s.table.markMissing(id.id) {
		s.enqueue(change{session: id})
	}
	return learnedFrom(st.key)
}

// retryWrite queues a dirty binding again, unless it is queued already or its part of the store is unavailable.
func (s *shared) retryWrite(id session, queued bool) {
	if !queued && !s.parts.breakerFor(id.id).isOpen() && s.table.retry(id.id) {
		s.enqueue(change{session: id})
	}
}

// renew queues a renewal, unless the part of the store is unavailable.
func (s *shared) renew(id session, now int64) {
	if !s.parts.breakerFor(id.id).isOpen() && s.enqueue(change{session: id, renewal: true}) {
		s.table.renew(id.id, now)
	}
}
