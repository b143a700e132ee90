package proxy

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// serialClient is an HTTP/1.1 client with its own connection.
type serialClient struct {
	s      *storm
	rnd    *rand.Rand
	by     string // the Client of its requests
	dial   func() (net.Conn, error)
	conn   net.Conn // nil if the next request opens one
	in     *bufio.Reader
	cookie string
}

func (w *serialClient) run(requests int) {
	defer w.drop()
	for range requests {
		w.connect()
		to := randomPath(w.rnd)
		switch w.rnd.IntN(16) {
		case 0, 1:
			w.abandon(w.s.newRequest(to, w.by, w.rnd))
		case 2, 3:
			w.pipeline(to)
		case 4:
			w.openWebSocket()
		case 5:
			w.do(w.s.newRequest(to, w.by, w.rnd))
			w.drop()
		case 6:
			w.halfCloseAndRead(w.s.newRequest(to, w.by, w.rnd))
		default:
			w.do(w.s.newRequest(to, w.by, w.rnd))
		}
		w.s.done()
	}
}

// connect opens a connection unless one is open.
func (w *serialClient) connect() {
	if w.conn == nil {
		conn, err := w.dial()
		if err != nil {
			w.s.fault("connecting: %v", err)
			conn, _ = net.Pipe() // every use fails
		}
		w.conn, w.in, w.by = conn, bufio.NewReader(conn), "HTTP/1.1"
	}
	_ = w.conn.SetDeadline(time.Now().Add(stormTimeout))
}

func (w *serialClient) drop() {
	if w.conn != nil {
		w.conn.Close()
		w.conn = nil
	}
}

// head returns the head of a request.
func (w *serialClient) head(e *stormRequest) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: shop.example\r\nX-Storm-Id: %s\r\nTE: trailers\r\n", e.Method, e.target(), e.id())
	if w.cookie != "" {
		fmt.Fprintf(&b, "Cookie: %s\r\n", w.cookie)
	}
	switch {
	case e.Chunked:
		b.WriteString("Transfer-Encoding: chunked\r\n")
	case e.BodySize != noBody:
		fmt.Fprintf(&b, "Content-Length: %d\r\n", e.BodySize)
	}
	if e.Trailers {
		b.WriteString("Trailer: X-Storm-Id-Trailer\r\n")
	}
	if e.Expect {
		b.WriteString("Expect: 100-continue\r\n")
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// body returns the body of a request with its framing.
func (w *serialClient) body(e *stormRequest) []byte {
	body := e.requestBody()
	if !e.Chunked {
		return body
	}
	var b bytes.Buffer
	for len(body) > 0 {
		n := min(len(body), 1+w.rnd.IntN(40_000))
		fmt.Fprintf(&b, "%x\r\n%s\r\n", n, body[:n])
		body = body[n:]
	}
	b.WriteString("0\r\n")
	if e.Trailers {
		fmt.Fprintf(&b, "X-Storm-Id-Trailer: %s\r\n", e.id())
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// do sends a request and reads the response at the same time.
func (w *serialClient) do(e *stormRequest) {
	text := [][]byte{w.head(e), w.body(e)}
	if !e.Expect {
		text = [][]byte{bytes.Join(text, nil)}
	}
	got := &stormResult{status: http.StatusContinue}
	for i := 0; i < len(text) && got.status == http.StatusContinue; i++ {
		sent := w.write(text[i])
		got = w.read(e)
		<-sent
	}
	w.s.checkResult(e, got)
}

// write sends text in a goroutine and returns a channel that is closed at its end. Errors appear in the response.
func (w *serialClient) write(text []byte) (over <-chan struct{}) {
	conn, sent := w.conn, make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = conn.Write(text)
	}()
	return sent
}

// read reads a response, and closes the connection if it cannot be reused.
func (w *serialClient) read(e *stormRequest) *stormResult {
	e.Client = w.by
	w.by = fmt.Sprintf("HTTP/1.1, after %s of %s to %s", e.Behavior, e.Method, e.Path)
	r, err := http.ReadResponse(w.in, &http.Request{Method: e.Method})
	got := resultOf(r, err)
	if set, _, ok := strings.Cut(got.header.Get("Set-Cookie"), ";"); ok {
		w.cookie = set
	}
	if got.err != nil || r.Close || e.Expect && got.status != http.StatusContinue {
		w.drop()
	}
	return got
}

// pipeline sends several requests without waiting. Requests after a response that ends the connection have not been processed.
func (w *serialClient) pipeline(to stormPath) {
	var all []*stormRequest
	var text []byte
	for range 2 + w.rnd.IntN(4) {
		e := w.s.newRequest(to, w.by, w.rnd)
		e.Expect, e.BodySize = false, min(e.BodySize, 4000)
		all, text = append(all, e), append(append(text, w.head(e)...), w.body(e)...)
	}
	sent := w.write(text)
	for i, e := range all {
		got := w.read(e)
		w.s.checkResult(e, got)
		if w.conn == nil {
			<-sent
			if got.err == nil {
				w.retry(all[i+1:])
			}
			return
		}
	}
	<-sent
}

func (w *serialClient) retry(left []*stormRequest) {
	for _, e := range left {
		w.connect()
		w.do(e)
	}
}

// abandon closes the connection after a part of a request or after all of it.
func (w *serialClient) abandon(e *stormRequest) {
	text := append(w.head(e), w.body(e)...)
	some := pick(w.rnd, len(text), w.rnd.IntN(len(text)))
	sent := w.write(text[:some])
	if some == len(text) && w.rnd.IntN(2) == 0 {
		_, _ = w.in.ReadByte()
	}
	if w.rnd.IntN(2) == 0 {
		resetTCP(w.conn)
	}
	w.drop()
	<-sent
}

// halfCloseAndRead half-closes the connection after the request and reads the response.
func (w *serialClient) halfCloseAndRead(e *stormRequest) {
	e.Expect, e.BodySize = false, min(e.BodySize, 4000)
	_, err := w.conn.Write(append(w.head(e), w.body(e)...))
	if err == nil {
		_ = w.conn.(interface{ CloseWrite() error }).CloseWrite()
	}
	w.s.checkResult(e, w.read(e))
	w.drop()
}

// openWebSocket sends a body through a WebSocket and reads it back.
func (w *serialClient) openWebSocket() {
	e := w.s.newRequest(pick(w.rnd, reliableHTTP1, failingHTTP1), w.by, w.rnd)
	e.Method, e.BodySize, e.Chunked, e.Trailers, e.Expect, e.Behavior = "GET", noBody, false, false, false, openWebSocket
	head := bytes.TrimSuffix(w.head(e), []byte("\r\n"))
	head = append(head, "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"...)
	sent := w.write(append(head, e.responseBody()...))
	w.s.checkResult(e, w.readWebSocket(e))
	w.drop()
	<-sent
}

// readWebSocket returns the data of a WebSocket as the result.
func (w *serialClient) readWebSocket(e *stormRequest) *stormResult {
	got := resultOf(http.ReadResponse(w.in, &http.Request{Method: e.Method}))
	if got.status != http.StatusSwitchingProtocols {
		return got
	}
	body := make([]byte, e.ResponseSize)
	n, err := io.ReadFull(w.in, body)
	return &stormResult{http.StatusOK, got.header, http.Header{requestIDTrailer: {e.id()}}, body[:n], err}
}

// isOverdue reports whether err is caused by stormTimeout.
func isOverdue(err error) bool {
	return errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}
