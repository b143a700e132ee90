package proxy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// caller is a client made of a socket.
type caller struct {
	net.Conn
	r *bufio.Reader
	t testing.TB
}

// response is a response as read by a caller.
type response struct {
	status  int
	header  http.Header
	trailer http.Header
	body    string
	close   bool  // the response has Connection: close
	err     error // the response is not whole
}

// dial connects to the server. All reads and writes end after testTimeout.
func (r *rig) dial() *caller {
	r.t.Helper()
	return callTo(r.t, r.addr)
}

func callTo(tb testing.TB, addr string) *caller {
	tb.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		tb.Fatal(err)
	}
	return callOver(tb, conn)
}

func callOver(tb testing.TB, conn net.Conn) *caller {
	tb.Helper()
	tb.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(testTimeout))
	return &caller{Conn: conn, r: bufio.NewReader(conn), t: tb}
}

// send writes text as it is.
func (c *caller) send(text string) {
	c.t.Helper()
	if _, err := io.WriteString(c.Conn, text); err != nil {
		c.t.Fatalf("sending %.60q: %v", text, err)
	}
}

// read reads the response to a request with that method, and its body.
func (c *caller) read(method string) *response {
	c.t.Helper()
	a, err := c.tryRead(method)
	if err != nil {
		c.t.Fatalf("reading the response to %s: %v", method, err)
	}
	return a
}

func (c *caller) tryRead(method string) (*response, error) {
	resp, err := http.ReadResponse(c.r, &http.Request{Method: method})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, err // that is the timeout of the test itself
	}
	return &response{
		status: resp.StatusCode, header: resp.Header, trailer: resp.Trailer, body: string(body),
		close: resp.Close, err: err,
	}, nil
}

// get sends a GET for a path, with header lines such as "Cookie: a=b", and returns the response.
func (c *caller) get(path string, lines ...string) *response {
	c.t.Helper()
	c.send(request("GET", path, "", lines...))
	return c.read("GET")
}

// post sends a body with its length.
func (c *caller) post(path, body string, lines ...string) *response {
	c.t.Helper()
	c.send(request("POST", path, body, lines...))
	return c.read("POST")
}

func request(method, path, body string, lines ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: shop.example\r\n", method, path)
	for _, line := range lines {
		b.WriteString(line + "\r\n")
	}
	if body != "" || method == "POST" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n" + body)
	return b.String()
}

// line reads one line, without its CRLF.
func (c *caller) line() string {
	c.t.Helper()
	line, err := c.r.ReadString('\n')
	if err != nil {
		c.t.Fatalf("reading a line: %v after %q", err, line)
	}
	return strings.TrimSuffix(line, "\r\n")
}

// head reads the lines of a head, up to the empty one.
func (c *caller) head() []string {
	c.t.Helper()
	var lines []string
	for line := c.line(); line != ""; line = c.line() {
		lines = append(lines, line)
	}
	return lines
}

// expect reads this text and no more.
func (c *caller) expect(text string) {
	c.t.Helper()
	got := make([]byte, len(text))
	n, err := io.ReadFull(c.r, got)
	if string(got[:n]) != text {
		c.t.Fatalf("got %q (%v), want %q", got[:n], err, text)
	}
}

// rest reads up to the end of the connection, however it ends.
func (c *caller) rest() string {
	c.t.Helper()
	b, err := io.ReadAll(c.r)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Fatalf("the connection stays open after %q", b)
	}
	return string(b)
}

// expectClosed waits for the end of the connection, before which nothing may come.
func (c *caller) expectClosed() {
	c.t.Helper()
	if rest := c.rest(); rest != "" {
		c.t.Errorf("before the connection ended came %q", rest)
	}
}

// expectStatus checks the status of a response.
func (a *response) expectStatus(tb testing.TB, want int) {
	tb.Helper()
	if a.status != want {
		tb.Fatalf("got %d %q, want %d", a.status, a.body, want)
	}
}

// expectOK checks that a response is whole, has status 200, and this body.
func (a *response) expectOK(tb testing.TB, body string) {
	tb.Helper()
	a.expectStatus(tb, http.StatusOK)
	if a.err != nil || a.body != body {
		tb.Fatalf("got a body of %d bytes, %.80q (%v), want %d bytes, %.80q", len(a.body), a.body, a.err, len(body), body)
	}
}

// cookie returns the one cookie that a response sets, as it is sent back; empty if it sets none.
func (a *response) cookie(tb testing.TB) string {
	tb.Helper()
	set := a.header.Values("Set-Cookie")
	if len(set) > 1 {
		tb.Fatalf("more than one Set-Cookie: %q", set)
	}
	if len(set) == 0 {
		return ""
	}
	pair, _, _ := strings.Cut(set[0], ";")
	return "Cookie: " + pair
}
