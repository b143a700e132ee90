package store

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

const (
	openWait = time.Second // how long Open waits for the first reply
	maxReads = 1024        // maximum number of concurrent queries
)

var errBusy = errors.New("store: too many concurrent queries")

// released is the key of a released session. It distinguishes released sessions from sessions that the store has
// lost.
var released model.EndpointKey

// shared is a Store that is shared by the replicas of Limpet, with a cache in memory.
type shared struct {
	// Immutable after openShared. What they point to is safe for concurrent use.
	Options
	table   *table
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
	s := &shared{Options: o, table: newTable(&o), address: a}
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
func (s *shared) Lookup(scope uint64, id []byte) (model.EndpointKey, bool) {
	hash, now := hashOf(scope, id), s.Now()
	st := s.table.lookup(hash, now)
	key := st.key
	switch {
	case !st.known:
		key = s.fetch(hash, st.epoch, now)
	case st.dirty:
		s.retryWrite(hash, st.queued)
	case !st.inSync:
		key = s.revalidate(hash, st, now)
	}
	if st.known && now-st.renewed >= quarter(s.table.idle) {
		s.renew(hash, now)
	}
	return key, key != released
}

// Remember implements Store.
func (s *shared) Remember(scope uint64, id []byte, key model.EndpointKey) {
	hash := hashOf(scope, id)
	if queued := s.table.bind(hash, key, s.Now()); !queued {
		s.enqueue(change{id: hash})
	}
}

// Forget implements Store. The release is stored like a binding. Otherwise another replica would consider the
// session lost and write it back.
func (s *shared) Forget(scope uint64, id []byte) { s.Remember(scope, id, released) }

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

// fetch queries a session that is not in memory.
func (s *shared) fetch(id sessionHash, epoch uint64, now int64) model.EndpointKey {
	r := s.query(id)
	if r.err != nil || !r.found {
		return released
	}
	key := s.table.adopt(id, r.key, epoch, now)
	s.renew(id, now)
	return key
}

// revalidate queries a session that is in memory but may have been changed by another replica. If the query fails,
// the key in memory is used.
func (s *shared) revalidate(id sessionHash, st state, now int64) model.EndpointKey {
	r := s.query(id)
	switch {
	case r.err != nil:
		return st.key
	case r.found:
		return s.table.adopt(id, r.key, st.epoch, now)
	}
	if s.table.markMissing(id) {
		s.enqueue(change{id: id})
	}
	return st.key
}

// retryWrite queues a dirty binding again, unless it is queued already or its part of the store is unavailable.
func (s *shared) retryWrite(id sessionHash, queued bool) {
	if !queued && !s.parts.breakerFor(id).isOpen() && s.table.retry(id) {
		s.enqueue(change{id: id})
	}
}

// renew queues a renewal, unless the part of the store is unavailable.
func (s *shared) renew(id sessionHash, now int64) {
	if !s.parts.breakerFor(id).isOpen() && s.enqueue(change{id: id, renewal: true}) {
		s.table.renew(id, now)
	}
}

// reply is the result of a query.
type reply struct {
	key   model.EndpointKey
	found bool
	err   error // the query failed
}

// query queries the shared store, unless the breaker is open, and records the result in the breaker.
func (s *shared) query(id sessionHash) reply {
	b := s.parts.breakerFor(id)
	if b.isOpen() {
		s.Observe(Skipped)
		return reply{err: errUnavailable}
	}
	r := s.get(id)
	if r.err != nil && s.ctx.Err() != nil {
		return r
	}
	if r.err != nil {
		s.Observe(Failed)
		b.failed(r.err)
		return r
	}
	s.Observe(Asked)
	b.succeeded()
	return r
}

// get queries the shared store for at most Wait. The Redis client honors the deadline of its context while it waits
// for a reply, but not in all steps of connecting. Therefore the call runs in its own goroutine.
func (s *shared) get(id sessionHash) reply {
	select {
	case s.reads <- struct{}{}:
	default:
		return reply{err: errBusy}
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.Wait)
	defer cancel()
	result := make(chan reply, 1)
	go func() {
		defer func() { <-s.reads }()
		result <- s.server.get(ctx, id)
	}()
	select {
	case r := <-result:
		return r
	case <-ctx.Done():
		return reply{err: ctx.Err()}
	}
}
