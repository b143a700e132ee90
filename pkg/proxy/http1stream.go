package proxy

import (
	"io"
	"sync"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/http1"
)

// http1Stream is the downstream of one request on an HTTP/1.1 connection, together with its exchange.
type http1Stream struct {
	exchange exchange.Exchange
	client   *client
	head     http1.Held
	body     http1.Body
	out      http1.Output

	framing http1.Framing // of the answer, as the client gets it
	close   bool          // the connection is closed after the answer
	hasHead bool          // it has been read
	charged int           // to the account, for a head that does not fit in a buffer
}

// following is what follows a request on its connection.
type following uint8

const (
	nothing   following = iota // the connection is closed
	lingering                  // it is closed, and the client may be sending still
	another                    // another request
	bytesOnly                  // it was upgraded
	resetting                  // the connection is reset
	unserved                   // it is to be served yet
)

var (
	http1Streams                     = sync.Pool{New: func() any { return new(http1Stream) }}
	_            exchange.Downstream = (*http1Stream)(nil)
)

func (s *http1Stream) begin(c *client) {
	s.client = c
	c.requests++
	if c.light.Load() {
		c.light.Store(false)
	}
	s.framing, s.close, s.hasHead = http1.BodyNone, false, false
	s.exchange.Reset(&c.Connection, &c.guard, &c.source, s, "HTTP/1.1")
}

// isWhole reports whether all of the request has come: it has no body, and nothing is to be read for it.
func (s *http1Stream) isWhole() bool {
	c := s.client
	n, err := http1.ParseRequest(s.exchange.Request(), c.conn.Buffered(), &c.server.Limits)
	if err != nil {
		return false
	}
	c.conn.Hold(n, &s.head)
	s.hasHead = true
	return s.exchange.Request().Body == http1.BodyNone
}

// serve reads the head and runs the exchange.
func (s *http1Stream) serve() following {
	x := &s.exchange
	if !s.hasHead {
		err := s.readHead()
		if s.charged > 0 {
			x.ReleaseHeadEarly()
		}
		if err == io.EOF {
			return nothing
		}
		if err != nil {
			x.RejectInvalid(err)
			return s.following()
		}
	}
	s.body.Begin(s.client.conn, &x.Request().Message, &s.client.server.Limits)
	s.client.source.Reset(&s.body, s.client.conn)
	switch {
	case s.client.tooMany:
		x.RejectConnectionLimit()
	case s.client.server.Memory.Full():
		s.client.server.Memory.Refuse()
		x.RejectMemoryLimit()
	default:
		x.Run()
	}
	return s.following()
}

func (s *http1Stream) following() following {
	x := &s.exchange
	switch {
	case x.Tunnel() != nil:
		return bytesOnly
	case x.Broken():
		if s.framing == http1.BodyUntilClose {
			return resetting // what was sent would pass for the whole answer
		}
		return nothing
	case !s.close:
		return another
	case x.Request().KeepAlive || !s.bodyRead():
		return lingering
	}
	return nothing
}

// finish gives back what the request held.
func (s *http1Stream) finish() {
	s.out.Drop()
	s.head.Release()
	s.body.Reset()
	s.uncharge()
	s.client.conn.Release()
	s.client.source.Release()
	s.client = nil
	s.exchange.Release()
}

// ReleaseHead is part of exchange.Downstream.
func (s *http1Stream) ReleaseHead() {
	s.head.Release()
	s.client.light.Store(s.exchange.IsStream())
	s.uncharge()
}

// uncharge gives back what chargeHead has counted.
func (s *http1Stream) uncharge() {
	if s.charged > 0 {
		s.client.Account.Return(s.charged)
		s.charged = 0
	}
}

// IsClientGone is only known of a client that reset its connection: the end of what it sends is the end of what it
// sends, and no more (RFC 9112 section 9.6).
func (s *http1Stream) IsClientGone() bool { return s.client.left.Load() }

// WriteInterim passes a 1xx on at once. HTTP/1.0 has none (RFC 9110 section 15.2).
func (s *http1Stream) WriteInterim(head *http1.Response) error {
	if s.exchange.Request().Minor == 0 {
		return nil
	}
	s.out.Begin()
	s.out.Buf = http1.AppendStatusLine(s.out.Buf, head.Status, head.Reason)
	s.appendFields(head)
	s.out.Buf = http1.AppendHeadEnd(s.out.Buf)
	return s.Flush()
}

func (s *http1Stream) appendFields(head *http1.Response) {
	for i := range head.Fields {
		if f := &head.Fields[i]; http1.ForwardResponseField(f, head) {
			s.out.Buf = http1.AppendField(s.out.Buf, f.Name, f.Value)
		}
	}
}

func (s *http1Stream) WriteHead(head *exchange.Response) error {
	s.chooseFraming()
	s.out.Begin()
	s.out.Buf = http1.AppendStatusLine(s.out.Buf, head.Status, head.Reason)
	s.appendFields(&head.Response)
	if len(head.SetCookie) > 0 {
		s.out.Buf = http1.AppendField(s.out.Buf, "Set-Cookie", head.SetCookie)
	}
	s.appendMissing()
	s.appendFraming()
	s.out.Buf = http1.AppendHeadEnd(s.out.Buf)
	return nil
}

// chooseFraming decides how the client will know the end of the answer, and whether the connection can stay open.
func (s *http1Stream) chooseFraming() {
	x := &s.exchange
	s.framing = x.Response().Body
	if s.framing == http1.BodyUntilClose && x.Request().Minor == 1 {
		s.framing = http1.BodyChunked
	}
	if s.framing == http1.BodyChunked && x.Request().Minor == 0 {
		s.framing = http1.BodyUntilClose
	}
	s.close = s.framing == http1.BodyUntilClose || !x.Request().KeepAlive || s.client.server.leaving.Load() ||
		s.client.isUsedUp() || !s.bodyRead()
}

// bodyRead reports whether nothing of the request is left to read. What has arrived of a body that nobody wants is
// passed over; more than that is not waited for.
func (s *http1Stream) bodyRead() bool {
	if running, read := s.exchange.Upload(); running {
		return read
	}
	for {
		if _, err := s.body.Next(false); err != nil {
			if err == io.EOF {
				s.client.source.Resume()
			}
			return err == io.EOF
		}
	}
}

func (s *http1Stream) appendFraming() {
	x := &s.exchange
	switch {
	case x.Response().Status == 101:
		s.out.Buf = append(s.out.Buf, "Connection: Upgrade\r\nUpgrade: websocket\r\n"...)
		return
	case s.framing == http1.BodyChunked:
		s.out.Buf = append(s.out.Buf, "Transfer-Encoding: chunked\r\n"...)
	case x.Response().ContentLength >= 0 && s.framing != http1.BodyUntilClose:
		s.out.Buf = http1.AppendContentLength(s.out.Buf, x.Response().ContentLength)
	}
	switch {
	case s.close:
		s.out.Buf = append(s.out.Buf, "Connection: close\r\n"...)
	case x.Request().Minor == 0:
		s.out.Buf = append(s.out.Buf, "Connection: keep-alive\r\n"...)
	}
}

// appendMissing adds what every answer has: the date that it was got on, if nobody says (RFC 9110 section 6.6.1), and
// who serves.
func (s *http1Stream) appendMissing() {
	resp, server := s.exchange.Response(), s.client.server
	if !resp.Has(http1.FieldDate) && resp.Status >= 200 {
		s.out.Buf = http1.AppendField(s.out.Buf, "Date", server.Date())
	}
	if !resp.Has(http1.FieldServer) && server.ServerHeader != "" {
		s.out.Buf = http1.AppendField(s.out.Buf, "Server", server.ServerHeader)
	}
}

func (s *http1Stream) WriteBody(span []byte) error {
	if s.exchange.OmitsBody() {
		return nil
	}
	s.exchange.StartWriting(s.client.conn)
	defer s.client.guard.Stop()
	if s.framing == http1.BodyChunked {
		return s.out.WriteChunk(s.client.conn, span)
	}
	return s.out.Write(s.client.conn, span)
}

func (s *http1Stream) Flush() error {
	s.exchange.StartWriting(s.client.conn)
	defer s.client.guard.Stop()
	return s.out.Flush(s.client.conn)
}

func (s *http1Stream) End(trailers []http1.Field) error {
	if s.framing == http1.BodyChunked {
		s.out.Begin()
		s.out.Buf = http1.AppendBodyEnd(s.out.Buf, trailers, &s.exchange.Response().Message)
	}
	return s.Flush()
}
