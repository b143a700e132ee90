package store

import (
	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/model"
)

// unknownIDs remembers ids that clients sent and that belong to no session. Clients can invent ids, so they have a
// table of their own and are never written to a shared store.
//
// An entry that is in sync means that the shared store does not have the session. Its key is accepted once a request
// with the id had a response of 2xx or 3xx.
type unknownIDs struct{ table *table }

// The number of unknown ids in relation to that of sessions, and the time in seconds for which they are remembered.
const (
	unknownShare = 8
	unknownIdle  = 600
)

var accepted = model.KeyOf("accepted")

func (o *Options) newUnknownIDs() unknownIDs {
	return unknownIDs{newTable(o.sessions()/unknownShare, unknownIdle, o.Now, func(Event) {})}
}

// isMissing reports whether the shared store is known not to have a session. It returns the epoch for markMissing.
func (u unknownIDs) isMissing(id session, now int64) (missing bool, epoch uint64) {
	id.life = affinity.Lifetime{}
	st := u.table.lookup(id, now, false)
	return st.known && !st.expired && st.inSync, st.epoch
}

// returned records the response to a request with an unknown id. It reports whether the id must be bound, because an
// earlier request with it was accepted.
func (u unknownIDs) returned(id session, isAccepted bool, now int64) (bind bool) {
	id.life = affinity.Lifetime{}
	st := u.table.lookup(id, now, false)
	switch {
	case st.known && !st.expired && st.key == accepted:
		u.table.forget(id.id)
		return true
	case isAccepted:
		u.table.bind(id, accepted, now)
	}
	return false
}

// markMissing records that the shared store does not have a session. epoch was returned by the lookup before the
// query. If it has changed, the session may have been created since.
func (u unknownIDs) markMissing(id session, epoch uint64, now int64) {
	id.life = affinity.Lifetime{}
	t := u.table
	s := t.shard(id.id)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := t.entry(s, id, now)
	e.gen = 0
	if s.epoch == epoch {
		e.gen = s.gen
	}
	if e.started == 0 {
		e.started = uint32(now)
	}
	t.use(e, id.life, now)
	e.used = false
}

// isAccepted reports whether an earlier request with the id was accepted.
func (u unknownIDs) isAccepted(id session, now int64) bool {
	id.life = affinity.Lifetime{}
	st := u.table.lookup(id, now, false)
	return st.known && !st.expired && st.key == accepted
}
