package proxy

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// announced is the head of a request with a body that is much longer than what all buffers on the way hold.
const announced = "POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 100000000\r\n\r\n"

const tooLarge = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nno\n"

// The pod responds and does not care for the rest of the body. The response must get through although the client is
// still sending, and the connection cannot be used again.
func TestEarlyResponse_forwarded(t *testing.T) {
	for name, script := range map[string]func(*podConn){
		"and the pod reads no more": func(c *podConn) {
			c.head()
			c.say(tooLarge)
			c.untilClosed()
		},
		"and the pod closes": func(c *podConn) {
			c.head()
			c.say(tooLarge)
		},
		"and the pod ends its side": func(c *podConn) {
			c.head()
			c.say(tooLarge)
			c.Conn.(interface{ CloseWrite() error }).CloseWrite()
			c.untilClosed()
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			p := startPod(t, "pod-a", script)
			r.serve(nil, p)
			client := r.dial()
			client.send(announced)
			a := client.read("POST")
			a.expectStatus(t, 413)
			if a.body != "no\n" || !a.close {
				t.Errorf("got %q, close %v", a.body, a.close)
			}
			eventually(t, "the pod's connection to be closed", func() bool { return p.connections() == 0 })
		})
	}
}

// A simple client sends the whole body before it looks at the response. It must be able to.
func TestEarlyResponse_clientStillSending(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startAnswering(t, "pod-a", tooLarge))
	client := r.dial()
	client.send(fmt.Sprintf("POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: %d\r\n\r\n", 8*len(mebibyte)))
	for range 8 {
		client.send(mebibyte)
	}
	client.read("POST").expectStatus(t, 413)
	client.expectClosed()
}

// Chromium must be able to read an early response over HTTP/3. After STOP_SENDING it does not read the response, so
// Limpet lets it send the whole body.
func TestEarlyResponse_http3(t *testing.T) {
	for name, serve := range map[string]func(*testing.T, *rig){
		"a pod's": func(t *testing.T, r *rig) { r.serve(nil, startAnswering(t, "pod-a", tooLarge)) },
		"our own": func(_ *testing.T, r *rig) { r.publish() },
	} {
		t.Run(name, func(t *testing.T) {
			r, addr := http3Rig(t)
			serve(t, r)
			body := &sentBody{Reader: strings.NewReader(strings.Repeat(mebibyte, 8))}
			answer, err := http3Client(t).Do(newRequest(t, http.MethodPost, "https://"+addr+"/", body))
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if answer.StatusCode/100 != 4 {
				t.Errorf("status %d", answer.StatusCode)
			}
			eventually(t, "the body to be sent whole", body.sent.Load)
		})
	}
}

// sentBody knows whether it has been read to its end.
type sentBody struct {
	io.Reader
	sent atomic.Bool
}

func (b *sentBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if err == io.EOF {
		b.sent.Store(true)
	}
	return n, err
}

// The wait for the body is bounded: a client that keeps its request open without sending does not keep the stream.
func TestEarlyResponse_http3StalledBody(t *testing.T) {
	r, addr := http3Rig(t)
	r.publish()
	body, held := io.Pipe()
	defer held.Close()
	answer, err := http3Client(t).Do(newRequest(t, http.MethodPost, "https://"+addr+"/", body))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	eventually(t, "the stream to end", func() (ended bool) {
		r.server.http3.clients.Range(func(_, c any) bool {
			ended = c.(*client).guards.isEmptySince(r.server.Clock())
			return true
		})
		return ended
	})
}

// Responses that Limpet generates itself do not wait for a body either.
func TestEarlyResponse_longUnusedBody(t *testing.T) {
	r := newRig(t)
	r.publish()
	client := r.dial()
	client.send(announced)
	a := client.read("POST")
	a.expectStatus(t, 404)
	if !a.close {
		t.Error("the response has no Connection: close")
	}
	client.send(mebibyte)
	client.Conn.Close()
}

// A body that was received completely is no reason to close the connection, neither after a pod's response nor after
// Limpet's own.
func TestEarlyResponse_shortUnusedBody(t *testing.T) {
	r := newRig(t)
	r.publish()
	client := r.dial()
	for _, text := range []string{request("POST", "/", "body"), chunkedPost + chunked("bo", "dy")} {
		client.send(text)
		if a := client.read("POST"); a.status != 404 || a.close {
			t.Errorf("got %d, close %v", a.status, a.close)
		}
	}
	client.get("/").expectStatus(t, 404)
}

// The pod hangs up without a response while the client still sends: the pod's fault, not the client's.
func TestUpload_podClosesConnection(t *testing.T) {
	for name, script := range map[string]func(*podConn){
		"after the head":    func(c *podConn) { c.head() },
		"amid the body":     func(c *podConn) { c.head(); io.CopyN(io.Discard, c.Reader, 100000) },
		"amid its response": func(c *podConn) { c.head(); c.say("HTTP/1.1 200 O") },
		"with no HTTP":      func(c *podConn) { c.head(); c.say("what?\r\n\r\n"); c.untilClosed() },
		"amid the last 1xx": func(c *podConn) { c.head(); c.say("HTTP/1.1 102 Processing\r\n\r\n") },
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.serve(nil, startPod(t, "pod-a", script))
			client := r.dial()
			client.send(announced)
			go io.Copy(client.Conn, strings.NewReader(mebibyte)) // until the connection ends
			a := client.read("POST")
			for a.status == http.StatusProcessing {
				a = client.read("POST")
			}
			a.expectStatus(t, 502)
			if !a.close {
				t.Error("the response has no Connection: close")
			}
		})
	}
}

// A client that disconnects during its body leaves nothing behind, and its pod notices.
func TestClientClose_duringBody(t *testing.T) {
	for name, head := range map[string]string{"with a length": announced, "in chunks": chunkedPost + "fffff\r\n"} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			p := startPod(t, "pod-a", func(c *podConn) { c.head(); c.untilClosed() })
			r.serve(nil, p)
			client := r.dial()
			client.send(head + "some of it")
			eventually(t, "the request to arrive", func() bool { return len(p.requests()) == 1 })
			client.Close()
			eventually(t, "the pod's connection to be closed", func() bool { return p.connections() == 0 })
			eventually(t, "the client's connection to be closed", r.server.conns.empty)
			r.expectMetric(`limpet_requests_total{code="4xx",pool="shop/cart:80"}`, 1)
		})
	}
}
