package proxy

import (
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/affinity"
	"github.com/limpet-dev/limpet/pkg/http1"
)

// http2Stream is the downstream of one request on an HTTP/2 connection, together with its exchange.
type http2Stream struct {
	exchange exchange
	origin   origin
	tokens   affinity.Memory
	guard    guard
	bodySide guard

	w       http.ResponseWriter
	r       *http.Request
	control streamDeadline

	buf         []byte // for the body, taken when it is first read
	ended       bool   // the body was read to its end
	interrupted atomic.Bool
	trailer     []http1.Field
}

var (
	http2Pool            = sync.Pool{New: func() any { return new(http2Stream) }}
	_         downstream = (*http2Stream)(nil)
)

func (s *http2Stream) begin(c *client, w http.ResponseWriter, r *http.Request) {
	s.w, s.r, s.control = w, r, streamDeadline{http.NewResponseController(w)}
	s.origin = c.origin
	s.tokens.Learned = c.server.Sessions
	s.origin.memory = &s.tokens
	s.bodySide.reads = true
	s.ended, s.trailer = false, nil
	s.interrupted.Store(false)
	x := &s.exchange
	x.reset()
	x.origin, x.guard, x.down = &s.origin, &s.guard, s
	x.client, x.protocol = c.peer, "HTTP/2.0"
}

func (s *http2Stream) serve() {
	x := &s.exchange
	if err := s.readHead(); err != nil {
		x.refuseRequest(err)
		return
	}
	x.run()
}

// finish gives back what the request held.
func (s *http2Stream) finish() {
	s.exchange.out.Drop()
	s.exchange.respBody.Reset()
	s.w, s.r, s.control = nil, nil, streamDeadline{}
	s.exchange.origin, s.exchange.guard = nil, nil
}

// readHead makes the head that the steps of the exchange know out of what net/http has read and checked. The fields
// that are about an HTTP/1.1 connection are not allowed in HTTP/2, and refused there (RFC 9113 section 8.2.2).
func (s *http2Stream) readHead() error {
	r, req := s.r, &s.exchange.req
	req.Minor, req.KeepAlive = 1, true
	socket, err := asksForSocket(r)
	if err != nil {
		return err
	}
	if err := req.SetMethod(methodOf(r, socket)); err != nil {
		return err
	}
	if err := s.setTarget(); err != nil {
		return err
	}
	if err := req.SetHost([]byte(r.Host)); err != nil {
		return err
	}
	s.addFields(socket)
	if len(req.Fields) > s.origin.server.Limits.Fields {
		return http1.ErrTooManyFields
	}
	req.TakesTrailers = r.Header.Get("Te") == "trailers"
	if err := req.Settle(); err != nil {
		return err
	}
	if socket {
		s.askForSocket()
		return nil
	}
	return s.frame()
}

func (s *http2Stream) setTarget() error {
	if len(s.r.RequestURI) > s.origin.server.Limits.TargetBytes {
		return http1.ErrTargetTooLong
	}
	return s.exchange.req.SetTarget([]byte(s.r.RequestURI))
}

// methodOf is the method that a pod is asked with.
func methodOf(r *http.Request, socket bool) []byte {
	if socket {
		return []byte(http.MethodGet)
	}
	return []byte(r.Method)
}

// addFields leaves out a key of the client's, who has no use for one in this protocol.
func (s *http2Stream) addFields(socket bool) {
	for name, values := range s.r.Header {
		if name == protocolField || socket && strings.EqualFold(name, string(secWebSocketKey)) {
			continue
		}
		for _, value := range values {
			s.exchange.req.Add([]byte(name), []byte(value))
		}
	}
}

// frame says how long the body is. net/http goes by the first of several lengths, takes one that is no number for 0,
// and does not mind one of a body that does not come (RFC 9113 section 8.1.1).
func (s *http2Stream) frame() error {
	req := &s.exchange.req
	switch {
	case req.ContentLength >= 0 && req.ContentLength != s.r.ContentLength:
		return http1.ErrLength
	case s.r.ContentLength < 0:
		req.Body = http1.BodyChunked
	case s.r.ContentLength == 0:
		s.ended = true
		if takesBody(req.Method) {
			req.ContentLength = 0
		}
	}
	return nil
}

// takesBody reports whether a server may insist on a length, even if it is 0 (RFC 9110 section 8.6).
func takesBody(method []byte) bool {
	switch string(method) {
	case http.MethodPost, http.MethodPut, http.MethodPatch:
		return true
	}
	return false
}

func (s *http2Stream) nextBody(wait bool) ([]byte, error) {
	if s.ended {
		return nil, io.EOF
	}
	if !wait {
		return nil, http1.ErrIncomplete
	}
	if s.buf == nil {
		s.buf = make([]byte, http2FrameSize)
	}
	s.bodySide.start(s.control, s.origin.server.after(s.exchange.bounds.body))
	n, err := s.r.Body.Read(s.buf)
	if s.bodySide.stop() && err != nil || s.interrupted.Load() {
		return nil, os.ErrDeadlineExceeded
	}
	if err == io.EOF {
		s.ended = true
		s.readTrailers()
	}
	if n > 0 {
		return s.exchange.count(s.buf[:n], nil)
	}
	return nil, err
}

func (s *http2Stream) readTrailers() {
	for name, values := range s.r.Trailer {
		for _, value := range values {
			s.trailer = append(s.trailer, http1.Field{Name: []byte(name), Value: []byte(value), ID: http1.NameID([]byte(name))})
		}
	}
}

func (s *http2Stream) trailers() []http1.Field { return s.trailer }

func (s *http2Stream) interruptBody() {
	s.interrupted.Store(true)
	_ = s.control.SetReadDeadline(longAgo) // fails where the stream has ended, which ends the wait too
}

func (s *http2Stream) hasLeft() bool { return s.r.Context().Err() != nil }

// writeInterim passes a 1xx on. A 100 is sent by net/http when the body is first read.
func (s *http2Stream) writeInterim(head *http1.Response) error {
	if head.Status == http.StatusContinue {
		return nil
	}
	s.setFields(head)
	s.w.WriteHeader(head.Status)
	clear(s.w.Header())
	return nil
}

func (s *http2Stream) setFields(head *http1.Response) {
	h := s.w.Header()
	for i := range head.Fields {
		if f := &head.Fields[i]; http1.ForwardResponseField(f, head) {
			h.Add(string(f.Name), string(f.Value))
		}
	}
}

func (s *http2Stream) writeHead(x *exchange) error {
	s.setFields(&x.resp)
	h := s.w.Header()
	if !x.resp.Has(http1.FieldContentType) {
		h["Content-Type"] = nil // net/http would make one up, as it does, rightly, with Date
	}
	if server := s.origin.server.ServerHeader; server != "" && !x.resp.Has(http1.FieldServer) {
		h.Set("Server", server)
	}
	if len(x.cookie) > 0 {
		h.Add("Set-Cookie", string(x.cookie))
	}
	if x.resp.Status == http.StatusSwitchingProtocols {
		h.Del(acceptField)
		s.w.WriteHeader(http.StatusOK) // RFC 8441 section 5
		return nil
	}
	if x.resp.ContentLength >= 0 {
		h.Set("Content-Length", strconv.FormatInt(x.resp.ContentLength, 10))
	}
	s.w.WriteHeader(x.resp.Status)
	return nil
}

func (s *http2Stream) writeBody(span []byte) error {
	if s.exchange.noBody() {
		return nil
	}
	s.startGuard()
	defer s.guard.stop()
	_, err := s.w.Write(span)
	return err
}

func (s *http2Stream) flush() error {
	s.startGuard()
	defer s.guard.stop()
	return s.control.Flush()
}

// startGuard bounds how long a client may leave the stream's window closed.
func (s *http2Stream) startGuard() {
	s.guard.start(s.control, s.origin.server.after(s.exchange.bounds.body))
}

// end leaves the trailers to be sent when the handler returns.
func (s *http2Stream) end(trailers []http1.Field) error {
	for i := range trailers {
		if f := &trailers[i]; http1.ForwardTrailer(f, &s.exchange.resp.Message) {
			s.w.Header().Add(http.TrailerPrefix+string(f.Name), string(f.Value))
		}
	}
	return nil
}
