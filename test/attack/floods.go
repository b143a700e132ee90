package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"golang.org/x/net/http2"
)

const (
	// A flood is paced, so that what the honest client notices is not that the attackers took the cores: each connection
	// sends a batch at a time.
	batch    = 100 // frames
	batchGap = 100 * time.Millisecond
	// dripGap is well below every timeout between two reads.
	dripGap = time.Second
	cookies = 10_000
)

// talk connects, sends first, and then what next returns after every gap, until Limpet closes the connection. It reads
// what Limpet sends unless deaf.
func talk(gap time.Duration, deaf bool, first []byte, next func() []byte) func(context.Context, *target) error {
	return func(ctx context.Context, t *target) error {
		conn, err := dial(ctx, t.plain)
		if err != nil {
			return err
		}
		defer conn.Close()
		defer context.AfterFunc(ctx, func() { conn.Close() })()
		if !deaf {
			go func() {
				_, _ = io.Copy(io.Discard, conn) // ends with the connection
				conn.Close()
			}()
		}
		tick := time.NewTicker(gap)
		defer tick.Stop()
		for out := first; ; out = next() {
			if _, err := conn.Write(out); err != nil {
				return err
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-tick.C:
			}
		}
	}
}

func dial(ctx context.Context, address string) (net.Conn, error) {
	var d net.Dialer
	return d.DialContext(ctx, "tcp", address)
}

func same(out string) func() []byte { return func() []byte { return []byte(out) } }

func requestHead(method, host, fields string) []byte {
	return fmt.Appendf(nil, "%s / HTTP/1.1\r\nHost: %s\r\n%s", method, host, fields)
}

func slowHeads() func(context.Context, *target) error {
	return talk(dripGap, false, requestHead("GET", hostOf(0), "X-Slow: "), same("v"))
}

func slowBodies() func(context.Context, *target) error {
	return talk(dripGap, false, requestHead("POST", uploadHost, "Content-Length: 1000000\r\n\r\n"), same("v"))
}

// slowReaders request more and more responses, and read none.
func slowReaders() func(context.Context, *target) error {
	all := strings.Repeat(string(requestHead("GET", hostOf(0), "\r\n")), batch)
	return talk(batchGap, true, []byte(all), same(all))
}

func manyCookies() func(context.Context, *target) error {
	q := string(requestHead("GET", hostOf(0), "Cookie: "+strings.Repeat("a=1; ", cookies)+"b=2\r\n\r\n"))
	return talk(batchGap, false, []byte(q), same(q))
}

func webSockets() func(context.Context, *target) error {
	fields := "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
	return talk(batchGap, false, requestHead("GET", hostOf(0), fields), same(strings.Repeat("\x89\x80\x00\x00\x00\x00", batch)))
}

// connections are opened and left, a batch at a time.
func connections(ctx context.Context, t *target) error {
	for range batch / 10 {
		conn, err := dial(ctx, t.plain)
		if err != nil {
			return err
		}
		conn.Close()
	}
	return nil
}

func handshakes(ctx context.Context, t *target) error {
	raw, err := dial(ctx, t.secure)
	if err != nil {
		return err
	}
	defer raw.Close()
	conn := tls.Client(raw, &tls.Config{ServerName: hostOf(0), InsecureSkipVerify: true}) //nolint:gosec // an attacker trusts all
	return conn.HandshakeContext(ctx)
}

// frames floods with what write makes of the number of each frame.
func frames(write func(s *session, nth int)) func(context.Context, *target) error {
	return func(ctx context.Context, t *target) error {
		s, nth := newSession(), 0
		first := bytes.Clone(s.out.Bytes())
		return talk(batchGap, false, first, func() []byte {
			s.out.Reset()
			for range batch {
				write(s, nth)
				nth++
			}
			return s.out.Bytes()
		})(ctx, t)
	}
}

func resets(s *session, nth int) {
	s.head(nth, true, ":method", "GET", ":scheme", "http", ":authority", hostOf(0), ":path", "/")
	s.must(s.framer.WriteRSTStream(uint32(2*nth+1), http2.ErrCodeCancel))
}

func pings(s *session, _ int) { s.must(s.framer.WritePing(false, [8]byte{})) }

func settings(s *session, nth int) {
	// The size of the table changes each time.
	s.must(s.framer.WriteSettings(http2.Setting{ID: http2.SettingHeaderTableSize, Val: uint32(nth % 2 * 4096)}))
}

func windows(s *session, _ int) { s.must(s.framer.WriteWindowUpdate(0, 1)) }

// continuations begin a head, and never end it.
func continuations(s *session, nth int) {
	if nth == 0 {
		s.must(s.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: []byte{0x82}, EndStream: true}))
	}
	s.must(s.framer.WriteContinuation(1, false, nil))
}
