package proxy

import (
	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/http1"
)

// readHead makes the head that the steps of the exchange know out of what has come, which is well-formed.
func (s *http2Stream) readHead() error {
	h, req := s.stream.Head, s.exchange.Request()
	req.Minor, req.KeepAlive = 1, true
	if h.Bytes() > exchange.ShedAbove {
		s.exchange.ShedHead()
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
	if len(h.Path) > s.connection.Engine.Limits.TargetBytes {
		return http1.ErrTargetTooLong
	}
	if err := req.SetTarget(h.Path); err != nil {
		return err
	}
	if err := s.setFields(socket); err != nil {
		return err
	}
	if socket {
		s.exchange.RequestWebSocket()
		return nil
	}
	return s.setBodyFraming()
}

// setFields takes the fields over. A key of the client's is left out of what asks for a WebSocket: it has no use for one in
// this protocol.
func (s *http2Stream) setFields(socket bool) error {
	h, req := s.stream.Head, s.exchange.Request()
	host := h.Authority
	s.cookies = s.cookies[:0]
	for i := range h.Fields {
		f := &h.Fields[i]
		switch f.ID {
		case http1.FieldTE:
			req.TakesTrailers = true // http2 takes no other value
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

// addCookies puts together what clients take apart to compress it better (RFC 9113 section 8.2.3).
func (s *http2Stream) addCookies(value []byte) {
	if len(s.cookies) > 0 {
		s.cookies = append(s.cookies, "; "...)
	}
	s.cookies = append(s.cookies, value...)
}

var cookieName = []byte("Cookie")

// frame says how long the body is.
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
