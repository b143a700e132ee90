package proxy

import (
	"net/http"
	"sync"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/http2"
)

// http2Stream is the downstream of one request on an HTTP/2 connection, together with its exchange.
type http2Stream struct {
	streamState
	stream  *http2.Stream
	out     http1.Output // space for field sections
	cookies []byte       // of the request
}

var (
	http2Streams                     = sync.Pool{New: func() any { return new(http2Stream) }}
	_            exchange.Downstream = (*http2Stream)(nil)
)

// ReleaseHead leaves room for a buffer, unless the response is a stream, which holds one only while something passes.
func (s *http2Stream) ReleaseHead() {
	kept := s.exchange.KeptOfHead()
	if !s.exchange.IsStream() {
		kept += http2.BufferBytes
	}
	s.stream.ReleaseHead(kept)
	s.trimCookies()
}

// trim frees space for cookies that is larger than most requests need.
func (s *http2Stream) trimCookies() {
	if cap(s.cookies) > maxKeptBytes {
		s.cookies = nil
	}
}

func (s *http2Stream) HasLeft() bool { return s.stream.Err() != nil }

// WriteInterim passes a 1xx on at once.
func (s *http2Stream) WriteInterim(head *http1.Response) error {
	s.out.Begin()
	s.out.Buf = http2.AppendStatus(s.out.Buf, head.Status)
	s.appendFields(head)
	if err := s.sendHead(false); err != nil {
		return err
	}
	return s.stream.Flush()
}

func (s *http2Stream) appendFields(head *http1.Response) {
	for i := range head.Fields {
		if f := &head.Fields[i]; http1.ForwardResponseField(f, head) {
			s.out.Buf = http2.AppendField(s.out.Buf, f.Name, f.Value)
		}
	}
}

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

// isBodiless reports whether the head is all of the answer.
func (s *http2Stream) isBodiless() bool {
	x := &s.exchange
	return x.OmitsBody() || x.Response().Body == http1.BodyNone && x.Response().Status != http.StatusSwitchingProtocols
}

// sendHead hands the field section in out over.
func (s *http2Stream) sendHead(end bool) error {
	s.exchange.StartWriting(s.stream)
	defer s.guard.Stop()
	err := s.stream.SendHead(s.out.Buf, end)
	s.out.Drop()
	return err
}

// appendMissing adds what every answer has, as over HTTP/1.1.
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

func (s *http2Stream) WriteBody(span []byte) error {
	if s.exchange.OmitsBody() {
		return nil
	}
	s.exchange.StartWriting(s.stream)
	defer s.guard.Stop()
	return s.stream.Send(span)
}

func (s *http2Stream) Flush() error { return s.stream.Flush() }

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

// conn is the stream as a connection, for a tunnel.
func (s *http2Stream) tunnelConn() *http1.Conn { return http1.NewConn(http2Tunnel{Stream: s.stream}) }

type http2Tunnel struct {
	*http2.Stream
	noAddresses
}

// WaitReadable waits until there is something to read, or nothing more will come.
func (t http2Tunnel) WaitReadable() error { return t.Await() }

func (t http2Tunnel) Write(p []byte) (int, error) {
	if err := t.Send(p); err != nil {
		return 0, err
	}
	return len(p), t.Flush()
}

// CloseWrite ends the stream, and what the client still sends with it: few clients close a WebSocket by halves.
func (t http2Tunnel) CloseWrite() error {
	if err := t.SendEnd(); err != nil {
		return err
	}
	return t.SetReadDeadline(aLongTimeAgo)
}

// Close is for a stream that has failed: both directions end.
func (t http2Tunnel) Close() error { return t.SetDeadline(aLongTimeAgo) }
