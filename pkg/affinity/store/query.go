package store

import (
	"context"
	"errors"
)

var errBusy = errors.New("store: too many concurrent queries")

// reply is the result of a query.
type reply struct {
	binding
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
