package proxy

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Requests that come while another one is being answered are noticed as soon as that is, not when the connection comes to
// rest.
func TestRequestsThatComeEarlyDoNotWait(t *testing.T) {
	r := newRig(t)
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
		before := time.Now()
		c.read("GET").expectOK(t, "")
		c.read("GET").expectOK(t, "")
		if took := time.Since(before); took > restAfter*time.Millisecond/2 {
			t.Errorf("the answers took %v", took)
		}
	}
}

// Many requests in one piece fill the buffer, the last of them exactly.
func TestRequestsThatFillTheBufferAreAnsweredAtOnce(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startEcho(t, "pod-a"))
	c := r.dial()
	c.get("/").expectOK(t, "")
	const size, n = 512, 96 // three buffers
	plain := request("GET", "/", "")
	one := strings.Replace(plain, "\r\n\r\n", "\r\nX-Pad: "+strings.Repeat("p", size-len(plain)-len("\r\nX-Pad: "))+"\r\n\r\n", 1)
	if len(one) != size {
		t.Fatalf("a request has %d bytes", len(one))
	}
	before := time.Now()
	c.send(strings.Repeat(one, n))
	for range n {
		c.read("GET").expectOK(t, "")
	}
	if took := time.Since(before); took > restAfter*time.Millisecond/2 {
		t.Errorf("the answers took %v", took)
	}
}

// Closing a socket waits for those who use it. The server does not wait for a pod.
func TestCloseDoesNotWaitForPods(t *testing.T) {
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
	before := time.Now()
	r.server.Close()
	if took := time.Since(before); took > time.Second {
		t.Errorf("it took %v", took)
	}
	c.expectClosed()
	pod.CloseClientConnections()
}
