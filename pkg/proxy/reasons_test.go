package proxy

import (
	"crypto/tls"
	"maps"
	"testing"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"golang.org/x/net/http2"
)

const chunkedHead = "POST /u HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n"

func TestAccessLog_nothingSent(t *testing.T) {
	for name, c := range map[string]struct {
		raw    string
		status float64
	}{
		"invalid chunk":         {chunkedHead + "zz\r\n", 400},
		"long body in chunks":   {chunkedHead + "a\r\n0123456789\r\n0\r\n\r\n", 413},
		"long body with length": {request("POST", "/u", "0123456789"), 413},
	} {
		t.Run(name, func(t *testing.T) {
			lines, option := logged(t)
			r := newRig(t, option, func(o *Options) { o.MaxBodyBytes = 9 })
			r.serve(cookieAffinity(), startEcho(t, "pod-a"))
			client := r.dial()
			client.send(c.raw)
			client.read("POST").expectStatus(t, int(c.status))
			lines.expectLine(t, map[string]any{
				"status": c.status, "reason": "request_body", "endpoint": "", "attempts": 0.0, "generated": true,
			})
		})
	}
}

// A request whose head was sent names its endpoint, even if its body fails later.
func TestAccessLog_headSent(t *testing.T) {
	lines, option := logged(t)
	r := newRig(t, option)
	p := startSilent(t)
	r.serve(nil, p)
	client := r.dial()
	client.send(chunkedHead)
	eventually(t, "the head to arrive", func() bool { return len(p.requests()) == 1 })
	client.send("zz\r\n")
	client.read("POST").expectStatus(t, 400)
	lines.expectLine(t, map[string]any{"status": 400.0, "reason": "request_body", "endpoint": "pod-a", "attempts": 1.0})
}

func TestAccessLog_clientLeaves(t *testing.T) {
	lines, option := logged(t)
	r := newRig(t, option)
	p := startSilent(t)
	r.serve(nil, p)
	client := r.dial()
	client.send(chunkedHead + "4\r\nab")
	eventually(t, "the head to arrive", func() bool { return len(p.requests()) == 1 })
	client.Close()
	lines.expectLine(t, map[string]any{"status": 499.0, "reason": "client_closed", "endpoint": "pod-a"})
}

var (
	violated = map[string]any{"status": 400.0, "reason": "invalid_request", "endpoint": "pod-a"}
	left     = map[string]any{"status": 499.0, "reason": "client_closed", "endpoint": "pod-a"}
)

func TestAccessLog_http2Violations(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(p *peer) error
		want map[string]any
	}{
		"body longer than its length":  {func(p *peer) error { return p.WriteData(1, false, []byte("abcdef")) }, violated},
		"body shorter than its length": {func(p *peer) error { return p.WriteData(1, true, []byte("a")) }, violated},
		"window of zero":               {func(p *peer) error { return p.WriteWindowUpdate(1, 0) }, violated},
		"window of the connection":     {func(p *peer) error { return p.WriteWindowUpdate(0, 0) }, violated},
		"even stream":                  {func(p *peer) error { return p.open(2, true, plain...) }, violated},
		"cancel":                       {func(p *peer) error { return p.WriteRSTStream(1, http2.ErrCodeCancel) }, left},
		"refused by the client":        {func(p *peer) error { return p.WriteRSTStream(1, http2.ErrCodeRefusedStream) }, left},
		"disconnect":                   {func(p *peer) error { return p.conn.Close() }, left},
	} {
		t.Run(name, func(t *testing.T) {
			lines, option := logged(t)
			r := newRig(t, option)
			pod := startSilent(t)
			r.serve(nil, pod)
			client := dialHTTP2(t, r.addr)
			fields := append([]string{":method", "POST"}, plain[2:]...)
			client.must(client.open(1, false, append(fields, "content-length", "5")...))
			eventually(t, "the head to arrive", func() bool { return len(pod.requests()) == 1 })
			client.must(c.end(client))
			lines.expectLine(t, c.want)
		})
	}
}

func TestAccessLog_http3Violations(t *testing.T) {
	short := maps.Clone(violated)
	short["reason"] = "request_body" // the stream is intact, so the client receives the status
	send := func(text string) func(*quic.Stream) error {
		return func(s *quic.Stream) error { _, err := s.Write([]byte(text)); return err }
	}
	for name, c := range map[string]struct {
		end  func(*quic.Stream) error
		want map[string]any
	}{
		"body longer than its length":  {send("\x00\x06abcdef"), violated},
		"body shorter than its length": {(*quic.Stream).Close, short},
		"settings on the stream":       {send("\x04\x00"), violated},
		"cancel": {func(s *quic.Stream) error {
			s.CancelRead(quic.StreamErrorCode(http3.ErrCodeRequestCanceled))
			s.CancelWrite(quic.StreamErrorCode(http3.ErrCodeRequestCanceled))
			return nil
		}, left},
	} {
		t.Run(name, func(t *testing.T) {
			lines, option := logged(t)
			r, addr := http3Rig(t, option)
			pod := startSilent(t)
			r.serve(nil, pod)
			conn, err := quic.DialAddr(t.Context(), addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h3"}}, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.CloseWithError(http3NoError, "")
			stream, err := conn.OpenStream()
			if err != nil {
				t.Fatal(err)
			}
			stream.Write(http3Section(":method", "POST", ":scheme", "https", ":authority", "shop.example", ":path", "/u",
				"content-length", "5"))
			eventually(t, "the head to arrive", func() bool { return len(pod.requests()) == 1 })
			if err := c.end(stream); err != nil {
				t.Fatal(err)
			}
			lines.expectLine(t, c.want)
		})
	}
}
