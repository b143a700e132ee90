package proxy

import (
	"io"
	"sync"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/observe"
)

// http1Stream is one request on an HTTP/1.1 connection: the exchange, and the exchange.Downstream that writes its response.
// Streams are pooled. The goroutine that serves the connection owns every field.
type http1Stream struct {
	exchange exchange.Exchange
	client   *client

	// Request:
	head       http1.Held
	body       http1.Body
	headParsed bool // exchange.Request is set, and head holds its bytes
	lastOne    bool // the head was read completely, and the client sends no other request on the connection
	charged    int  // bytes charged to the account for a head that does not fit in a buffer

	// Response:
	out        http1.Output
	framing    http1.Framing // framing of the response to the client
	closesConn bool          // the connection closes after the response
}

// nextAction is the step of the connection after a request.
type nextAction uint8

const (
	closeConn      nextAction = iota // close the connection
	closeLingering                   // close it, after a client that may still be sending has read the response
	serveAnother                     // read the next request
	runTunnel                        // relay bytes: the request upgraded the connection
	resetConn                        // send a TCP RST
	readMore                         // the request is pending: read the rest of it
)

var (
	http1Streams                     = sync.Pool{New: func() any { return new(http1Stream) }}
	_            exchange.Downstream = (*http1Stream)(nil)
)

// reset prepares s for the next request of c.
func (s *http1Stream) reset(c *client) {
	s.client = c
	c.requests++
	if c.bufferless.Load() {
		c.bufferless.Store(false)
	}
	s.framing, s.closesConn, s.headParsed, s.lastOne = http1.BodyNone, false, false, false
	s.exchange.Reset(&c.Connection, &c.guard, &c.source, s, "HTTP/1.1")
}

// isComplete parses the buffered head. It reports whether the request can be served without another read, because its head
// is complete and it has no body.
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

// serve reads the head, unless it has been parsed, runs the exchange and returns the next action.
func (s *http1Stream) serve() nextAction {
	x := &s.exchange
	if !s.headParsed {
		err := s.readHead()
		if s.charged > 0 {
			x.ReleaseHeadEarly()
		}
		if err == io.EOF {
			return closeConn
		}
		if err != nil {
			x.RejectInvalid(err)
			return s.nextAction()
		}
	}
	if x.Request().Host == nil {
		s.setDefaultHost()
	}
	s.lastOne = !x.Request().KeepAlive || s.client.overLimit
	s.body.Begin(s.client.conn, &x.Request().Message, &s.client.server.Limits)
	s.client.source.Reset(&s.body, s.client.conn)
	switch {
	case s.client.overLimit:
		x.RejectConnectionLimit()
	case s.client.server.Memory.Full():
		s.client.server.Memory.Refuse()
		x.RejectMemoryLimit()
	default:
		x.Run()
	}
	return s.nextAction()
}

// setDefaultHost sets the host of an HTTP/1.0 request that names none to the name of the TLS handshake, or to the address that
// the client connected to (RFC 9112 section 3.3).
func (s *http1Stream) setDefaultHost() {
	c := s.client
	if c.TLS != nil && s.exchange.Request().SetHost([]byte(c.TLS.ServerName)) == nil {
		return
	}
	if s.exchange.Request().SetHost([]byte(c.Local.String())) != nil {
		_ = s.exchange.Request().SetHost([]byte("localhost")) // the connection has no address; this name is valid
	}
}

// nextAction returns the next action after a response.
func (s *http1Stream) nextAction() nextAction {
	x := &s.exchange
	switch {
	case x.Tunnel() != nil:
		return runTunnel
	case x.Broken():
		if s.framing == http1.BodyUntilClose {
			return resetConn // an orderly close would make the truncated response look complete
		}
		return closeConn
	case !s.closesConn:
		return serveAnother
	case s.lastOne && s.bodyConsumed() && len(s.client.conn.Buffered()) == 0:
		return closeConn
	}
	return closeLingering
}

// release returns all buffers and charges of the request.
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

// ReleaseHead implements exchange.Downstream. It releases the bytes of the request head.
func (s *http1Stream) ReleaseHead() {
	s.head.Release()
	s.client.bufferless.Store(s.exchange.IsStream())
	s.uncharge()
}

// uncharge undoes chargeHead.
func (s *http1Stream) uncharge() {
	if s.charged > 0 {
		s.client.Account.Return(s.charged)
		s.charged = 0
	}
}

// IsClientGone reports whether the client has reset the connection. A client that only half-closes it may still wait for the
// response (RFC 9112 section 9.6).
func (s *http1Stream) IsClientGone() bool { return s.client.wasReset.Load() }

// EndReason implements exchange.Downstream.
func (s *http1Stream) EndReason() observe.Failure { return observe.FailureClientClosed }

// WriteInterim writes and flushes an interim (1xx) response. HTTP/1.0 clients do not receive it (RFC 9110 section 15.2).
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

// appendFields appends the header fields of head that may be forwarded.
func (s *http1Stream) appendFields(head *http1.Response) {
	for i := range head.Fields {
		if f := &head.Fields[i]; http1.ForwardResponseField(f, head) {
			s.out.Buf = http1.AppendField(s.out.Buf, f.Name, f.Value)
		}
	}
}

// WriteHead buffers the response head. It is sent with the first part of the body or by Flush.
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

// chooseFraming sets closesConn and framing, by which the client detects the end of the response (RFC 9112 section 6).
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

// bodyConsumed reports whether the request body has been read to its end. It discards what has been received of an unused
// body, but does not wait for more.
func (s *http1Stream) bodyConsumed() bool {
	if running, complete := s.exchange.Upload(); running {
		return complete
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

// appendFraming appends the fields that frame the body and control the connection.
func (s *http1Stream) appendFraming() {
	x := &s.exchange
	switch {
	case x.Response().Status == 101:
		s.out.Buf = append(s.out.Buf, "Connection: Upgrade\r\n"...)
		s.out.Buf = http1.AppendField(s.out.Buf, "Upgrade", x.UpgradeProtocol())
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

// appendDefaults appends Date (RFC 9110 section 6.6.1) and Server if the response lacks them.
func (s *http1Stream) appendDefaults() {
	resp, server := s.exchange.Response(), s.client.server
	if !resp.Has(http1.FieldDate) && resp.Status >= 200 {
		s.out.Buf = http1.AppendField(s.out.Buf, "Date", server.Date())
	}
	if !resp.Has(http1.FieldServer) && server.ServerHeader != "" {
		s.out.Buf = http1.AppendField(s.out.Buf, "Server", server.ServerHeader)
	}
}

// WriteBody writes a part of the body, in chunks if the framing requires it. It discards the body of a response to HEAD.
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

// Flush sends all buffered output to the client.
func (s *http1Stream) Flush() error {
	s.exchange.StartWriting(s.client.conn)
	defer s.client.guard.Stop()
	return s.out.Flush(s.client.conn)
}

// End completes the response. Trailers are sent only with chunked framing.
func (s *http1Stream) End(trailers []http1.Field) error {
	if s.framing == http1.BodyChunked {
		s.out.Begin()
		s.out.Buf = http1.AppendBodyEnd(s.out.Buf, trailers, &s.exchange.Response().Message)
	}
	return s.Flush()
}
