package store

import "github.com/go-logr/logr"

// calm is for how many seconds no write must be refused before the store counts as taking writes again.
const calm = 10

// refusals logs when a store that answers begins to refuse writes (it is full, or a replica, or its user may not), and when
// it takes them again. It belongs to the goroutine that writes.
type refusals struct {
	log     logr.Logger
	refused bool
	last    int64 // Unix seconds
}

// note takes the first error of a batch, or nil.
func (r *refusals) note(err error, now int64) {
	switch {
	case err != nil:
		r.last = now
		if !r.refused {
			r.refused = true
			r.log.Error(err, "Session store refuses writes: new sessions hold on this replica only")
		}
	case r.refused && now-r.last >= calm:
		r.refused = false
		r.log.Info("Session store accepts writes again")
	}
}
