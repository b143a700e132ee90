package exchange

import (
	"bytes"
	"io"
	"time"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/observe"
)

// usualStreamsFrom is how long an answer goes on before it counts as a stream: most have come to their end by then, and
// pay nothing for it (docs/adr/0039).
const usualStreamsFrom = 10 * time.Second

// podSide is the connection that an answer comes by, or the stream of one.
type podSide interface {
	Deadliner
	io.Closer
}

// awaitMore is called before each wait for more of the answer. Once that has gone on for long, or is known to have no
// end, it becomes a flow.
func (x *Exchange) awaitMore(pod podSide) {
	now := x.Engine.Clock()
	if x.awaitedSince == 0 {
		x.awaitedSince = now
		x.resp.KeepNominated()
		x.flow.kind = kindOf(&x.resp.Response)
	}
	isLong := x.flow.kind == observe.StreamEvents || now-x.awaitedSince >= x.Engine.StreamsFrom.Milliseconds()
	if !isLong || x.flow.pod != nil {
		return
	}
	x.flow.pod, x.flow.guard = pod, x.guard
	x.Engine.Flows.add(&x.flow)
	x.shedHeads()
}

// endFlow reports whether the pod's side was left as it is.
func (x *Exchange) endFlow() bool {
	if x.flow.pod == nil {
		return true
	}
	x.Engine.Flows.remove(&x.flow)
	return !x.flow.cut
}

// kindOf goes by the type of the content. Calls of gRPC are too many, and too short, to take all for streams.
func kindOf(r *http1.Response) observe.StreamKind {
	switch content := r.Get(http1.FieldContentType); {
	case hasPrefixFold(content, "text/event-stream"):
		return observe.StreamEvents
	case hasPrefixFold(content, "application/grpc"):
		return observe.StreamGRPC
	}
	return observe.StreamDownload
}

func hasPrefixFold(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && bytes.EqualFold(b[:len(prefix)], []byte(prefix))
}

// shedHeads lets go of the heads of request and answer, which a flow has no use for, so that it holds no buffer. What the
// log says of the request is kept. While the rest of the request is on its way to the pod, its head is needed.
func (x *Exchange) shedHeads() {
	x.resp.Shed()
	x.shedRequest()
}
