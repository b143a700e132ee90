package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

const (
	podPort = 8080
	// firstPodPort is the port of the first pod if all pods have one address.
	firstPodPort = 21000
)

// pod is an app that responds with its name. All pods are in this process and have addresses of the sandbox.
type pod struct {
	name, ip, uid string
	port          int
	server        *http.Server

	// serving is false while no session should be served here: the pod is not ready, or gone.
	serving atomic.Bool
	// departures counts how often serving became false.
	departures atomic.Int64
	// setsCookie makes the pod set a cookie for each new session, as apps with sessions of their own do.
	setsCookie bool
	// draining is set once the proxy has applied that the pod terminates.
	draining atomic.Bool
}

// startPod starts pod n at the address with the given number, or at the port with that number of the address at.
func startPod(n, address int, at string, setsCookie bool) (*pod, error) {
	p := &pod{
		name:       fmt.Sprintf("pod-%d", n),
		ip:         fmt.Sprintf("10.250.%d.%d", 1+address/250%250, 1+address%250),
		uid:        fmt.Sprintf("5f0d9ae1-0000-4000-8000-%012d", n),
		setsCookie: setsCookie,
	}
	if p.port = podPort; at != "" {
		p.ip, p.port = at, firstPodPort+address
	}
	l, err := net.Listen("tcp", p.address())
	if err != nil {
		return nil, err
	}
	p.serving.Store(true)
	p.server = &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: p}
	go func() { _ = p.server.Serve(l) }()
	return p, nil
}

func (p *pod) address() string { return net.JoinHostPort(p.ip, strconv.Itoa(p.port)) }

func appCookie(path string) string { return "app" + strings.ReplaceAll(path, "/", "-") }

// depart records that the pod does not serve sessions from now on.
func (p *pod) depart() {
	if p.serving.Swap(false) {
		p.departures.Add(1)
	}
}

// stop ends the pod as an app does on SIGTERM: it finishes what it has received, and refuses connections. Connections without
// a request, which look like slow ones to a server, are closed after a second.
func (p *pod) stop() {
	p.depart()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if p.server.Shutdown(ctx) != nil {
		p.server.Close()
	}
}

// kill ends the pod with all of its connections.
func (p *pod) kill() {
	p.depart()
	p.server.Close()
}

// ServeHTTP responds with the name of the pod, or echoes the frames of a WebSocket.
func (p *pod) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Pod", p.name)
	if _, err := r.Cookie(appCookie(r.URL.Path)); p.setsCookie && err != nil {
		http.SetCookie(w, &http.Cookie{Name: appCookie(r.URL.Path), Value: rand.Text(), Path: "/"})
	}
	if r.Header.Get("Upgrade") != "websocket" {
		fmt.Fprintln(w, p.name)
		return
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	head := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Pod: %s\r\n" +
		"Sec-WebSocket-Accept: %s\r\n\r\n"
	if _, err := fmt.Fprintf(conn, head, p.name, acceptKey(r.Header.Get("Sec-WebSocket-Key"))); err != nil {
		return
	}
	for frame := make([]byte, len(clientFrame)); ; {
		if _, err := io.ReadFull(conn, frame); err != nil {
			return
		}
		if _, err := conn.Write(podFrame); err != nil {
			return
		}
	}
}
