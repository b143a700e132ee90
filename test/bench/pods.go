package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
)

const (
	podCount = 3
	// podName is the length of a pod's name. Every response and message of a pod starts with its name.
	podName = len("pod-0")
	// smallBody is the default length of a response body.
	smallBody = 100
)

// pods respond with their name at minimal cost, because the proxy is measured.
type pods struct {
	listeners    []net.Listener
	http1, http2 []string // addresses; http2 pods serve gRPC
	decider      string   // address of a service that admits each request
}

func startPods() (*pods, error) {
	p := &pods{}
	for i := range podCount {
		name := fmt.Sprintf("pod-%d", i)
		for addresses, serve := range map[*[]string]func(net.Conn, string){&p.http1: servePod, &p.http2: serveGRPC} {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return p, err
			}
			p.listeners = append(p.listeners, l)
			*addresses = append(*addresses, l.Addr().String())
			go accept(l, func(conn net.Conn) { serve(conn, name) })
		}
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return p, err
	}
	p.listeners, p.decider = append(p.listeners, l), l.Addr().String()
	go accept(l, serveDecider)
	return p, nil
}

func (p *pods) close() {
	for _, l := range p.listeners {
		l.Close()
	}
}

func accept(l net.Listener, serve func(net.Conn)) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go serve(conn)
	}
}

// podConn is one HTTP/1.1 connection of a pod.
type podConn struct {
	net.Conn
	name    string
	answers map[int][]byte // serialized responses by body length
	buf     []byte
	held    int // unconsumed bytes in buf
}

// servePod serves the requests of a connection. The response to /bytes/N has N bytes, others smallBody.
func servePod(conn net.Conn, name string) {
	p := &podConn{Conn: conn, name: name, answers: map[int][]byte{}, buf: make([]byte, 64<<10)}
	p.serve()
}

// serveDecider admits each request of a connection. Responses have no field about caches, so they can be cached.
func serveDecider(conn net.Conn) {
	p := &podConn{Conn: conn, buf: make([]byte, 64<<10)}
	p.answers = map[int][]byte{0: []byte("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-User: ann\r\n\r\n")}
	p.serve()
}

func (p *podConn) serve() {
	defer p.Close()
	for {
		head, err := p.readHead()
		if err != nil {
			return
		}
		if isUpgrade(head) {
			p.echo(head)
			return
		}
		length := answerLength(head)
		if bytes.HasPrefix(head, []byte("POST ")) {
			err = p.skip(head)
		} else {
			p.use(len(head))
		}
		if err != nil {
			return
		}
		if _, err := p.Write(p.answer(length)); err != nil {
			return
		}
	}
}

// readHead returns a request head, without consuming it.
func (p *podConn) readHead() ([]byte, error) {
	for {
		if end := bytes.Index(p.buf[:p.held], []byte("\r\n\r\n")); end >= 0 {
			return p.buf[:end+4], nil
		}
		n, err := p.Read(p.buf[p.held:])
		if err != nil {
			return nil, err
		}
		p.held += n
	}
}

// use consumes n bytes of the buffer.
func (p *podConn) use(n int) { p.held = copy(p.buf, p.buf[n:p.held]) }

// skip discards the request body.
func (p *podConn) skip(head []byte) error {
	length, err := strconv.Atoi(fieldOf(head, "content-length"))
	if err != nil {
		return err
	}
	here := min(length, p.held-len(head))
	p.use(len(head) + here)
	for left := length - here; left > 0; {
		n, err := p.Read(p.buf[:min(left, len(p.buf))])
		if err != nil {
			return err
		}
		left -= n
	}
	return nil
}

func (p *podConn) answer(length int) []byte {
	if p.answers[length] == nil {
		p.answers[length] = fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n"+
			"Date: Sat, 21 Nov 2026 00:00:00 GMT\r\nCache-Control: no-store\r\n\r\n%s", length, padded(p.name, length))
	}
	return p.answers[length]
}

// echo accepts a WebSocket, and replies to every message with a short one.
func (p *podConn) echo(head []byte) {
	agreed := fmt.Sprintf("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: %s\r\n\r\n", acceptOf(fieldOf(head, "sec-websocket-key")))
	p.use(len(head))
	if _, err := io.WriteString(p, agreed); err != nil {
		return
	}
	answer := frame(padded(p.name, smallBody), false)
	for {
		if p.held >= maskedLength {
			p.use(maskedLength)
			if _, err := p.Write(answer); err != nil {
				return
			}
			continue
		}
		n, err := p.Read(p.buf[p.held:])
		if err != nil {
			return
		}
		p.held += n
	}
}

func padded(name string, length int) string { return name + strings.Repeat(".", length-len(name)) }

// answerLength returns N of GET /bytes/N.
func answerLength(head []byte) int {
	rest, ok := bytes.CutPrefix(head, []byte("GET /bytes/"))
	if !ok {
		return smallBody
	}
	number, _, _ := bytes.Cut(rest, []byte(" "))
	length, err := strconv.Atoi(string(number))
	if err != nil {
		return smallBody
	}
	return length
}

func isUpgrade(head []byte) bool {
	return bytes.HasPrefix(head, []byte("GET /socket ")) && fieldOf(head, "upgrade") == "websocket"
}

// fieldOf returns the value of a field. name must be in lower case; the comparison ignores case.
func fieldOf(head []byte, name string) string {
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		key, value, _ := bytes.Cut(line, []byte(":"))
		if strings.EqualFold(string(key), name) {
			return string(bytes.TrimSpace(value))
		}
	}
	return ""
}
