package proxy

import (
	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/http1"
)

// readHead converts the head of the stream, which pkg/http2 has validated, to the request of the exchange.
func (s *http2Stream) readHead() error {
	h, req := s.stream.Head, s.exchange.Request()
	req.Minor, req.KeepAlive = 1, true
	if h.Bytes() > exchange.EarlyReleaseSize {
		s.exchange.ReleaseHeadEarly()
	}
	if h.TooLarge {
		return http1.ErrHeadTooLarge
	}
	socket, err := isWebSocketConnect(string(h.Method), string(h.Protocol))
	if err != nil {
		return err
	}
	if err := req.SetMethod(upstreamMethod(h.Method, socket)); err != nil {
		return err
	}
	if err := s.setTarget(h.Path); err != nil {
		return err
	}
	req.SetScheme(h.Scheme)
	if err := s.setFields(socket); err != nil {
		return err
	}
	if socket {
		s.exchange.RequestWebSocket()
		return nil
	}
	return s.setBodyFraming()
}

// setFields copies the header fields. It drops Sec-WebSocket-Key from an extended CONNECT, where it has no meaning
// (RFC 8441 section 5).
func (s *http2Stream) setFields(socket bool) error {
	h, req := s.stream.Head, s.exchange.Request()
	host := h.Authority
	s.cookies = s.cookies[:0]
	for i := range h.Fields {
		f := &h.Fields[i]
		switch f.ID {
		case http1.FieldTE:
			req.TakesTrailers = true // pkg/http2 accepts no other value
		case http1.FieldCookie:
			s.addCookies(f.Value)
			continue
		case http1.FieldSecWebSocketKey:
			if socket {
				continue
			}
		case http1.FieldHost:
			if host == nil {
				host = f.Value
			}
		}
		req.AddField(*f)
	}
	if len(s.cookies) > 0 {
		req.AddField(http1.Field{Name: cookieName, Value: s.cookies, ID: http1.FieldCookie})
	}
	if err := req.SetHost(host); err != nil {
		return err
	}
	return req.Settle()
}

// addCookies joins the Cookie fields that clients split for better compression (RFC 9113 section 8.2.3).
func (s *http2Stream) addCookies(value []byte) {
	if len(s.cookies) > 0 {
		s.cookies = append(s.cookies, "; "...)
	}
	s.cookies = append(s.cookies, value...)
}

var cookieName = []byte("Cookie")

// setBodyFraming derives the framing of the body from END_STREAM and Content-Length.
func (s *http2Stream) setBodyFraming() error {
	req := s.exchange.Request()
	switch {
	case s.stream.Ended():
		if req.Body != http1.BodyNone {
			return http1.ErrLength
		}
		if mayRequireLength(req.Method) {
			req.ContentLength = 0
		}
	case req.ContentLength < 0:
		req.Body = http1.BodyChunked
	}
	return req.SetExpect()
}
