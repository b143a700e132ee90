package exchange

import (
	"bytes"
	"io"
	"time"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/observe"
)

// defaultLongStreamAfter is the duration after which a response counts as a stream. Most responses have ended by then and do
// not pay for the bookkeeping (docs/adr/0039).
const defaultLongStreamAfter = 10 * time.Second

// upstreamSide is the connection or stream that a response arrives on.
type upstreamSide interface {
	Deadliner
	io.Closer
}

// beforeBodyWait is called before each wait for more of the response. A response that has lasted for LongStreamAfter, or is
// known to be endless, is added to the long streams.
func (x *Exchange) beforeBodyWait(pod upstreamSide) {
	now := x.Engine.Clock()
	if x.waitingSince == 0 {
		x.waitingSince = now
		x.resp.KeepNominated()
		x.longStream.kind = streamKind(&x.resp.Response)
	}
	isLong := x.longStream.kind == observe.StreamEvents || now-x.waitingSince >= x.Engine.LongStreamAfter.Milliseconds()
	if !isLong || x.longStream.upstream != nil {
		return
	}
	x.longStream.upstream, x.longStream.guard = pod, x.guard
	x.longStream.endpoint = x.endpoint
	x.Engine.LongStreams.add(&x.longStream)
	x.releaseHeads()
}

// endLongStream removes the response from the long streams. It reports whether the upstream side is still usable.
func (x *Exchange) endLongStream() bool {
	if x.longStream.upstream == nil {
		return true
	}
	x.Engine.LongStreams.remove(&x.longStream)
	return !x.longStream.closing
}

// streamKind classifies a response by its Content-Type. gRPC calls are too many and too short to count all of them as
// streams.
func streamKind(r *http1.Response) observe.StreamKind {
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

// releaseHeads releases the heads of request and response, so that a long stream holds no buffers. It keeps copies for the
// access log. The head of the request is kept while the body is still being sent to the pod.
func (x *Exchange) releaseHeads() {
	x.resp.Shed()
	x.releaseRequestHead()
}
