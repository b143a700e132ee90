package proxy

import (
	"net/http"
	"sync"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/http2"
)

// http2Stream is one request on an HTTP/2 connection: the exchange, and the exchange.Downstream that writes its response.
// Streams are pooled. The goroutine of the stream owns every field.
type http2Stream struct {
	streamState
	stream  *http2.Stream
	out     http1.Output // buffer for field sections
	cookies []byte       // the joined Cookie fields of the request
}

var (
	http2Streams                     = sync.Pool{New: func() any { return new(http2Stream) }}
	_            exchange.Downstream = (*http2Stream)(nil)
)

// ReleaseHead implements exchange.Downstream. It returns the charge for the request head, except for the size of one buffer.
// A long-lived response holds a buffer only while data passes, so it keeps no charge for one.
func (s *http2Stream) ReleaseHead() {
	kept := s.exchange.RetainedHeadBytes()
	if !s.exchange.IsStream() {
		kept += http2.BufferBytes
	}
	s.stream.ReleaseHead(kept)
	s.trimCookies()
}

// trimCookies frees a cookie buffer that is larger than most requests need.
func (s *http2Stream) trimCookies() {
	if cap(s.cookies) > maxKeptBytes {
		s.cookies = nil
	}
}

// IsClientGone reports whether the client has reset the stream or the connection has ended.
func (s *http2Stream) IsClientGone() bool { return s.stream.Err() != nil }

// WriteInterim sends an interim (1xx) response and flushes it.
func (s *http2Stream) WriteInterim(head *http1.Response) error {
	s.out.Begin()
	s.out.Buf = http2.AppendStatus(s.out.Buf, head.Status)
	s.appendFields(head)
	if err := s.sendHead(false); err != nil {
		return err
	}
	return s.stream.Flush()
}

// appendFields appends the header fields of head that may be forwarded.
func (s *http2Stream) appendFields(head *http1.Response) {
	for i := range head.Fields {
		if f := &head.Fields[i]; http1.ForwardResponseField(f, head) {
			s.out.Buf = http2.AppendField(s.out.Buf, f.Name, f.Value)
		}
	}
}

// WriteHead sends the response head. A WebSocket handshake that succeeded has status 200 instead of 101.
func (s *http2Stream) WriteHead(head *exchange.Response) error {
	s.out.Begin()
	if head.Status == http.StatusSwitchingProtocols { // RFC 8441 section 5
		s.out.Buf = http2.AppendStatus(s.out.Buf, http.StatusOK)
	} else {
		s.out.Buf = http2.AppendStatus(s.out.Buf, head.Status)
	}
	s.appendFields(&head.Response)
	if len(head.SetCookie) > 0 {
		s.out.Buf = http2.AppendField(s.out.Buf, setCookieName, head.SetCookie)
	}
	s.appendDefaults()
	if head.ContentLength >= 0 && head.Status != http.StatusSwitchingProtocols {
		s.out.Buf = http2.AppendLength(s.out.Buf, head.ContentLength)
	}
	return s.sendHead(s.isBodiless())
}

// isBodiless reports whether the response consists of its head.
func (s *http2Stream) isBodiless() bool {
	x := &s.exchange
	return x.OmitsBody() || x.Response().Body == http1.BodyNone && x.Response().Status != http.StatusSwitchingProtocols
}

// sendHead sends the field section in out as HEADERS, with END_STREAM if end is set.
func (s *http2Stream) sendHead(end bool) error {
	s.exchange.StartWriting(s.stream)
	defer s.guard.Stop()
	err := s.stream.SendHead(s.out.Buf, end)
	s.out.Drop()
	return err
}

// appendDefaults appends Date and Server if the response lacks them.
func (s *http2Stream) appendDefaults() {
	resp, server := s.exchange.Response(), s.connection.Engine
	if !resp.Has(http1.FieldDate) {
		s.out.Buf = http2.AppendField(s.out.Buf, dateName, server.Date())
	}
	if !resp.Has(http1.FieldServer) && server.ServerHeader != "" {
		s.out.Buf = http2.AppendField(s.out.Buf, serverName, server.ServerHeader)
	}
}

var (
	setCookieName = []byte("set-cookie")
	dateName      = []byte("date")
	serverName    = []byte("server")
)

// WriteBody sends a part of the body. It discards the body of a response to HEAD.
func (s *http2Stream) WriteBody(span []byte) error {
	if s.exchange.OmitsBody() {
		return nil
	}
	s.exchange.StartWriting(s.stream)
	defer s.guard.Stop()
	return s.stream.Send(span)
}

// Flush sends all buffered frames of the stream.
func (s *http2Stream) Flush() error { return s.stream.Flush() }

// End completes the response with trailers or an empty DATA frame, either with END_STREAM.
func (s *http2Stream) End(trailers []http1.Field) error {
	if s.isBodiless() {
		return nil
	}
	s.out.Begin()
	s.out.Buf = http2.AppendTrailers(s.out.Buf, trailers, &s.exchange.Response().Message)
	if len(s.out.Buf) > 0 {
		return s.sendHead(true)
	}
	s.out.Drop()
	return s.stream.SendEnd()
}

// tunnelConn returns the stream as a connection, for an exchange.Tunnel.
func (s *http2Stream) tunnelConn() *http1.Conn { return http1.NewConn(http2Tunnel{Stream: s.stream}) }

// http2Tunnel makes a stream a net.Conn.
type http2Tunnel struct {
	*http2.Stream
	noAddresses
}

func (t http2Tunnel) Write(p []byte) (int, error) {
	if err := t.Send(p); err != nil {
		return 0, err
	}
	return len(p), t.Flush()
}

// CloseWrite sends END_STREAM and stops reading. Few WebSocket clients support half-closed connections.
func (t http2Tunnel) CloseWrite() error {
	if err := t.SendEnd(); err != nil {
		return err
	}
	return t.SetReadDeadline(aLongTimeAgo)
}

// Close interrupts reads and writes of a tunnel that has failed. serveStream resets the stream.
func (t http2Tunnel) Close() error { return t.SetDeadline(aLongTimeAgo) }
