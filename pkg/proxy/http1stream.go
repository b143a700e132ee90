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

	framing    http1.Framing // of the answer, as the client gets it
	closesConn bool          // the connection is closed after the answer
	headParsed bool          // it has been read
	charged    int           // to the account, for a head that does not fit in a buffer
}

// following is what follows a request on its connection.
type nextAction uint8

const (
	closeConn      nextAction = iota // the connection is closed
	closeLingering                   // it is closed, and the client may be sending still
	serveAnother                     // another request
	runTunnel                        // it was upgraded
	resetConn                        // the connection is reset
	readMore                         // it is to be served yet
)

var (
	http1Streams                     = sync.Pool{New: func() any { return new(http1Stream) }}
	_            exchange.Downstream = (*http1Stream)(nil)
)

func (s *http1Stream) reset(c *client) {
	s.client = c
	c.requests++
	if c.bufferless.Load() {
		c.bufferless.Store(false)
	}
	s.framing, s.closesConn, s.headParsed = http1.BodyNone, false, false
	s.exchange.Begin(&c.Connection, &c.guard, &c.source, s, "HTTP/1.1")
}

// isWhole reports whether all of the request has come: it has no body, and nothing is to be read for it.
func (s *http1Stream) isComplete() bool {
	c := s.client
	n, err := http1.ParseRequest(s.exchange.Request(), c.conn.Buffered(), &c.server.Limits)
	if err != nil {
		return false
	}
	c.conn.Hold(n, &s.head)
	s.headParsed = true
	return s.exchange.Request().Body == http1.BodyNone
}

// serve reads the head and runs the exchange.
func (s *http1Stream) serve() nextAction {
	x := &s.exchange
	if !s.headParsed {
		err := s.readHead()
		if s.charged > 0 {
			x.ShedHead()
		}
		if err == io.EOF {
			return closeConn
		}
		if err != nil {
			x.Refuse(err)
			return s.nextAction()
		}
	}
	s.body.Begin(s.client.conn, &x.Request().Message, &s.client.server.Limits)
	s.client.source.Begin(&s.body, s.client.conn)
	switch {
	case s.client.overLimit:
		x.TurnAway()
	case s.client.server.Memory.Full():
		s.client.server.Memory.Refuse()
		x.RefuseBusy()
	default:
		x.Run()
	}
	return s.nextAction()
}

func (s *http1Stream) nextAction() nextAction {
	x := &s.exchange
	switch {
	case x.Tunnel() != nil:
		return runTunnel
	case x.Broken():
		if s.framing == http1.BodyUntilClose {
			return resetConn // what was sent would pass for the whole answer
		}
		return closeConn
	case !s.closesConn:
		return serveAnother
	case x.Request().KeepAlive || !s.bodyConsumed():
		return closeLingering
	}
	return closeConn
}

// finish gives back what the request held.
func (s *http1Stream) release() {
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
	s.client.bufferless.Store(s.exchange.IsStream())
	s.uncharge()
}

// uncharge gives back what chargeHead has counted.
func (s *http1Stream) uncharge() {
	if s.charged > 0 {
		s.client.Account.Return(s.charged)
		s.charged = 0
	}
}

// HasLeft is only known of a client that reset its connection: the end of what it sends is the end of what it
// sends, and no more (RFC 9112 section 9.6).
func (s *http1Stream) HasLeft() bool { return s.client.wasReset.Load() }

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
	s.appendDefaults()
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
	s.closesConn = s.framing == http1.BodyUntilClose || !x.Request().KeepAlive || s.client.server.keepAlivesDisabled.Load() ||
		s.client.reachedRequestLimit() || !s.bodyConsumed()
}

// bodyRead reports whether nothing of the request is left to read. What has arrived of a body that nobody wants is
// passed over; more than that is not waited for.
func (s *http1Stream) bodyConsumed() bool {
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
	case s.closesConn:
		s.out.Buf = append(s.out.Buf, "Connection: close\r\n"...)
	case x.Request().Minor == 0:
		s.out.Buf = append(s.out.Buf, "Connection: keep-alive\r\n"...)
	}
}

// appendMissing adds what every answer has: the date that it was got on, if nobody says (RFC 9110 section 6.6.1), and
// who serves.
func (s *http1Stream) appendDefaults() {
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
