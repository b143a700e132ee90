package store

import (
	"context"
	"slices"
	"time"
)

const (
	maxBatch  = 128
	writeWait = time.Second // timeout of a batch
)

// change is a queued write to the shared store: a binding, or a renewal of a session in use.
type change struct {
	session
	renewal bool
	binding       // set when the change is written
	ttl     int64 // milliseconds; set when the change is written
}

// outcome is the result of writing a change.
type outcome struct {
	missing     bool  // a renewal failed because the store does not have the session
	err         error // the write failed, or its result is unknown
	unreachable bool  // err was not sent by the store
}

// enqueue queues a change without blocking, and reports whether there was space. A dropped binding stays dirty, and
// is queued again when its session is used.
func (s *shared) enqueue(c change) bool {
	select {
	case s.queue <- c:
		return true
	default:
	}
	s.Observe(Unwritten)
	if !c.renewal {
		s.table.takeForWrite(c.id)
	}
	return false
}

// write runs in the only goroutine that writes, so that the last binding of a session is written last.
func (s *shared) write() {
	rejected := rejectionLog{log: s.Log.WithValues("store", s.address.name)}
	for {
		select {
		case c := <-s.queue:
			s.send(s.batch(c), &rejected)
		case <-s.ctx.Done():
			s.flush(&rejected)
			return
		}
	}
}

// flush writes the changes that were queued before Close. It gives up after writeWait.
func (s *shared) flush(rejected *rejectionLog) {
	for end := time.Now().Add(writeWait); time.Now().Before(end); {
		select {
		case c := <-s.queue:
			s.send(s.batch(c), rejected)
		default:
			return
		}
	}
}

// batch collects c and other queued changes, with their current keys. Bindings that were written in the meantime
// are omitted.
func (s *shared) batch(c change) []change {
	batch := make([]change, 0, maxBatch)
	for {
		ok := true
		if !c.renewal {
			c.binding, ok = s.table.takeForWrite(c.id)
		}
		c.ttl = s.table.ttl(c.started, s.Now(), c.life)
		if ok {
			batch = append(batch, c)
		}
		if len(batch) == maxBatch {
			return batch
		}
		select {
		case c = <-s.queue:
		default:
			return batch
		}
	}
}

// send writes a batch. Changes whose part of the store is unavailable are dropped.
func (s *shared) send(batch []change, rejected *rejectionLog) {
	batch = slices.DeleteFunc(batch, func(c change) bool {
		down := s.parts.breakerFor(c.id).isOpen()
		if down {
			s.Observe(Unwritten)
		}
		return down
	})
	if len(batch) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), writeWait)
	defer cancel()
	s.recordOutcomes(batch, s.server.put(ctx, batch), rejected)
}

// recordOutcomes processes the outcomes of a batch. Connection failures count once per part of the store, like one
// query.
func (s *shared) recordOutcomes(batch []change, outcomes []outcome, rejected *rejectionLog) {
	var rejection error
	unreachable := map[*breaker]error{}
	for i, o := range outcomes {
		s.recordOutcome(&batch[i], o)
		switch {
		case o.unreachable:
			unreachable[s.parts.breakerFor(batch[i].id)] = o.err
		case o.err != nil:
			rejection = o.err
		}
	}
	for b, err := range unreachable {
		b.failed(err)
	}
	if rejection != nil || len(unreachable) == 0 {
		rejected.note(rejection, s.Now())
	}
}

func (s *shared) recordOutcome(c *change, o outcome) {
	switch {
	case o.err != nil:
		s.Observe(Unwritten)
		return
	case o.missing:
		if s.table.markMissing(c.id) {
			s.enqueue(change{session: c.session})
		}
	case !c.renewal:
		s.table.acknowledge(c.id, c.key)
	}
	s.Observe(Written)
}
