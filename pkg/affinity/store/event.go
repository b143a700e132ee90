package store

// Event is something that happened in a Store and that is worth counting.
type Event uint8

// The events of a Store. Up and Down come in turns, beginning with either.
const (
	Evicted   Event = iota // a session that was not idle made room for another
	Asked                  // a Lookup asked the shared store and was answered, whatever the answer
	Failed                 // a Lookup asked the shared store and got no answer in time
	Skipped                // a Lookup did not ask, because the shared store is down
	Written                // the shared store took a binding or a renewal
	Unwritten              // it did not, or the queue was full; a binding is written at its session's next use
	Up                     // the shared store answers
	Down                   // the shared store does not answer
)

// Events is how many there are: every Event is less.
const Events = int(Down) + 1

var eventNames = [Events]string{"evicted", "asked", "failed", "skipped", "written", "unwritten", "up", "down"}

// String gives a label for metrics.
func (e Event) String() string {
	if int(e) >= Events {
		return "unknown"
	}
	return eventNames[e]
}
