package proxy

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// stopClock makes the server's clock stand still: no timeout passes, and no connection comes to rest.
func (r *rig) stopClock() { close(r.server.sweeperDone) }

// Requests that arrive during another exchange are noticed as soon as it ends, not when the connection becomes idle.
func TestPipelining_noWait(t *testing.T) {
	r := newRig(t)
	r.stopClock()
	begun, end := make(chan struct{}), make(chan struct{})
	pod := startBackend(t, nil, func(_ http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/slow" {
			begun <- struct{}{}
			<-end
		}
	})
	r.replace(cart, model.Endpoint{ID: "uid-a", Pod: "pod-a", Address: addressOf(pod), State: model.EndpointReady})
	r.publish(routeTo(cart, nil))
	c := r.dial()
	c.get("/").expectOK(t, "")
	for range 3 {
		c.send(request("GET", "/slow", ""))
		<-begun
		c.send(request("GET", "/", ""))
		end <- struct{}{}
		c.read("GET").expectOK(t, "")
		c.read("GET").expectOK(t, "")
	}
}

// Many requests in one piece fill the buffer, the last of them exactly.
func TestPipelining_fullBuffer(t *testing.T) {
	r := newRig(t)
	r.stopClock()
	r.serve(nil, startEcho(t, "pod-a"))
	c := r.dial()
	c.get("/").expectOK(t, "")
	const size, n = 512, 96 // three buffers
	plain := request("GET", "/", "")
	one := strings.Replace(plain, "\r\n\r\n", "\r\nX-Pad: "+strings.Repeat("p", size-len(plain)-len("\r\nX-Pad: "))+"\r\n\r\n", 1)
	if len(one) != size {
		t.Fatalf("a request has %d bytes", len(one))
	}
	c.send(strings.Repeat(one, n))
	for range n {
		c.read("GET").expectOK(t, "")
	}
}

// Closing a socket waits for those who use it. The server does not wait for a pod.
func TestClose_doesNotWaitForPods(t *testing.T) {
	r := newRig(t)
	begun := make(chan struct{})
	pod := startBackend(t, nil, func(_ http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/slow" {
			close(begun)
			<-q.Context().Done()
		}
	})
	r.replace(cart, model.Endpoint{ID: "uid-a", Pod: "pod-a", Address: addressOf(pod), State: model.EndpointReady})
	r.publish(routeTo(cart, nil))
	c := r.dial()
	c.get("/").expectOK(t, "")
	c.send(request("GET", "/slow", ""))
	<-begun
	closed := make(chan struct{})
	go func() { r.server.Close(); close(closed) }()
	select {
	case <-closed:
	case <-time.After(testTimeout):
		t.Error("it waits")
	}
	c.expectClosed()
	pod.CloseClientConnections()
}
