package exchange

import (
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/http2"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// upload sends a body to a pod. It hides the protocol of the upstream connection.
type upload interface {
	// canWrite reports whether a span of n bytes can probably be written without waiting for the pod.
	canWrite(n int) bool
	// write writes or buffers a span.
	write(span []byte) error
	// flush writes what is buffered.
	flush() error
	// end writes or buffers the end of the body.
	end(trailers []http1.Field) error
	// close aborts the request.
	close()
}

// http1Upload sends a body over an HTTP/1.1 connection. It appends to the output of the exchange, which holds the head
// already.
type http1Upload struct {
	x    *Exchange
	conn *upstream.Conn
}

func (u *http1Upload) canWrite(int) bool { return true }

func (u *http1Upload) write(span []byte) error {
	if u.x.req.Body == http1.BodyChunked {
		return u.x.out.WriteChunk(u.conn, span)
	}
	return u.x.out.Write(u.conn, span)
}

func (u *http1Upload) flush() error { return u.x.out.Flush(u.conn) }

func (u *http1Upload) end(trailers []http1.Field) error {
	if u.x.req.Body == http1.BodyChunked {
		u.x.out.Begin()
		u.x.out.Buf = http1.AppendBodyEnd(u.x.out.Buf, trailers, &u.x.req.Message)
	}
	return nil
}

func (u *http1Upload) close() { u.conn.Close() }

// http2Upload sends a body over an HTTP/2 stream.
type http2Upload struct {
	x      *Exchange
	stream *http2.Stream
}

func (u *http2Upload) canWrite(n int) bool { return u.stream.CanSend(n) }

func (u *http2Upload) write(span []byte) error { return u.stream.Send(span) }

func (u *http2Upload) flush() error { return u.stream.Flush() }

func (u *http2Upload) end(trailers []http1.Field) error {
	if block := http2.AppendTrailers(nil, trailers, &u.x.req.Message); len(block) > 0 {
		return u.stream.SendHead(block, true)
	}
	return u.stream.SendEnd()
}

func (u *http2Upload) close() { u.stream.Abort(http2.CodeCancel) }

var (
	_ upload = (*http1Upload)(nil)
	_ upload = (*http2Upload)(nil)
)
