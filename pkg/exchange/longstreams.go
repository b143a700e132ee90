package exchange

import (
	"io"
	"math"
	"sync"

	"github.com/limpet-dev/limpet/pkg/observe"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// longStream is a response or tunnel that stays open for a long time. Operators see it as a stream in metrics.
type longStream struct {
	kind     observe.StreamKind
	endpoint *upstream.Endpoint
	upstream io.Closer // closed to end the stream, so that the client sees an aborted response
	guard    *Guard    // interrupts a wait for a client that does not read; closing upstream does not end that
	closing  bool      // upstream is being closed; final once the stream was removed
}

// LongStreams is the set of all long streams in progress. It is safe for concurrent use.
type LongStreams struct {
	metrics *observe.Metrics
	mu      sync.Mutex
	kinds   [observe.StreamKinds]streamsOfKind
}

type streamsOfKind struct {
	open  map[*longStream]struct{}
	total int // the streams that were open at StartShutdown and all that were added later
}

// add adds s. It may be closed from then on.
func (ls *LongStreams) add(s *longStream) {
	ls.metrics.Streams[s.kind].Inc()
	s.endpoint.BeginStream()
	ls.mu.Lock()
	defer ls.mu.Unlock()
	streams := &ls.kinds[s.kind]
	if streams.open == nil {
		streams.open = map[*longStream]struct{}{}
	}
	streams.open[s] = struct{}{}
	streams.total++
}

// remove removes s. s is not closed afterwards.
func (ls *LongStreams) remove(s *longStream) {
	ls.metrics.Streams[s.kind].Dec()
	s.endpoint.EndStream()
	ls.mu.Lock()
	defer ls.mu.Unlock()
	delete(ls.kinds[s.kind].open, s)
}

// Open returns the number of open streams of a kind.
func (ls *LongStreams) Open(kind observe.StreamKind) int {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	return len(ls.kinds[kind].open)
}

// StartShutdown resets the totals that CloseDownTo uses to the number of streams that are open now.
func (ls *LongStreams) StartShutdown() {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for kind := range ls.kinds {
		ls.kinds[kind].total = len(ls.kinds[kind].open)
	}
}

// CloseDownTo closes streams of the kind, in random order, until at most the given fraction of the total is open. Streams
// that ended by themselves count as closed. Streams that were added since StartShutdown count towards the total.
func (ls *LongStreams) CloseDownTo(kind observe.StreamKind, fraction float64) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	streams := &ls.kinds[kind]
	maxOpen := int(math.Ceil(float64(streams.total) * fraction))
	for s := range streams.open {
		if len(streams.open) <= maxOpen {
			return
		}
		delete(streams.open, s)
		s.close()
	}
}

// CloseAll closes every stream.
func (ls *LongStreams) CloseAll() {
	for kind := range ls.kinds {
		ls.CloseDownTo(observe.StreamKind(kind), 0)
	}
}

// close closes the upstream side without waiting: over TLS, a close_notify alert is sent first, which may block. The caller
// holds the lock of LongStreams.
func (s *longStream) close() {
	s.closing = true
	go s.upstream.Close()
	s.guard.Expire()
}
