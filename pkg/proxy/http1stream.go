package proxy

import (
	"io"
	"sync"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// http1Stream is the downstream of one request on an HTTP/1.1 connection, together with its exchange.
type http1Stream struct {
	exchange exchange
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
	http1Streams            = sync.Pool{New: func() any { return new(http1Stream) }}
	_            downstream = (*http1Stream)(nil)
)

func (s *http1Stream) begin(c *client) {
	s.client = c
	c.requests++
	if c.light.Load() {
		c.light.Store(false)
	}
	s.framing, s.close, s.hasHead = http1.BodyNone, false, false
	x := &s.exchange
	x.reset()
	x.origin, x.guard, x.source, x.down = &c.origin, &c.guard, &c.source, s
	x.client, x.protocol = c.peer, "HTTP/1.1"
}

// isWhole reports whether all of the request has come: it has no body, and nothing is to be read for it.
func (s *http1Stream) isWhole() bool {
	c := s.client
	n, err := http1.ParseRequest(&s.exchange.req, c.conn.Buffered(), &c.server.Limits)
	if err != nil {
		return false
	}
	c.conn.Hold(n, &s.head)
	s.hasHead = true
	return s.exchange.req.Body == http1.BodyNone
}

// serve reads the head and runs the exchange.
func (s *http1Stream) serve() following {
	x := &s.exchange
	if !s.hasHead {
		err := s.readHead()
		x.sheds = s.charged > 0
		if err == io.EOF {
			return nothing
		}
		if err != nil {
			x.refuseRequest(err)
			return s.following()
		}
	}
	s.body.Begin(s.client.conn, &x.req.Message, &s.client.server.Limits)
	s.client.source.begin(&s.body, s.client.conn)
	switch {
	case s.client.tooMany:
		x.turnAway("There are too many connections.")
	case s.client.server.Memory.Full():
		s.client.server.Memory.Refuse()
		x.turnAway("Limpet holds as much as it may.")
	default:
		x.run()
	}
	return s.following()
}

func (s *http1Stream) following() following {
	x := &s.exchange
	switch {
	case x.tunnel != nil:
		return bytesOnly
	case x.broken:
		if s.framing == http1.BodyUntilClose {
			return resetting // what was sent would pass for the whole answer
		}
		return nothing
	case !s.close:
		return another
	case x.req.KeepAlive || !s.bodyRead():
		return lingering
	}
	return nothing
}

// finish gives back what the request held.
func (s *http1Stream) finish() {
	s.out.Drop()
	s.exchange.out.Drop()
	s.head.Release()
	s.body.Reset()
	s.exchange.body.reset()
	s.exchange.trim()
	s.uncharge()
	s.exchange.respBody.Reset()
	s.client.conn.Release()
	s.client.source.body = nil
	s.client = nil
	s.exchange.origin, s.exchange.guard, s.exchange.source = nil, nil, nil
}

func (s *http1Stream) releaseHead() {
	s.head.Release()
	s.client.light.Store(s.exchange.flow.pod != nil)
	s.uncharge()
}

// uncharge gives back what chargeHead has counted.
func (s *http1Stream) uncharge() {
	if s.charged > 0 {
		s.client.account.Return(s.charged)
		s.charged = 0
	}
}

// hasLeft is only known of a client that reset its connection: the end of what it sends is the end of what it
// sends, and no more (RFC 9112 section 9.6).
func (s *http1Stream) hasLeft() bool { return s.client.left.Load() }

// writeInterim passes a 1xx on at once. HTTP/1.0 has none (RFC 9110 section 15.2).
func (s *http1Stream) writeInterim(head *http1.Response) error {
	if s.exchange.req.Minor == 0 {
		return nil
	}
	s.out.Begin()
	s.out.Buf = http1.AppendStatusLine(s.out.Buf, head.Status, head.Reason)
	s.appendFields(head)
	s.out.Buf = http1.AppendHeadEnd(s.out.Buf)
	return s.flush()
}

func (s *http1Stream) appendFields(head *http1.Response) {
	for i := range head.Fields {
		if f := &head.Fields[i]; http1.ForwardResponseField(f, head) {
			s.out.Buf = http1.AppendField(s.out.Buf, f.Name, f.Value)
		}
	}
}

func (s *http1Stream) writeHead(x *exchange) error {
	s.chooseFraming()
	s.out.Begin()
	s.out.Buf = http1.AppendStatusLine(s.out.Buf, x.resp.Status, x.resp.Reason)
	s.appendFields(&x.resp)
	if len(x.cookie) > 0 {
		s.out.Buf = http1.AppendField(s.out.Buf, "Set-Cookie", x.cookie)
	}
	s.appendMissing()
	s.appendFraming()
	s.out.Buf = http1.AppendHeadEnd(s.out.Buf)
	return nil
}

// chooseFraming decides how the client will know the end of the answer, and whether the connection can stay open.
func (s *http1Stream) chooseFraming() {
	x := &s.exchange
	s.framing = x.resp.Body
	if s.framing == http1.BodyUntilClose && x.req.Minor == 1 {
		s.framing = http1.BodyChunked
	}
	if s.framing == http1.BodyChunked && x.req.Minor == 0 {
		s.framing = http1.BodyUntilClose
	}
	s.close = s.framing == http1.BodyUntilClose || !x.req.KeepAlive || s.client.server.leaving.Load() ||
		s.client.isUsedUp() || !s.bodyRead()
}

// bodyRead reports whether nothing of the request is left to read. What has arrived of a body that nobody wants is
// passed over; more than that is not waited for.
func (s *http1Stream) bodyRead() bool {
	if pump := &s.exchange.body; pump.isRunning() {
		return pump.isRead()
	}
	for {
		if _, err := s.body.Next(false); err != nil {
			if err == io.EOF {
				s.client.source.resume()
			}
			return err == io.EOF
		}
	}
}

func (s *http1Stream) appendFraming() {
	x := &s.exchange
	switch {
	case x.resp.Status == 101:
		s.out.Buf = append(s.out.Buf, "Connection: Upgrade\r\nUpgrade: websocket\r\n"...)
		return
	case s.framing == http1.BodyChunked:
		s.out.Buf = append(s.out.Buf, "Transfer-Encoding: chunked\r\n"...)
	case x.resp.ContentLength >= 0 && s.framing != http1.BodyUntilClose:
		s.out.Buf = http1.AppendContentLength(s.out.Buf, x.resp.ContentLength)
	}
	switch {
	case s.close:
		s.out.Buf = append(s.out.Buf, "Connection: close\r\n"...)
	case x.req.Minor == 0:
		s.out.Buf = append(s.out.Buf, "Connection: keep-alive\r\n"...)
	}
}

// appendMissing adds what every answer has: the date that it was got on, if nobody says (RFC 9110 section 6.6.1), and
// who serves.
func (s *http1Stream) appendMissing() {
	resp, server := &s.exchange.resp, s.client.server
	if !resp.Has(http1.FieldDate) && resp.Status >= 200 {
		s.out.Buf = http1.AppendField(s.out.Buf, "Date", *server.date.Load())
	}
	if !resp.Has(http1.FieldServer) && server.ServerHeader != "" {
		s.out.Buf = http1.AppendField(s.out.Buf, "Server", server.ServerHeader)
	}
}

func (s *http1Stream) writeBody(span []byte) error {
	if s.exchange.noBody() {
		return nil
	}
	s.exchange.startWriting(s.client.conn)
	defer s.client.guard.stop()
	if s.framing == http1.BodyChunked {
		return s.out.WriteChunk(s.client.conn, span)
	}
	return s.out.Write(s.client.conn, span)
}

func (s *http1Stream) flush() error {
	s.exchange.startWriting(s.client.conn)
	defer s.client.guard.stop()
	return s.out.Flush(s.client.conn)
}

func (s *http1Stream) end(trailers []http1.Field) error {
	if s.framing == http1.BodyChunked {
		s.out.Begin()
		s.out.Buf = http1.AppendBodyEnd(s.out.Buf, trailers, &s.exchange.resp.Message)
	}
	return s.flush()
}
