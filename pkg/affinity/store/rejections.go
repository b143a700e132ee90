package store

import "github.com/go-logr/logr"

// quietPeriod is the time in seconds without rejected writes after which writes count as working again.
const quietPeriod = 10

// rejectionLog logs when an available store starts to reject writes, and when it accepts them again. Reasons are a
// full memory, a read-only replica or missing permissions. It is used by the writing goroutine only.
type rejectionLog struct {
	log       logr.Logger
	rejecting bool
	last      int64 // Unix seconds
}

// note records the result of a batch: its first error or nil.
func (r *rejectionLog) note(err error, now int64) {
	switch {
	case err != nil:
		r.last = now
		if !r.rejecting {
			r.rejecting = true
			r.log.Error(err, "Session store rejects writes, keeping new sessions on this replica only")
		}
	case r.rejecting && now-r.last >= quietPeriod:
		r.rejecting = false
		r.log.Info("Session store accepts writes")
	}
}
