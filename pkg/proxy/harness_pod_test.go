package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

// pod is a backend that accepts connections on a socket and runs its script on each.
type pod struct {
	name string
	addr string

	mu    sync.Mutex
	down  bool
	l     net.Listener
	open  map[net.Conn]bool
	heads []string // of all requests, in the order of their arrival
	count int      // connections accepted
	busy  sync.WaitGroup
}

// podConn is a connection that a pod has accepted.
type podConn struct {
	net.Conn
	*bufio.Reader
	pod *pod
	nth int // of the pod's connections, from 1
}

// startPod runs the script for every connection, and closes the connection when the script returns.
func startPod(tb testing.TB, name string, script func(*podConn)) *pod {
	tb.Helper()
	p := &pod{name: name, l: loopback(tb), open: map[net.Conn]bool{}}
	p.addr = p.l.Addr().String()
	p.busy.Go(func() { p.accept(script) })
	tb.Cleanup(p.stop)
	return p
}

func (p *pod) accept(script func(*podConn)) {
	for {
		conn, err := p.l.Accept()
		if err != nil {
			return
		}
		if c := p.register(conn); c != nil {
			p.busy.Go(func() {
				script(c)
				p.forget(conn)
			})
		}
	}
}

func (p *pod) register(conn net.Conn) *podConn {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		conn.Close()
		return nil
	}
	p.count++
	p.open[conn] = true
	return &podConn{Conn: conn, Reader: bufio.NewReader(conn), pod: p, nth: p.count}
}

func (p *pod) forget(conn net.Conn) {
	conn.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, conn)
}

// stop makes the pod refuse connections and ends those it has.
func (p *pod) stop() {
	p.refuse()
	p.closeAll()
	p.busy.Wait()
}

// refuse makes the pod refuse connections from now on.
func (p *pod) refuse() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	p.l.Close()
}

// closeAll ends the connections that the pod has.
func (p *pod) closeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn := range p.open {
		conn.Close()
	}
}

// connections returns the number of open connections. accepted counts all connections so far.
func (p *pod) connections() int { return locked(p, func() int { return len(p.open) }) }
func (p *pod) accepted() int    { return locked(p, func() int { return p.count }) }

// requests returns the heads of all requests so far.
func (p *pod) requests() []string { return locked(p, func() []string { return slices.Clone(p.heads) }) }

// takeRequests returns them and forgets them.
func (p *pod) takeRequests() []string {
	return locked(p, func() []string {
		heads := p.heads
		p.heads = nil
		return heads
	})
}

func locked[T any](p *pod, get func() T) T {
	p.mu.Lock()
	defer p.mu.Unlock()
	return get()
}

func (p *pod) endpoint(state model.EndpointState) model.Endpoint {
	return model.Endpoint{ID: "uid-" + p.name, Pod: p.name, Address: p.addr, State: state}
}

// deadPod refuses connections from the beginning.
func deadPod(tb testing.TB, name string) *pod {
	tb.Helper()
	p := startPod(tb, name, func(*podConn) {})
	p.refuse()
	return p
}

// head reads the head of a request as it came, and notes it. It is empty at the end of the connection.
func (c *podConn) head() string {
	var head strings.Builder
	for {
		line, err := c.ReadString('\n')
		if err != nil {
			return ""
		}
		head.WriteString(line)
		if line == "\r\n" {
			c.pod.note(head.String())
			return head.String()
		}
	}
}

func (p *pod) note(head string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heads = append(p.heads, head)
}

// request reads the head of a request, to read its body from. It is nil at the end of the connection.
func (c *podConn) request() *http.Request {
	head := c.head()
	if head == "" {
		return nil
	}
	r, err := http.ReadRequest(bufio.NewReader(io.MultiReader(strings.NewReader(head), c.Reader)))
	if err != nil {
		panic(fmt.Sprintf("Limpet sent %q: %v", head, err))
	}
	return r
}

// say writes text as it is.
func (c *podConn) say(text string) bool {
	_, err := io.WriteString(c.Conn, text)
	return err == nil
}

// answer writes a plain response with the pod's name and the body.
func (c *podConn) answer(body string) bool {
	return c.say(fmt.Sprintf("HTTP/1.1 200 OK\r\nX-Pod: %s\r\nContent-Length: %d\r\n\r\n%s", c.pod.name, len(body), body))
}

// reset ends the connection with a RST rather than a FIN.
func (c *podConn) reset() {
	c.Conn.(*net.TCPConn).SetLinger(0)
	c.Conn.Close()
}

// untilClosed waits for the other side to close.
func (c *podConn) untilClosed() { io.Copy(io.Discard, c.Reader) }

// startEcho runs a pod that responds to every request with its body.
func startEcho(tb testing.TB, name string) *pod {
	tb.Helper()
	return startPod(tb, name, func(c *podConn) {
		for {
			r := c.request()
			if r == nil {
				return
			}
			body, err := io.ReadAll(r.Body)
			if err != nil || !c.answer(string(body)) {
				return
			}
		}
	})
}

// startAnswering runs a pod that reads one head on each connection, says this text, and closes.
func startAnswering(tb testing.TB, name, text string) *pod {
	tb.Helper()
	return startPod(tb, name, func(c *podConn) {
		if c.head() != "" {
			c.say(text)
		}
	})
}

// startHalfCloser runs a pod that echoes requests. endSide half-closes the pod's side of the first connection, on which
// it has sent a response. The pod continues to read from it.
func startHalfCloser(tb testing.TB, name string) (p *pod, endSide func()) {
	tb.Helper()
	end, ended := make(chan struct{}), make(chan struct{})
	p = startPod(tb, name, func(c *podConn) {
		for q := c.request(); q != nil; q = c.request() {
			text, _ := io.ReadAll(q.Body)
			c.answer(string(text))
			if c.nth == 1 {
				<-end
				c.Conn.(*net.TCPConn).CloseWrite()
				close(ended)
				c.untilClosed()
			}
		}
	})
	return p, func() { close(end); <-ended }
}

// takeIdle waits for an idle connection to a pod, and takes it.
func (r *rig) takeIdle(p *pod) (conn *upstream.Conn) {
	r.t.Helper()
	eventually(r.t, "a connection to be idle", func() bool {
		conn = r.endpoint(p).TakeIdle(0, r.pools.Pool(cart).Transport(model.Transport{}), false)
		return conn != nil
	})
	return conn
}

// spoilIdle does something to the idle connection to a pod, and waits until that can be seen from here.
func (r *rig) spoilIdle(p *pod, do func()) {
	r.t.Helper()
	conn := r.takeIdle(p)
	do()
	eventually(r.t, "the idle connection to be stale", conn.Stale)
	r.endpoint(p).PutIdle(conn, 0, time.Now())
}
