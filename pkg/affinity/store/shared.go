package store

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

const (
	openWait = time.Second // for the first answer, before Open returns
	maxReads = 1024        // questions under way at one time
)

var errBusy = errors.New("too many questions are waiting for an answer")

// released is the key of a session that was released. Replicas have to tell that from a session that the store has lost.
var released model.EndpointKey

// shared is a Store that the replicas of Limpet have in common, with all that this one knows in memory before it.
type shared struct {
	Options
	table   *table
	health  *health
	parts   parts
	queue   chan change
	reads   chan struct{} // as many as there are questions under way
	address address

	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	tasks   sync.WaitGroup
	server  server
	closing sync.Once
}

func openShared(a address, o Options) *shared {
	o = o.withDefaults()
	s := &shared{Options: o, table: newTable(&o), address: a}
	s.queue = make(chan change, o.Queue)
	s.reads = make(chan struct{}, maxReads)
	s.health = newHealth(partsOf(a.mode), o.Log.WithValues("store", a.name), o.Observe)
	s.parts = newParts(a.mode, a.prefix+format, s.health)
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
	sum, now := sumOf(scope, id), s.Now()
	st := s.table.lookup(sum, now)
	key := st.key
	switch {
	case !st.known:
		key = s.learn(sum, st.epoch, now)
	case st.dirty:
		s.rewrite(sum, st.queued)
	case !st.agreed:
		key = s.confirm(sum, st, now)
	}
	if st.known && now-st.renewed >= quarter(s.table.idle) {
		s.renew(sum, now)
	}
	return key, key != released
}

// Remember implements Store.
func (s *shared) Remember(scope uint64, id []byte, key model.EndpointKey) {
	sum := sumOf(scope, id)
	if queued := s.table.bind(sum, key, s.Now()); !queued {
		s.enqueue(change{id: sum})
	}
}

// Forget implements Store. That a session was released is remembered like a binding, for as long: a replica that knows
// the session would take it for lost otherwise, and write it back.
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
		s.reads <- struct{}{} // there is room as soon as the questions have ended, which they do in Wait
	}
}

// learn asks for a session that is not known here.
func (s *shared) learn(id sum, epoch uint64, now int64) model.EndpointKey {
	r := s.ask(id)
	if r.err != nil || !r.found {
		return released
	}
	key := s.table.adopt(id, r.key, epoch, now)
	s.renew(id, now)
	return key
}

// confirm asks for a session that is known here and may have been changed elsewhere.
func (s *shared) confirm(id sum, st state, now int64) model.EndpointKey {
	r := s.ask(id)
	switch {
	case r.err != nil:
		return st.key
	case r.found:
		return s.table.adopt(id, r.key, st.epoch, now)
	}
	if s.table.lost(id) {
		s.enqueue(change{id: id})
	}
	return st.key
}

func (s *shared) rewrite(id sum, queued bool) {
	if !queued && !s.parts.of(id).isOpen() && s.table.retry(id) {
		s.enqueue(change{id: id})
	}
}

func (s *shared) renew(id sum, now int64) {
	if !s.parts.of(id).isOpen() && s.enqueue(change{id: id, renewal: true}) {
		s.table.renew(id, now)
	}
}

// reply is what the shared store says of an id.
type reply struct {
	key   model.EndpointKey
	found bool
	err   error // it said nothing
}

func (s *shared) ask(id sum) reply {
	b := s.parts.of(id)
	if b.isOpen() {
		s.Observe(Skipped)
		return reply{err: errDown}
	}
	r := s.read(id)
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

// read keeps to Wait whatever the client does: that one heeds a deadline while it waits for an answer, but not in all it
// does to get a connection.
func (s *shared) read(id sum) reply {
	select {
	case s.reads <- struct{}{}:
	default:
		return reply{err: errBusy}
	}
	ctx, cancel := context.WithTimeout(s.ctx, s.Wait)
	defer cancel()
	answer := make(chan reply, 1)
	go func() {
		defer func() { <-s.reads }()
		answer <- s.server.get(ctx, id)
	}()
	select {
	case r := <-answer:
		return r
	case <-ctx.Done():
		return reply{err: ctx.Err()}
	}
}
