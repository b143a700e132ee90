package main

import (
	"bufio"
	"crypto/sha1" //nolint:gosec // RFC 6455 prescribes it
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

// The frames are text messages with four bytes. Those of clients are masked.
var (
	clientFrame = []byte{0x81, 0x84, 1, 2, 3, 4, 'p' ^ 1, 'i' ^ 2, 'n' ^ 3, 'g' ^ 4}
	podFrame    = []byte{0x81, 0x04, 'p', 'o', 'n', 'g'}
)

const (
	webSocketKey = "dGhlIHNhbXBsZSBub25jZQ=="
	webSocketID  = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" // RFC 6455, section 1.3
)

func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + webSocketID)) //nolint:gosec // RFC 6455 prescribes it
	return base64.StdEncoding.EncodeToString(sum[:])
}

// stream is an open WebSocket.
type stream struct {
	conn   net.Conn
	reader *bufio.Reader
	pod    *pod
}

// open opens a WebSocket with the cookies of the session.
func (s *session) open(address string, of *route) (*stream, error) {
	conn, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		return nil, err
	}
	opened := &stream{conn: conn, reader: bufio.NewReader(conn)}
	if err := opened.handshake(s, of); err != nil {
		conn.Close()
		return nil, err
	}
	return opened, nil
}

func (o *stream) handshake(s *session, of *route) error {
	_ = o.conn.SetDeadline(time.Now().Add(clientTimeout))
	r, err := http.NewRequest(http.MethodGet, "http://"+of.host+of.path, nil)
	if err != nil {
		return err
	}
	for name, value := range map[string]string{"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": webSocketKey} {
		r.Header.Set(name, value)
	}
	s.addCookies(r)
	if err := r.Write(o.conn); err != nil {
		return err
	}
	resp, err := http.ReadResponse(o.reader, r)
	if err != nil {
		return err
	}
	resp.Body.Close()
	o.pod = s.run.podNamed(resp.Header.Get("X-Pod"))
	if resp.StatusCode != http.StatusSwitchingProtocols || o.pod == nil ||
		resp.Header.Get("Sec-WebSocket-Accept") != acceptKey(webSocketKey) {
		return fmt.Errorf("WebSocket of session %d: %s", s.number, resp.Status)
	}
	return o.exchange()
}

// exchange sends a message and receives the reply.
func (o *stream) exchange() error {
	_ = o.conn.SetDeadline(time.Now().Add(clientTimeout))
	if _, err := o.conn.Write(clientFrame); err != nil {
		return err
	}
	frame := make([]byte, len(podFrame))
	_, err := io.ReadFull(o.reader, frame)
	return err
}
