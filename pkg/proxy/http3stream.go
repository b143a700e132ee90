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

// http3Stream is one HTTP/3 request, which quic-go passes to an http.Handler: the exchange, and the exchange.Downstream that
// writes its response. Streams are pooled. The goroutine of the handler owns every field.
type http3Stream struct {
	streamState
	w           http.ResponseWriter
	r           *http.Request
	control     http3Deadline
	body        http3Body
	charged     int  // bytes charged to the account for the head
	hasTrailers bool // the response has trailers, which quic-go sends when the handler returns
}

var (
	http3Streams                     = sync.Pool{New: func() any { return new(http3Stream) }}
	_            exchange.Downstream = (*http3Stream)(nil)
)

// attach prepares s for a request of quic-go. The handler must call detach before it returns.
func (s *http3Stream) attach(w http.ResponseWriter, r *http.Request) {
	s.w, s.r, s.control, s.hasTrailers = w, r, http3Deadline{http.NewResponseController(w)}, false
	s.body = http3Body{r: r, buf: s.body.buf}
	s.source.Reset(&s.body, s.control)
}

// detach drops all references to the request, and keeps the body buffer.
func (s *http3Stream) detach() {
	s.w, s.r, s.control, s.body = nil, nil, http3Deadline{}, http3Body{buf: s.body.buf}
}

// readHead converts the request that quic-go has read and validated to the request of the exchange. quic-go has refused
// connection-specific header fields (RFC 9114 section 4.2).
func (s *http3Stream) readHead() error {
	r, req := s.r, s.exchange.Request()
	if s.charged > exchange.EarlyReleaseSize {
		s.exchange.ReleaseHeadEarly()
	}
	req.Minor, req.KeepAlive = 1, true
	socket, err := isWebSocketConnect(r.Method, protocolOf(r))
	if err != nil {
		return err
	}
	if err := req.SetMethod(upstreamMethod([]byte(r.Method), socket)); err != nil {
		return err
	}
	if err := s.setTarget([]byte(r.RequestURI)); err != nil {
		return err
	}
	if err := req.SetHost([]byte(r.Host)); err != nil {
		return err
	}
	if err := s.addFields(socket); err != nil {
		return err
	}
	for name := range r.Trailer { // quic-go moves the Trailer header field here
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
		s.body.ended = true // the tunnel reads what the client sends
		s.exchange.RequestWebSocket()
		return nil
	}
	return s.setBodyFraming()
}

// addFields copies the header fields. It drops Sec-WebSocket-Key from an extended CONNECT, where it has no meaning (RFC 9220).
// It refuses values with spaces around them, which quic-go accepts (RFC 9114 section 10.3, RFC 9113 section 8.2.1).
func (s *http3Stream) addFields(socket bool) error {
	for name, values := range s.r.Header {
		if socket && strings.EqualFold(name, string(secWebSocketKey)) {
			continue
		}
		for _, value := range values {
			if len(s.exchange.Request().Fields) == s.connection.Engine.Limits.Fields {
				return http1.ErrTooManyFields
			}
			if strings.Trim(value, " \t") != value {
				return http1.ErrFieldValue
			}
			s.exchange.Request().Add([]byte(name), []byte(value))
		}
	}
	return nil
}

// IsClientGone reports whether the client has reset the stream or the connection has ended.
func (s *http3Stream) IsClientGone() bool { return s.r.Context().Err() != nil }

// WriteInterim sends an interim (1xx) response.
func (s *http3Stream) WriteInterim(head *http1.Response) error {
	s.setFields(head)
	s.w.WriteHeader(head.Status)
	clear(s.w.Header())
	return nil
}

// setFields sets the header fields of head that may be forwarded.
func (s *http3Stream) setFields(head *http1.Response) {
	h := s.w.Header()
	for i := range head.Fields {
		if f := &head.Fields[i]; http1.ForwardResponseField(f, head) {
			h.Add(string(f.Name), string(f.Value))
		}
	}
}

// WriteHead sends the response head. A WebSocket handshake that succeeded has status 200 instead of 101.
func (s *http3Stream) WriteHead(head *exchange.Response) error {
	s.setFields(&head.Response)
	h := s.w.Header()
	if !head.Has(http1.FieldContentType) {
		h["Content-Type"] = nil // nil prevents quic-go from guessing one; that it adds Date is wanted
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

// WriteBody sends a part of the body. It discards the body of a response to HEAD.
func (s *http3Stream) WriteBody(span []byte) error {
	if s.exchange.OmitsBody() {
		return nil
	}
	s.exchange.StartWriting(s.control)
	defer s.guard.Stop()
	_, err := s.w.Write(span)
	return err
}

// Flush sends all buffered output of the stream.
func (s *http3Stream) Flush() error {
	s.exchange.StartWriting(s.control)
	defer s.guard.Stop()
	return s.control.Flush()
}

// End sets the trailers, which quic-go sends when the handler returns. If the response omits its body, End flushes the head,
// because quic-go would otherwise add a Content-Length of zero.
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

// drainBody reads and discards the rest of an unused request body, within the bounds of a lingering close. Returning from the
// handler would send STOP_SENDING (RFC 9114 section 4.1), after which Chromium (seen with 156) waits forever, although it has
// received the response.
func (s *http3Stream) drainBody() {
	if s.body.ended || s.hasTrailers || s.exchange.Broken() || s.Flush() != nil {
		return
	}
	s.source.Resume()
	server := s.connection.Engine
	end := server.After(lingerTime)
	for left := lingerBytes; left > 0 && server.Clock() < end; {
		span, err := s.source.Next(true, min(end, server.After(lingerGap)))
		if err != nil {
			return
		}
		left -= len(span)
	}
}

var trailerName = []byte("Trailer")

// http3Tunnel makes a stream a net.Conn, for an exchange.Tunnel.
type http3Tunnel struct {
	*http3Stream
	noAddresses
}

// WaitReadable blocks until data can be read or the client's side has ended. Reading zero bytes needs no buffer.
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

// CloseWrite stops reading, which ends the tunnel and then the stream. quic-go can end the response only when the handler
// returns.
func (c http3Tunnel) CloseWrite() error { return c.SetReadDeadline(aLongTimeAgo) }

// Close interrupts reads and writes of a tunnel that has failed. serveHTTP3Stream resets the stream.
func (c http3Tunnel) Close() error { return c.control.SetDeadline(aLongTimeAgo) }

func (c http3Tunnel) SetDeadline(t time.Time) error      { return c.control.SetDeadline(t) }
func (c http3Tunnel) SetReadDeadline(t time.Time) error  { return c.control.SetReadDeadline(t) }
func (c http3Tunnel) SetWriteDeadline(t time.Time) error { return c.control.SetWriteDeadline(t) }

// http3Deadline sets the deadlines of one stream. It implements exchange.Deadliner.
type http3Deadline struct{ *http.ResponseController }

// SetDeadline sets the read and the write deadline.
func (d http3Deadline) SetDeadline(t time.Time) error {
	if err := d.SetReadDeadline(t); err != nil {
		return err
	}
	return d.SetWriteDeadline(t)
}
