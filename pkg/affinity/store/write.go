package store

import (
	"context"
	"slices"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

const (
	maxBatch  = 128
	writeWait = time.Second // for a batch
)

// change is something that the shared store is to be told: that a session is bound, or that it is still used.
type change struct {
	id      sum
	renewal bool
	key     model.EndpointKey // filled in when it is written
}

// outcome is what became of a change.
type outcome struct {
	missing bool  // a renewal of a session that the store does not have
	err     error // it was not written, as far as is known
	silent  bool  // err is not an answer of the store
}

// enqueue never waits. A binding for which there is no room stays dirty, and is tried again when its session is used.
func (s *shared) enqueue(c change) bool {
	select {
	case s.queue <- c:
		return true
	default:
	}
	s.Observe(Unwritten)
	if !c.renewal {
		s.table.take(c.id)
	}
	return false
}

// write is the one goroutine that writes, so that the last binding of a session is written last.
func (s *shared) write() {
	refused := refusals{log: s.Log.WithValues("store", s.address.name)}
	for {
		select {
		case c := <-s.queue:
			s.send(s.batch(c), &refused)
		case <-s.ctx.Done():
			s.flush(&refused)
			return
		}
	}
}

// flush writes what was queued before Close, and stops when that takes too long.
func (s *shared) flush(refused *refusals) {
	for end := time.Now().Add(writeWait); time.Now().Before(end); {
		select {
		case c := <-s.queue:
			s.send(s.batch(c), refused)
		default:
			return
		}
	}
}

// batch is a change and what else waits, with the keys of this moment; bindings that need no writing any longer are
// left out.
func (s *shared) batch(c change) []change {
	batch := make([]change, 0, maxBatch)
	for {
		ok := true
		if !c.renewal {
			c.key, ok = s.table.take(c.id)
		}
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

func (s *shared) send(batch []change, refused *refusals) {
	batch = slices.DeleteFunc(batch, func(c change) bool {
		down := s.parts.of(c.id).isOpen()
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
	s.settle(batch, s.server.put(ctx, batch, s.table.idle), refused)
}

// settle notes what became of a batch. Silence counts once for each part of the store, as it would for one question.
func (s *shared) settle(batch []change, outcomes []outcome, refused *refusals) {
	var refusal error
	silent := map[*breaker]error{}
	for i, o := range outcomes {
		s.settleOne(&batch[i], o)
		switch {
		case o.silent:
			silent[s.parts.of(batch[i].id)] = o.err
		case o.err != nil:
			refusal = o.err
		}
	}
	for b, err := range silent {
		b.failed(err)
	}
	if refusal != nil || len(silent) == 0 {
		refused.note(refusal, s.Now())
	}
}

func (s *shared) settleOne(c *change, o outcome) {
	switch {
	case o.err != nil:
		s.Observe(Unwritten)
		return
	case o.missing:
		if s.table.lost(c.id) {
			s.enqueue(change{id: c.id})
		}
	case !c.renewal:
		s.table.taken(c.id, c.key)
	}
	s.Observe(Written)
}
