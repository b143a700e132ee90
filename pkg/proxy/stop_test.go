package proxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/exchange"
)

// stop stops the server in the background. The channel receives the error that Stop returned.
func (r *rig) stop(ctx context.Context) <-chan error {
	r.t.Helper()
	stopped := make(chan error, 1)
	go func() { stopped <- r.server.Shutdown(ctx) }()
	eventually(r.t, "the server to stop listening", r.server.inShutdown.Load)
	return stopped
}

func expectStopped(t *testing.T, stopped <-chan error, want error) {
	t.Helper()
	select {
	case err := <-stopped:
		if !errors.Is(err, want) {
			t.Errorf("Stop returned %v, want %v", err, want)
		}
	case <-time.After(testTimeout):
		t.Fatal("the server does not stop")
	}
}

// Clients that use their connections continuously get Connection: close in a response, and send no request on a closed
// connection.
func TestShutdown_underLoad(t *testing.T) {
	r := newRig(t)
	r.serve(cookieAffinity(), startEcho(t, "pod-a"), startEcho(t, "pod-b"))
	var answered, lost atomic.Int64
	var clients sync.WaitGroup
	for range 16 {
		client := r.dial()
		clients.Go(func() {
			defer client.Close()
			for i := 0; ; i++ {
				text, method := request("GET", "/", ""), "GET"
				if i%2 == 1 {
					text, method = request("POST", "/", "body"), "POST"
				}
				_, err := client.Conn.Write([]byte(text))
				a, readErr := client.tryRead(method)
				if err = errors.Join(err, readErr); err != nil || a.status != 200 {
					lost.Add(1)
					t.Errorf("request %d of a client: %v", i, err)
					return
				}
				answered.Add(1)
				if a.close {
					return
				}
			}
		})
	}
	eventually(t, "some load", func() bool { return answered.Load() > 500 })
	stopped := r.stop(t.Context())
	clients.Wait()
	expectStopped(t, stopped, nil)
	t.Logf("%d requests served, %d lost", answered.Load(), lost.Load())
}

func TestDisableKeepAlives_oneResponse(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startEcho(t, "pod-a"))
	before := r.dial()
	before.get("/").expectOK(t, "")
	r.server.DisableKeepAlives()
	for _, client := range []*caller{before, r.dial()} {
		a := client.get("/")
		a.expectOK(t, "")
		if !a.close {
			t.Error("the response has no Connection: close")
		}
		client.expectClosed()
	}
}

func TestShutdown_idleConnections(t *testing.T) {
	r, addr := tlsRig(t, quick(func(o *exchange.Timeouts) { o.Head, o.Idle = farOff, farOff }))
	r.serve(nil, startEcho(t, "pod-a"))
	fresh, used, shaking := r.dial(), r.dial(), callTo(t, addr)
	freshTLS, _ := dialTLS(t, addr, "shop.example")
	usedTLS, _ := dialTLS(t, addr, "shop.example", tls12)
	used.get("/").expectOK(t, "")
	usedTLS.get("/").expectOK(t, "")
	expectStopped(t, r.stop(t.Context()), nil)
	for _, client := range []*caller{fresh, used, shaking, freshTLS, usedTLS} {
		client.expectClosed()
	}
}

func TestShutdown_waitsForRequests(t *testing.T) {
	r := newRig(t)
	release := make(chan struct{})
	p := startPod(t, "pod-a", func(c *podConn) {
		c.request()
		<-release
		c.answer("late")
	})
	r.serve(nil, p)
	client, sender := r.dial(), r.dial()
	client.send(request("GET", "/", ""))
	sender.send("POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 4\r\n\r\n")
	eventually(t, "the requests to arrive", func() bool { return len(p.requests()) == 2 })
	stopped := r.stop(t.Context())
	eventually(t, "new connections to be refused", func() bool {
		conn, err := net.Dial("tcp", r.addr)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	sender.send("body")
	close(release)
	for _, c := range []*caller{client, sender} {
		a := c.read("GET")
		a.expectOK(t, "late")
		if !a.close {
			t.Error("the response has no Connection: close")
		}
		c.Close()
	}
	expectStopped(t, stopped, nil)
}

// A request on a connection that was idle a moment ago is served still.
func TestShutdown_lastRequest(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startEcho(t, "pod-a"))
	client := r.dial()
	client.get("/").expectOK(t, "")
	stopped := r.stop(t.Context())
	a := client.get("/")
	a.expectOK(t, "")
	if !a.close {
		t.Error("the response has no Connection: close")
	}
	client.expectClosed()
	client.Close()
	expectStopped(t, stopped, nil)
}

func TestShutdown_deadline(t *testing.T) {
	r := newRig(t)
	p := startSocket(t, "")
	r.serve(nil, p)
	client := r.upgrade("")
	ctx, cancel := context.WithCancel(t.Context())
	stopped := r.stop(ctx)
	client.send("still")
	client.expect("still")
	cancel()
	expectStopped(t, stopped, context.Canceled)
	client.expectClosed()
	eventually(t, "the pod to notice", func() bool { return p.connections() == 0 })
}

// Close does not wait for clients that do not read, not even to send TLS alerts.
func TestClose_endsAllRequests(t *testing.T) {
	r, addr := tlsRig(t)
	p := startPod(t, "pod-a", func(c *podConn) {
		c.head()
		c.say("HTTP/1.1 200 OK\r\n\r\n")
		for c.say(mebibyte) {
		}
	})
	r.serve(nil, p)
	for range 5 {
		deaf, _ := dialTLS(t, addr, "shop.example")
		deaf.send(request("GET", "/", ""))
	}
	eventually(t, "the requests to arrive", func() bool { return len(p.requests()) == 5 })
	began := time.Now()
	r.server.Close()
	eventually(t, "everything to end", r.server.conns.empty)
	if took := time.Since(began); took >= 5*time.Second { // the timeout of crypto/tls for close_notify
		t.Errorf("closing took %s", took)
	}
}

func TestShutdown_serveReturns(t *testing.T) {
	r := newRig(t)
	expectStopped(t, r.stop(t.Context()), nil)
	l := loopback(t)
	if err := r.server.Serve(l); err != nil {
		t.Errorf("Serve returned %v", err)
	}
	if _, err := net.Dial("tcp", l.Addr().String()); err == nil {
		t.Error("its listener is open")
	}
	r.server.Close()
}

// postOn sends POST requests one after the other, counts the correct responses, and returns the error of the request
// that got no response. An incorrect response fails the test, and ends it too.
func postOn(ctx context.Context, t *testing.T, c *http.Client, url string, answered *atomic.Int64) error {
	for {
		q, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("body"))
		if err != nil {
			return err
		}
		answer, err := c.Do(q)
		if err != nil {
			return err
		}
		body, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != http.StatusOK || string(body) != "body" {
			t.Errorf("after %d requests: %d %q, %v", answered.Load(), answer.StatusCode, body, err)
			return nil
		}
		answered.Add(1)
	}
}

// GOAWAY notifies HTTP/2 clients which of their streams are still served. No pod has received the requests that are
// refused afterwards.
func TestShutdown_underLoadHTTP2(t *testing.T) {
	r := newRig(t)
	r.serve(cookieAffinity(), startEcho(t, "pod-a"), startEcho(t, "pod-b"))
	var answered atomic.Int64
	var clients sync.WaitGroup
	for range 4 {
		c := http2Client(t)
		for range 4 {
			clients.Go(func() {
				err := postOn(t.Context(), t, c, "http://"+r.addr+"/", &answered)
				if err != nil && !errors.Is(err, syscall.ECONNREFUSED) {
					t.Errorf("after %d requests: %v", answered.Load(), err)
				}
			})
		}
	}
	eventually(t, "some load", func() bool { return answered.Load() > 500 })
	stopped := r.stop(t.Context())
	clients.Wait()
	expectStopped(t, stopped, nil)
}

// Messages sent over a WebSocket before it is closed arrive, in both directions and in order.
func TestShutdown_webSocketsUnderLoad(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startWebSocket(t, "pod-a", ""))
	var echoed atomic.Int64
	var clients sync.WaitGroup
	for range 8 {
		c := r.upgrade("")
		clients.Go(func() {
			for i := 0; ; i++ {
				said, heard := []byte{byte(i), byte(i >> 8)}, make([]byte, 2)
				if _, err := c.Write(said); err != nil {
					return
				}
				if n, err := io.ReadFull(c.r, heard); err != nil {
					if errors.Is(err, os.ErrDeadlineExceeded) {
						t.Errorf("%d bytes of a message came", n)
					}
					return
				}
				if !bytes.Equal(said, heard) {
					t.Errorf("sent %x, received %x", said, heard)
					return
				}
				echoed.Add(1)
			}
		})
	}
	eventually(t, "some load", func() bool { return echoed.Load() > 500 })
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	stopped := r.stop(ctx)
	before := echoed.Load()
	eventually(t, "more load", func() bool { return echoed.Load() > before+500 })
	clients.Wait()
	expectStopped(t, stopped, nil)
}
