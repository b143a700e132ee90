package main

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// maskedLength is the length of a client frame with header and mask (RFC 6455, section 5.2).
const maskedLength = 2 + 4 + smallBody

// socketClient sends a message and waits for a message, repeatedly.
type socketClient struct {
	conn net.Conn
	pod  string
	sent []byte
	buf  [2 + smallBody]byte
}

func openSocket(d dialer) (client, error) {
	conn, err := d.dial()
	if err != nil {
		return nil, err
	}
	c := &socketClient{conn: conn, sent: frame(padded("message", smallBody), true)}
	if err := c.upgrade(d.firstCookie()); err != nil {
		conn.Close()
		return nil, err
	}
	return c, conn.SetDeadline(time.Time{})
}

func (c *socketClient) upgrade(cookie string) error {
	const key = "dGhlIHNhbXBsZSBub25jZQ=="
	_, err := fmt.Fprintf(c.conn, "GET /socket HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\nCookie: %s\r\n\r\n", shop, key, cookie)
	if err != nil {
		return err
	}
	answer, err := http.ReadResponse(bufio.NewReader(c.conn), nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusSwitchingProtocols || answer.Header.Get("Sec-WebSocket-Accept") != acceptOf(key) {
		return fmt.Errorf("status %d, want a WebSocket", answer.StatusCode)
	}
	c.pod, err = c.once()
	return err
}

// once sends a message, and returns the name of the pod that replied.
func (c *socketClient) once() (pod string, err error) {
	if _, err := c.conn.Write(c.sent); err != nil {
		return "", err
	}
	if _, err := io.ReadFull(c.conn, c.buf[:]); err != nil {
		return "", err
	}
	return string(c.buf[2:][:podName]), nil
}

func (c *socketClient) work(until time.Time) ([]time.Duration, error) {
	var took []time.Duration
	for start := time.Now(); len(took) == 0 || start.Before(until); {
		pod, err := c.once()
		if err != nil {
			return took, err
		}
		if pod != c.pod {
			return took, moved(c.pod, pod)
		}
		end := time.Now()
		took = append(took, end.Sub(start))
		start = end
	}
	return took, nil
}

func (c *socketClient) close() { c.conn.Close() }

// frame returns a text message. The zero mask leaves the text unchanged.
func frame(text string, masked bool) []byte {
	if masked {
		return append([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}, text...)
	}
	return append([]byte{0x81, byte(len(text))}, text...)
}

// acceptOf computes Sec-WebSocket-Accept (RFC 6455, section 4.2.2).
func acceptOf(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}
