package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// load is the clients of one proxy: connections that stay open over all rounds, each with the cookie that the proxy
// gave it, or with one that it hashes.
type load struct {
	clients []*benchClient
}

type benchClient struct {
	conn    net.Conn
	reader  *bufio.Reader
	request []byte
	length  int    // of an answer, once known: they are all the same
	pod     string // that this client belongs to
	buf     []byte
}

// connect opens the connections and learns every client's cookie. The first cookie is sent with the first request: a
// proxy that hashes it goes by that, one that issues its own replaces it.
func connect(address string, connections int) (*load, error) {
	l := &load{}
	for i := range connections {
		c, err := newClient(address, fmt.Sprintf("sid=client-%d", i))
		if err != nil {
			return l, err
		}
		l.clients = append(l.clients, c)
	}
	return l, nil
}

func newClient(address, cookie string) (*benchClient, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	c := &benchClient{conn: conn, reader: bufio.NewReader(conn), buf: make([]byte, 8<<10)}
	c.request = requestWith(cookie)
	issued, _, err := c.ask()
	if err != nil {
		return nil, err
	}
	if len(issued) > 0 {
		cookie = issued[0].Name + "=" + issued[0].Value
	}
	c.request = requestWith(cookie)
	if _, c.pod, err = c.ask(); err != nil {
		return nil, err
	}
	return c, c.learnLength()
}

func requestWith(cookie string) []byte {
	return fmt.Appendf(nil, "GET /cart/items?page=2 HTTP/1.1\r\nHost: shop.example.com\r\n"+
		"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"+
		"Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\nAccept-Language: en-US,en;q=0.5\r\n"+
		"Accept-Encoding: gzip, deflate, br\r\nReferer: https://shop.example.com/cart\r\nCookie: %s\r\n\r\n", cookie)
}

// ask sends the request and reads the answer with net/http. It gives the cookies that were set, and the pod's name.
func (c *benchClient) ask() ([]*http.Cookie, string, error) {
	if _, err := c.conn.Write(c.request); err != nil {
		return nil, "", err
	}
	answer, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, "", err
	}
	if answer.StatusCode != http.StatusOK || len(body) < 5 {
		return nil, "", fmt.Errorf("status %d", answer.StatusCode)
	}
	return answer.Cookies(), string(body[:5]), nil
}

// learnLength finds how long an answer is, so that the rounds need not parse any.
func (c *benchClient) learnLength() error {
	if _, err := c.conn.Write(c.request); err != nil {
		return err
	}
	held := 0
	for c.length == 0 || held < c.length {
		n, err := c.conn.Read(c.buf[held:])
		if err != nil {
			return err
		}
		held += n
		if end := bytes.Index(c.buf[:held], []byte("\r\n\r\n")); end >= 0 {
			c.length = end + 4 + podBody
		}
	}
	return c.check()
}

// check makes sure that the answer came from this client's own pod: a proxy that is fast and not sticky fails.
func (c *benchClient) check() error {
	if pod := string(c.buf[c.length-podBody:][:5]); pod != c.pod {
		return fmt.Errorf("a client of %s was sent to %s", c.pod, pod)
	}
	return nil
}

// run sends so many requests over all connections and gives how long each took.
func (l *load) run(requests int) ([]time.Duration, error) {
	var left atomic.Int64
	left.Store(int64(requests))
	all := make([][]time.Duration, len(l.clients))
	failures := make([]error, len(l.clients))
	var done sync.WaitGroup
	for i, c := range l.clients {
		done.Go(func() { all[i], failures[i] = c.work(&left) })
	}
	done.Wait()
	var latencies []time.Duration
	for _, some := range all {
		latencies = append(latencies, some...)
	}
	return latencies, errors.Join(failures...)
}

func (c *benchClient) work(left *atomic.Int64) ([]time.Duration, error) {
	var took []time.Duration
	for left.Add(-1) >= 0 {
		start := time.Now()
		if _, err := c.conn.Write(c.request); err != nil {
			return took, err
		}
		if _, err := io.ReadFull(c.conn, c.buf[:c.length]); err != nil {
			return took, err
		}
		took = append(took, time.Since(start))
		if err := c.check(); err != nil {
			return took, err
		}
	}
	return took, nil
}

func (l *load) close() {
	for _, c := range l.clients {
		c.conn.Close()
	}
}
