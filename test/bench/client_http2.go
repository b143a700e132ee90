package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// http2Client keeps a number of streams active on one connection.
type http2Client struct {
	*h2
	conn    net.Conn
	fields  []string // request fields
	body    []byte   // request body
	prefix  int      // length of the response body before the pod's name
	streams int
	last    uint32 // ID of the last stream
	open    map[uint32]*stream
	pod     string
	took    []time.Duration
}

type stream struct {
	start time.Time
	pod   string // from the response; empty until it arrives
}

// openHTTP2 connects a client and learns its cookie and its pod.
func openHTTP2(d dialer, streams int) (client, error) {
	c := &http2Client{streams: streams, fields: append([]string{
		":method", "GET", ":scheme", "https", ":authority", shop, ":path", "/cart/items?page=2"}, browser...)}
	return c.start(d)
}

// openGRPC is openHTTP2 for unary calls.
func openGRPC(d dialer, streams int) (client, error) {
	c := &http2Client{streams: streams, prefix: len(message("")), body: message(padded("ask", smallBody)), fields: []string{
		":method", "POST", ":scheme", "https", ":authority", shop, ":path", "/shop.Cart/Items",
		"content-type", "application/grpc", "te", "trailers", "user-agent", "grpc-go/1.82.1"}}
	return c.start(d)
}

func (c *http2Client) start(d dialer) (client, error) {
	conn, err := d.dial()
	if err != nil {
		return nil, err
	}
	c.conn, c.h2, c.open = conn, newH2(conn), map[uint32]*stream{}
	if err := c.learn(d.firstCookie()); err != nil {
		conn.Close()
		return nil, err
	}
	return c, conn.SetDeadline(time.Time{})
}

// learn sends two requests, the second with the cookie that the proxy has set. Later heads are not decoded, because
// the body starts with the pod's name.
func (c *http2Client) learn(cookie string) error {
	if _, err := io.WriteString(c.out, http2.ClientPreface); err != nil {
		return err
	}
	if err := c.greet(http2.Setting{ID: http2.SettingEnablePush, Val: 0}); err != nil {
		return err
	}
	c.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	plain := c.fields
	for range 2 {
		c.fields = append(plain[:len(plain):len(plain)], "cookie", cookie)
		issued, err := c.ask()
		if err != nil {
			return err
		}
		if issued != "" {
			cookie = issued
		}
	}
	c.ReadMetaHeaders = nil
	return nil
}

// ask sends one request, and returns the cookie that the response sets, if any.
func (c *http2Client) ask() (cookie string, err error) {
	if err := c.send(); err != nil {
		return "", err
	}
	c.pod = ""
	for {
		f, err := c.next()
		if err != nil {
			return "", err
		}
		switch f := f.(type) {
		case *http2.MetaHeadersFrame:
			if cookie, err = readHead(f, cookie); err != nil {
				return "", err
			}
		case *http2.DataFrame:
			c.pod = nameIn(f.Data(), c.prefix, c.pod)
		}
		if f.Header().StreamID == c.last && endsStream(f) {
			delete(c.open, c.last)
			return cookie, nil
		}
	}
}

// readHead returns an error for heads and trailers that report a failure.
func readHead(f *http2.MetaHeadersFrame, cookie string) (string, error) {
	for _, field := range f.Fields {
		switch {
		case field.Name == ":status" && field.Value != "200", field.Name == "grpc-status" && field.Value != "0":
			return "", fmt.Errorf("%s %s", field.Name, field.Value)
		case field.Name == "set-cookie":
			set, err := http.ParseSetCookie(field.Value)
			if err != nil {
				return "", err
			}
			cookie = set.Name + "=" + set.Value
		}
	}
	return cookie, nil
}

func nameIn(body []byte, prefix int, known string) string {
	if known != "" || len(body) < prefix+podName {
		return known
	}
	return string(body[prefix:][:podName])
}

func (c *http2Client) send() error {
	if c.last == 0 {
		c.last = 1
	} else {
		c.last += 2
	}
	c.open[c.last] = &stream{start: time.Now()}
	if err := c.head(c.last, c.body == nil, c.fields...); err != nil || c.body == nil {
		return err
	}
	return c.WriteData(c.last, true, c.body)
}

func (c *http2Client) work(until time.Time) ([]time.Duration, error) {
	c.took = nil
	for range c.streams {
		if err := c.send(); err != nil {
			return nil, err
		}
	}
	for len(c.open) > 0 {
		f, err := c.next()
		if err != nil {
			return c.took, err
		}
		if err := c.handle(f, until); err != nil {
			return c.took, err
		}
	}
	return c.took, nil
}

// handle processes a frame of a response. When a response is complete, the next request is sent.
func (c *http2Client) handle(f http2.Frame, until time.Time) error {
	s := c.open[f.Header().StreamID]
	if _, reset := f.(*http2.RSTStreamFrame); reset || s == nil {
		return fmt.Errorf("unexpected %v", f)
	}
	if data, ok := f.(*http2.DataFrame); ok {
		s.pod = nameIn(data.Data(), c.prefix, s.pod)
	}
	if !endsStream(f) {
		return nil
	}
	if s.pod != c.pod {
		return errors.Join(moved(c.pod, s.pod), c.conn.Close())
	}
	now := time.Now()
	c.took = append(c.took, now.Sub(s.start))
	delete(c.open, f.Header().StreamID)
	if now.After(until) {
		return nil
	}
	return c.send()
}

func (c *http2Client) close() { c.conn.Close() }
