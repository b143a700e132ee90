package exchange

import (
	"io"
	"math"
	"sync"

	"github.com/limpet-dev/limpet/pkg/observe"
)

// flow is what users call a stream: what goes on for long between a client and a pod, a tunnel or a response.
// Its fields but the last are set before it is added to flows.
type flow struct {
	kind  observe.StreamKind
	pod   io.Closer // closing it ends the flow, so that the client sees that it was broken off
	guard *Guard    // of the wait for a client that does not read, which the pod has no part in
	cut   bool      // the pod's side is being closed; settled once the flow was removed
}

// Flows is every stream in progress. It is safe for concurrent use.
type Flows struct {
	metrics *observe.Metrics
	mu      sync.Mutex
	kinds   [observe.StreamKinds]flowsOfKind
}

type flowsOfKind struct {
	open  map[*flow]struct{}
	count int // of those that were open when counting began, and all that came later
}

func (fs *Flows) add(f *flow) {
	fs.metrics.Streams[f.kind].Inc()
	fs.mu.Lock()
	defer fs.mu.Unlock()
	k := &fs.kinds[f.kind]
	if k.open == nil {
		k.open = map[*flow]struct{}{}
	}
	k.open[f] = struct{}{}
	k.count++
}

// remove forgets f, which is not closed from then on.
func (fs *Flows) remove(f *flow) {
	fs.metrics.Streams[f.kind].Dec()
	fs.mu.Lock()
	defer fs.mu.Unlock()
	delete(fs.kinds[f.kind].open, f)
}

// Open returns how many streams of a kind are open.
func (fs *Flows) Open(kind observe.StreamKind) int {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	return len(fs.kinds[kind].open)
}

// BeginCounting makes the streams that are open now the whole that CloseDown takes a share of.
func (fs *Flows) BeginCounting() {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for kind := range fs.kinds {
		fs.kinds[kind].count = len(fs.kinds[kind].open)
	}
}

// CloseDown closes streams of that kind, in no order, until no more than that share of all is left. Streams that ended by
// themselves count as closed, and those that came since BeginCounting belong to all.
func (fs *Flows) CloseDown(kind observe.StreamKind, share float64) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	k := &fs.kinds[kind]
	most := int(math.Ceil(float64(k.count) * share))
	for f := range k.open {
		if len(k.open) <= most {
			return
		}
		delete(k.open, f)
		f.close()
	}
}

// CloseAll closes every stream.
func (fs *Flows) CloseAll() {
	for kind := range fs.kinds {
		fs.CloseDown(observe.StreamKind(kind), 0)
	}
}

// close takes no time: over TLS to the pod closing says goodbye first, and may have to wait for that.
func (f *flow) close() {
	f.cut = true
	go f.pod.Close()
	f.guard.Expire()
}
