package store

// Event is an event in a Store, for metrics.
type Event uint8

// The events of a Store. Up and Down alternate; either may be first.
const (
	Evicted   Event = iota // a session that was not idle was evicted
	Asked                  // a Lookup queried the shared store and got a reply
	Failed                 // a Lookup queried the shared store and got no reply in time
	Skipped                // a Lookup did not query the shared store, because it is down
	Limited                // a Lookup did not query the shared store, because of too many unknown ids
	Written                // the shared store stored a binding or a renewal
	Unwritten              // a write failed or the queue was full; a binding is retried at the next use
	Up                     // the shared store became available
	Down                   // the shared store became unavailable
)

// Events is the number of events.
const Events = int(Down) + 1

var eventNames = [Events]string{"evicted", "asked", "failed", "skipped", "limited", "written", "unwritten", "up", "down"}

// String returns the metric label of the event.
func (e Event) String() string {
	if int(e) >= Events {
		return "unknown"
	}
	return eventNames[e]
}
