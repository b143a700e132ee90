package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// request describes the requests of a workload.
type request struct {
	method, path string
	upload       int // request body in bytes
	download     int // response body in bytes
}

// http1Client sends one request at a time.
type http1Client struct {
	dialer
	request
	fresh bool // one connection per request
	conn  net.Conn
	bytes []byte // the serialized request
	head  int    // length of a response head, once known; all are equal
	pod   string // the pod of the session
	buf   []byte
}

// openHTTP1 connects a client and learns its cookie and its pod.
func openHTTP1(d dialer, r request, fresh bool) (client, error) {
	c := &http1Client{dialer: d, request: r, fresh: fresh, buf: make([]byte, 16<<10+r.download/8)}
	conn, err := d.dial()
	if err != nil {
		return nil, err
	}
	c.conn = conn
	if err := c.learn(); err != nil {
		c.close()
		return nil, err
	}
	if fresh {
		c.close()
		return c, nil
	}
	return c, conn.SetDeadline(time.Time{})
}

// learn sends three requests: with firstCookie, with the cookie that the proxy has set, and one to measure the
// length of the response head, so that the rounds need not parse heads.
func (c *http1Client) learn() error {
	cookie := c.firstCookie()
	c.bytes = c.withCookie(cookie)
	issued, _, err := c.ask()
	if err != nil {
		return err
	}
	if len(issued) > 0 {
		cookie = issued[0].Name + "=" + issued[0].Value
	}
	c.bytes = c.withCookie(cookie)
	if _, c.pod, err = c.ask(); err != nil {
		return err
	}
	return c.learnHead()
}

func (c *http1Client) withCookie(cookie string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", c.method, c.path, shop)
	for i := 0; i < len(browser); i += 2 {
		fmt.Fprintf(&b, "%s: %s\r\n", http.CanonicalHeaderKey(browser[i]), browser[i+1])
	}
	if c.upload > 0 {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", c.upload)
	}
	fmt.Fprintf(&b, "Cookie: %s\r\n\r\n%s", cookie, strings.Repeat("u", c.upload))
	return b.Bytes()
}

// ask sends the request, and reads the response with net/http. It returns the cookies that were set, and the name
// of the pod.
func (c *http1Client) ask() ([]*http.Cookie, string, error) {
	if _, err := c.conn.Write(c.bytes); err != nil {
		return nil, "", err
	}
	answer, err := http.ReadResponse(bufio.NewReader(c.conn), nil)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, "", err
	}
	if answer.StatusCode != http.StatusOK || len(body) != c.download {
		return nil, "", fmt.Errorf("status %d with %d bytes, want 200 with %d", answer.StatusCode, len(body), c.download)
	}
	return answer.Cookies(), string(body[:podName]), nil
}

func (c *http1Client) learnHead() error {
	if _, err := c.conn.Write(c.bytes); err != nil {
		return err
	}
	held := 0
	for c.head == 0 {
		n, err := c.conn.Read(c.buf[held:])
		if err != nil {
			return err
		}
		held += n
		if end := bytes.Index(c.buf[:held], []byte("\r\n\r\n")); end >= 0 {
			c.head = end + 4
		}
	}
	return c.finish(held)
}

func (c *http1Client) work(until time.Time) ([]time.Duration, error) {
	var took []time.Duration
	for start := time.Now(); len(took) == 0 || start.Before(until); {
		if err := c.once(); err != nil {
			return took, err
		}
		end := time.Now()
		took = append(took, end.Sub(start))
		start = end
	}
	return took, nil
}

func (c *http1Client) once() error {
	if c.fresh {
		conn, err := c.dial()
		if err != nil {
			return err
		}
		c.conn = conn
		defer c.close()
	}
	if _, err := c.conn.Write(c.bytes); err != nil {
		return err
	}
	return c.finish(0)
}

// finish reads the rest of a response of which n bytes are in the buffer, and checks the pod.
func (c *http1Client) finish(held int) error {
	if held < c.head+podName {
		n, err := io.ReadAtLeast(c.conn, c.buf[held:], c.head+podName-held)
		if err != nil {
			return err
		}
		held += n
	}
	if pod := string(c.buf[c.head:][:podName]); pod != c.pod {
		return moved(c.pod, pod)
	}
	for left := c.head + c.download - held; left > 0; {
		n, err := c.conn.Read(c.buf[:min(left, len(c.buf))])
		if err != nil {
			return err
		}
		left -= n
	}
	return nil
}

func (c *http1Client) close() { c.conn.Close() }
