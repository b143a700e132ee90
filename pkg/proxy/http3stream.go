package proxy

import (
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/http1"
)

// http3Stream is the downstream of one HTTP/3 request, which quic-go hands over as to an http.Handler, together with its
// exchange.
type http3Stream struct {
	streamState
	w           http.ResponseWriter
	r           *http.Request
	control     http3Deadline
	body        http3Body
	charged     int  // to the account, for the head
	hasTrailers bool // the answer has trailers, which are sent when the handler returns
}

var (
	http3Streams                     = sync.Pool{New: func() any { return new(http3Stream) }}
	_            exchange.Downstream = (*http3Stream)(nil)
)

// hold takes the request over from the library. release lets go of it.
func (s *http3Stream) attach(w http.ResponseWriter, r *http.Request) {
	s.w, s.r, s.control, s.hasTrailers = w, r, http3Deadline{http.NewResponseController(w)}, false
	s.body = http3Body{r: r, buf: s.body.buf}
	s.source.Begin(&s.body, s.control)
}

func (s *http3Stream) detach() {
	s.w, s.r, s.control, s.body = nil, nil, http3Deadline{}, http3Body{buf: s.body.buf}
}

// readHead makes the head that the steps of the exchange know out of what the library has read and checked. The fields
// that are about an HTTP/1.1 connection are not allowed, and refused there (RFC 9113 section 8.2.2, RFC 9114 section 4.2).
func (s *http3Stream) readHead() error {
	r, req := s.r, s.exchange.Request()
	if s.charged > exchange.ShedAbove {
		s.exchange.ShedHead()
	}
	req.Minor, req.KeepAlive = 1, true
	socket, err := isWebSocketConnect(r.Method, protocolOf(r))
	if err != nil {
		return err
	}
	if err := req.SetMethod(upstreamMethod([]byte(r.Method), socket)); err != nil {
		return err
	}
	if err := s.setTarget(); err != nil {
		return err
	}
	if err := req.SetHost([]byte(r.Host)); err != nil {
		return err
	}
	if !s.addFields(socket) {
		return http1.ErrTooManyFields
	}
	for name := range r.Trailer { // where quic-go puts what is announced
		req.Add(trailerName, []byte(name))
	}
	if len(req.Fields) > s.connection.Engine.Limits.Fields {
		return http1.ErrTooManyFields
	}
	req.TakesTrailers = r.Header.Get("Te") == "trailers"
	if err := req.Settle(); err != nil {
		return err
	}
	if socket {
		s.body.ended = true // what the client sends is for the tunnel
		s.exchange.RequestWebSocket()
		return nil
	}
	return s.setBodyFraming()
}

func (s *http3Stream) setTarget() error {
	if len(s.r.RequestURI) > s.connection.Engine.Limits.TargetBytes {
		return http1.ErrTargetTooLong
	}
	return s.exchange.Request().SetTarget([]byte(s.r.RequestURI))
}

// addFields leaves out a key of the client's, who has no use for one in this protocol. It returns false if there are too many
// fields.
func (s *http3Stream) addFields(socket bool) bool {
	for name, values := range s.r.Header {
		if socket && strings.EqualFold(name, string(secWebSocketKey)) {
			continue
		}
		for _, value := range values {
			if len(s.exchange.Request().Fields) == s.connection.Engine.Limits.Fields {
				return false
			}
			s.exchange.Request().Add([]byte(name), []byte(value))
		}
	}
	return true
}

// HasLeft is part of exchange.Downstream.
func (s *http3Stream) HasLeft() bool { return s.r.Context().Err() != nil }

// WriteInterim passes a 1xx on.
func (s *http3Stream) WriteInterim(head *http1.Response) error {
	s.setFields(head)
	s.w.WriteHeader(head.Status)
	clear(s.w.Header())
	return nil
}

func (s *http3Stream) setFields(head *http1.Response) {
	h := s.w.Header()
	for i := range head.Fields {
		if f := &head.Fields[i]; http1.ForwardResponseField(f, head) {
			h.Add(string(f.Name), string(f.Value))
		}
	}
}

func (s *http3Stream) WriteHead(head *exchange.Response) error {
	s.setFields(&head.Response)
	h := s.w.Header()
	if !head.Has(http1.FieldContentType) {
		h["Content-Type"] = nil // quic-go would make one up, as it does, rightly, with Date
	}
	if server := s.connection.Engine.ServerHeader; server != "" && !head.Has(http1.FieldServer) {
		h.Set("Server", server)
	}
	if len(head.SetCookie) > 0 {
		h.Add("Set-Cookie", string(head.SetCookie))
	}
	if head.Status == http.StatusSwitchingProtocols {
		s.w.WriteHeader(http.StatusOK) // RFC 8441 section 5
		return nil
	}
	if head.ContentLength >= 0 {
		h.Set("Content-Length", strconv.FormatInt(head.ContentLength, 10))
	}
	s.w.WriteHeader(head.Status)
	return nil
}

func (s *http3Stream) WriteBody(span []byte) error {
	if s.exchange.OmitsBody() {
		return nil
	}
	s.exchange.StartWriting(s.control)
	defer s.guard.Stop()
	_, err := s.w.Write(span)
	return err
}

func (s *http3Stream) Flush() error {
	s.exchange.StartWriting(s.control)
	defer s.guard.Stop()
	return s.control.Flush()
}

// End leaves the trailers to be sent when the handler returns. The head is sent before that where there is no body, whose
// length the library would make up.
func (s *http3Stream) End(trailers []http1.Field) error {
	if s.exchange.OmitsBody() {
		return s.Flush()
	}
	for i := range trailers {
		if f := &trailers[i]; http1.ForwardTrailer(f, &s.exchange.Response().Message) {
			s.w.Header().Add(http.TrailerPrefix+string(f.Name), string(f.Value))
			s.hasTrailers = true
		}
	}
	return nil
}

// linger takes what the client still sends of a body that nobody wants. Returning from the handler tells it to stop (RFC 9114
// section 4.1), and that is more than Chromium understands (seen with 156): it waits for ever, with the answer in its hands.
func (s *http3Stream) drainBody() {
	if s.body.ended || s.hasTrailers || s.exchange.Broken() || s.Flush() != nil {
		return
	}
	s.source.Resume()
	server := s.connection.Engine
	end := server.After(lingerTime)
	for server.Clock() < end {
		if _, err := s.source.Next(true, min(end, server.After(lingerGap))); err != nil {
			return
		}
	}
}

var trailerName = []byte("Trailer")

// http3Tunnel is a stream as a connection, for a tunnel.
type http3Tunnel struct {
	*http3Stream
	noAddresses
}

// WaitReadable waits until there is something to read, or nothing more will come: to read no bytes takes no buffer.
func (c http3Tunnel) WaitReadable() error {
	_, err := c.r.Body.Read(nil)
	return err
}

func (c http3Tunnel) Read(p []byte) (int, error) { return c.body.read(p) }

func (c http3Tunnel) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if err == nil {
		err = c.control.Flush()
	}
	return n, err
}

// CloseWrite ends the stream, and what the client still sends with it: quic-go can only end the answer by returning.
func (c http3Tunnel) CloseWrite() error { return c.SetReadDeadline(aLongTimeAgo) }

// Close is for a stream that has failed: it is reset.
func (c http3Tunnel) Close() error { return c.control.SetDeadline(aLongTimeAgo) }

func (c http3Tunnel) SetDeadline(t time.Time) error      { return c.control.SetDeadline(t) }
func (c http3Tunnel) SetReadDeadline(t time.Time) error  { return c.control.SetReadDeadline(t) }
func (c http3Tunnel) SetWriteDeadline(t time.Time) error { return c.control.SetWriteDeadline(t) }

// http3Deadline sets the deadline of one stream, as a guard does that of a connection.
type http3Deadline struct{ *http.ResponseController }

// SetDeadline is part of deadliner.
func (d http3Deadline) SetDeadline(t time.Time) error {
	if err := d.SetReadDeadline(t); err != nil {
		return err
	}
	return d.SetWriteDeadline(t)
}
