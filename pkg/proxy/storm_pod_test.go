package proxy

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// stormPod is a net/http server for cleartext HTTP/1.1 and HTTP/2 that behaves as its requests require. It can stop and start
// again at its address.
type stormPod struct {
	name, addr string
	s          *storm

	mu     sync.Mutex
	server *http.Server
	l      net.Listener
	conns  map[net.Conn]http.ConnState
	busy   sync.WaitGroup // waits for its servers
	visits atomic.Int32
}

// startPod runs a pod until the test ends.
func (s *storm) startPod(name string) *stormPod {
	// Nothing connects from this address, so that no other socket takes the port while the pod is down.
	p := &stormPod{name: name, addr: "127.0.0.2:0", s: s, conns: map[net.Conn]http.ConnState{}}
	p.start()
	s.t.Cleanup(func() {
		p.stop()
		p.busy.Wait()
		eventually(s.t, "a pod to do nothing any more", func() bool { return p.visits.Load() == 0 })
	})
	return p
}

func (p *stormPod) start() {
	l, err := net.Listen("tcp", p.addr)
	if err != nil {
		p.s.t.Fatal(err)
	}
	p.addr = l.Addr().String()
	server := &http.Server{
		Handler: http.HandlerFunc(p.serve), ConnState: p.note, Protocols: new(http.Protocols),
		ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Minute,
	}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.server, p.l = server, l
	p.busy.Go(func() { _ = server.Serve(l) }) // returns when the pod stops
}

func (p *stormPod) note(conn net.Conn, state http.ConnState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if state == http.StateClosed {
		delete(p.conns, conn)
		return
	}
	p.conns[conn] = state
}

// stop closes the pod and all its connections.
func (p *stormPod) stop() {
	p.current().Close()
	p.l.Close() // a server that has just started does not track it yet
	p.closeConns(func(http.ConnState) bool { return true })
}

func (p *stormPod) current() *http.Server {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.server
}

// restartGracefully shuts the server down and starts another one while requests of the first complete.
func (p *stormPod) restartGracefully() {
	server, begun := p.current(), make(chan struct{})
	server.RegisterOnShutdown(func() { close(begun) })
	p.busy.Go(func() {
		_ = server.Shutdown(p.s.t.Context()) // the end of the test closes the rest
		server.Close()
	})
	<-begun
	p.l.Close()
	p.start()
}

// closeConns closes the connections in some state, without regard to what they are doing.
func (p *stormPod) closeConns(which func(http.ConnState) bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for conn, state := range p.conns {
		if which(state) {
			conn.Close()
		}
	}
}

func isIdle(state http.ConnState) bool { return state == http.StateIdle }

func (p *stormPod) connections() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns)
}

func (p *stormPod) endpoint(state model.EndpointState) model.Endpoint {
	return model.Endpoint{ID: "uid-" + p.name, Pod: p.name, Address: p.addr, State: state}
}

// serve behaves as the request requires.
func (p *stormPod) serve(w http.ResponseWriter, q *http.Request) {
	p.visits.Add(1)
	defer p.visits.Add(-1)
	e, err := parseTarget(q.URL)
	if err != nil || q.Header.Get(requestIDField) != e.id() || q.Method != e.Method {
		p.s.fault("a pod gets %s %s with %q: %v", q.Method, q.URL, q.Header, err)
		return
	}
	p.s.noteReceived(e)
	v := &podRequest{p, e, w, q}
	switch e.Behavior {
	case openWebSocket:
		v.echoWebSocket()
	case closeBeforeBody:
		v.end("")
	case truncateHead:
		v.end("HTTP/1.1 200 OK\r\nX-Storm-Id: ")
	case closeAfterBody:
		v.read()
		v.end("")
	default:
		v.respond()
	}
}

// podRequest is a request at a pod.
type podRequest struct {
	pod *stormPod
	e   *stormRequest
	w   http.ResponseWriter
	q   *http.Request
}

// read reads the body and checks that it is complete if it looks complete.
func (v *podRequest) read() {
	got, err := io.ReadAll(v.q.Body)
	if want := v.e.requestBody(); !bytes.HasPrefix(want, got) || err == nil && len(got) != len(want) {
		v.pod.s.fault("%s: its pod gets %d of %d bytes, right up to %d: %v", v.e, len(got), len(want), commonPrefix(want, got), err)
	}
	if sum := v.q.Trailer.Get(requestIDTrailer); err == nil && v.e.Trailers && sum != v.e.id() {
		v.pod.s.fault("%s: its pod gets the trailers %q", v.e, v.q.Trailer)
	}
}

func (v *podRequest) respond() {
	e, body := v.e, v.e.responseBody()
	control := http.NewResponseController(v.w)
	if e.Behavior == echoBody || e.Behavior == echoSlowly {
		v.read()
	}
	v.w.Header().Set(requestIDField, e.id())
	if e.UnknownLength {
		v.w.Header().Set("Trailer", requestIDTrailer)
	} else {
		v.w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	if e.Behavior == respondFirst {
		_ = control.EnableFullDuplex() // HTTP/2 has it always
		_ = control.Flush()            // fails with the connection, as do all later writes
		v.read()
	}
	v.write(body, control)
	if e.UnknownLength {
		v.w.Header().Set(requestIDTrailer, e.id())
	}
}

func (v *podRequest) write(body []byte, control *http.ResponseController) {
	switch v.e.Behavior {
	case truncateBody:
		_, _ = v.w.Write(body[:len(body)/2])
		_ = control.Flush()
		panic(http.ErrAbortHandler)
	case echoSlowly:
		for len(body) > 0 {
			n := min(len(body), 1+v.e.ResponseSize/5)
			_, _ = v.w.Write(body[:n])
			_ = control.Flush()
			body = body[n:]
			pause()
		}
	default:
		_, _ = v.w.Write(body)
	}
}

// pause waits for a short random time.
func pause() { <-time.After(time.Duration(rand.IntN(2000)) * time.Microsecond) }

// end sends text, if it can, and closes the connection or stream.
func (v *podRequest) end(text string) {
	conn := v.hijack()
	if conn == nil {
		panic(http.ErrAbortHandler)
	}
	defer v.pod.note(conn, http.StateClosed)
	_, _ = io.WriteString(conn, text)
	if v.e.ID%2 == 0 {
		resetTCP(conn)
	}
	conn.Close()
}

// hijack returns nil for HTTP/2.
func (v *podRequest) hijack() net.Conn {
	conn, _, err := http.NewResponseController(v.w).Hijack()
	if err != nil {
		return nil
	}
	return conn
}

// echoWebSocket echoes all data.
func (v *podRequest) echoWebSocket() {
	conn, rw, err := http.NewResponseController(v.w).Hijack()
	if err != nil {
		v.pod.s.fault("%s: %v", v.e, err)
		return
	}
	defer v.pod.note(conn, http.StateClosed)
	defer conn.Close()
	accept := acceptFor(v.q.Header.Get("Sec-WebSocket-Key"))
	fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"X-Storm-Id: %s\r\nSec-WebSocket-Accept: %s\r\n\r\n", v.e.id(), accept)
	_, _ = io.Copy(conn, rw)
}
