package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"
)

// Idle connections, which are measured with the smallest number of Ingresses. With many Ingresses, the memory limit has no space
// for them.
const (
	idleIngresses   = 1000 // at most
	idleConnections = 50_000
	idleWebSockets  = 10_000
)

// idleMemory is the memory of one idle connection in bytes: the heap and the stacks after a garbage collection. Zero means that
// it was not measured.
type idleMemory struct {
	connections, webSockets int // that were open
	connection, webSocket   float64
}

// webSocketPath is the path at which pods accept WebSockets. It is below the first path of each Ingress.
const webSocketPath = "/app/socket"

// acceptWebSocket upgrades a connection in a pod, and keeps it open until the client closes it. No frame is sent.
func acceptWebSocket(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	_, err = conn.Write([]byte("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n"))
	for buffer := make([]byte, 1); err == nil; {
		_, err = conn.Read(buffer)
	}
}

const plainRequest = "GET /app HTTP/1.1\r\nHost: %s\r\n\r\n"

const upgradeRequest = "GET " + webSocketPath + " HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// measureIdle opens idle connections and, beside them, WebSockets. It measures how much memory the process uses for each. A
// connection needs one file in Limpet, and a WebSocket needs two.
func (b *bench) measureIdle(ctx context.Context, f *figures, r *replica) (err error) {
	if b.fleet.size != b.sizes[0] || b.fleet.size > idleIngresses {
		return nil
	}
	f.idle.connections, f.idle.webSockets = min(idleConnections, b.files/3), min(idleWebSockets, b.files/6)
	var open openConnections
	defer open.close()
	f.idle.connection, err = b.perConnection(ctx, r, &open, f.idle.connections, plainRequest, http.StatusOK)
	if err != nil {
		return err
	}
	f.idle.webSocket, err = b.perConnection(ctx, r, &open, f.idle.webSockets, upgradeRequest, http.StatusSwitchingProtocols)
	return err
}

// openConnections are connections that stay open until close.
type openConnections struct {
	mu  sync.Mutex
	all []net.Conn
}

func (o *openConnections) add(c net.Conn) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, c)
}

func (o *openConnections) close() {
	for _, c := range o.all {
		c.Close()
	}
}

// perConnection opens connections, sends one request on each, and returns by how much the memory of the process grew per
// connection.
func (b *bench) perConnection(
	ctx context.Context, r *replica, open *openConnections, n int, request string, status int,
) (float64, error) {
	before, err := r.memoryInUse()
	if err != nil {
		return 0, err
	}
	err = inParallel(n, func(i int) error {
		c, err := openIdle(ctx, r.http, i, fmt.Sprintf(request, hostOf(i%b.fleet.size)), status)
		if err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
		open.add(c)
		return nil
	})
	if err != nil {
		return 0, err
	}
	pause(ctx, 5*time.Second) // buffers are released
	after, err := r.memoryInUse()
	return (after - before) / float64(n), err
}

// memoryInUse returns the bytes of the heap and of stacks after two garbage collections. The second one frees what pools have
// kept.
func (r *replica) memoryInUse() (float64, error) {
	for range 2 {
		response, err := local.Get("http://" + r.admin + "/debug/pprof/heap?gc=1")
		if err != nil {
			return 0, err
		}
		_, _ = io.Copy(io.Discard, response.Body)
		response.Body.Close()
		if response.StatusCode != http.StatusOK {
			return 0, fmt.Errorf("/debug/pprof/heap responds with status %d", response.StatusCode)
		}
	}
	text, err := r.metrics()
	return text.sum("go_memstats_heap_alloc_bytes") + text.sum("go_memstats_stack_inuse_bytes"), err
}

// openIdle opens a connection and completes one request on it. The source addresses differ, because one has too few ports.
func openIdle(ctx context.Context, target string, i int, request string, status int) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 10 * time.Second, LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i%8))}}
	c, err := dialer.DialContext(ctx, "tcp", target)
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(time.Now().Add(30 * time.Second)) // fails only on a closed connection
	got, err := exchange(c, request)
	if err == nil && got != status {
		err = fmt.Errorf("the response has status %d, want %d", got, status)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// exchange sends a request, reads the response, and returns its status.
func exchange(c net.Conn, request string) (status int, err error) {
	if _, err := c.Write([]byte(request)); err != nil {
		return 0, err
	}
	response, err := http.ReadResponse(bufio.NewReaderSize(c, 512), nil)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusSwitchingProtocols { // an upgraded connection stays open
		_, err = io.Copy(io.Discard, response.Body)
	}
	return response.StatusCode, err
}
