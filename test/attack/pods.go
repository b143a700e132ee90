package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
)

// pods are the backends of the routes: one that responds immediately, and one that uses HTTP/2 and does not read what
// it is sent.
type pods struct {
	quick, deaf *httptest.Server
	released    chan struct{}
	release     func()
}

func startPods() *pods {
	p := &pods{released: make(chan struct{})}
	p.release = sync.OnceFunc(func() { close(p.released) })
	body := strings.Repeat(".", 100)
	p.quick = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.Header.Get("Upgrade") != "" {
			p.upgrade(w)
			return
		}
		_, _ = w.Write([]byte(body)) // fails when Limpet cancels the request
	}))
	p.deaf = httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, q *http.Request) {
		select {
		case <-p.released:
		case <-q.Context().Done():
		}
	}))
	p.deaf.Config.Protocols = new(http.Protocols)
	p.deaf.Config.Protocols.SetUnencryptedHTTP2(true)
	p.deaf.Start()
	return p
}

// upgrade accepts a WebSocket, and reads what it is sent.
func (p *pods) upgrade(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Accept: ZFkQLeL+ctLiIm+85dsSHfFZLkk=\r\n\r\n")
	_, _ = io.Copy(io.Discard, conn) // ends with the connection
}

func (p *pods) close() {
	p.release()
	for _, s := range []*httptest.Server{p.quick, p.deaf} {
		s.CloseClientConnections()
		s.Close()
	}
}

func portOf(s *httptest.Server) int { return s.Listener.Addr().(*net.TCPAddr).Port }
