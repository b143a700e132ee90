//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// streams is the number of clients with a stream: half server-sent events, half WebSockets.
const streams = 40

// watcher keeps a stream open, and reopens it when it ends.
type watcher struct {
	shopper *shopper
	open    func(ctx context.Context, s *shopper) (*stream, error)
}

// stream is an open stream.
type stream struct {
	io.Closer
	// next returns the next message, which is the name of the pod.
	next func() (pod string, err error)
}

func (w *watcher) watch(ctx context.Context) {
	for ctx.Err() == nil {
		s, err := w.open(ctx, w.shopper)
		if err != nil {
			if ctx.Err() == nil {
				w.shopper.ledger.fail(fmt.Errorf("opening a stream: %w", err))
			}
			return
		}
		stop := context.AfterFunc(ctx, func() { s.Close() })
		pod := w.follow(s)
		if ctx.Err() == nil {
			w.shopper.ledger.cut(move{at: time.Now(), from: pod})
		}
		stop()
		s.Close()
	}
}

// follow reads the stream to its end, and returns its pod.
func (w *watcher) follow(s *stream) (pod string) {
	for {
		said, err := s.next()
		if err != nil {
			return pod
		}
		pod = said
	}
}

func openEvents(ctx context.Context, s *shopper) (*stream, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+"/events", nil)
	if err != nil {
		return nil, err
	}
	r.Host = cartHost
	resp, err := (&http.Client{Jar: s.http.Jar, Transport: transport}).Do(r)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close()
		return nil, fmt.Errorf("status %d", resp.StatusCode)
	}
	lines := bufio.NewReader(resp.Body)
	return &stream{resp.Body, func() (string, error) {
		line, err := lines.ReadString('\n')
		if err == nil {
			_, err = lines.ReadString('\n') // the empty line that ends the event
		}
		return strings.TrimSpace(strings.TrimPrefix(line, "data: ")), err
	}}, nil
}

func openSocket(ctx context.Context, s *shopper) (*stream, error) {
	conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(ctx, "tcp", s.address)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(conn, "GET /socket HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: bGltcGV0cyBjbGluZyBvbg==\r\n\r\n", cartHost)
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil) //nolint:bodyclose // 101 has none, and conn is closed
	if err == nil && resp.StatusCode != http.StatusSwitchingProtocols {
		err = fmt.Errorf("status %d", resp.StatusCode)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &stream{conn, func() (string, error) {
		var head [2]byte // header of a short unmasked frame (RFC 6455, section 5.2)
		if _, err := io.ReadFull(in, head[:]); err != nil {
			return "", err
		}
		text := make([]byte, head[1])
		_, err := io.ReadFull(in, text)
		return string(text), err
	}}, nil
}
