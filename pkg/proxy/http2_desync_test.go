package proxy

import (
	"io"
	"testing"
)

// What a client says about the length of a WebSocket would otherwise make the pod take the next request on that connection, which
// may be another client's, for the body of the handshake.
func TestWebSocket_http2HandshakeWithoutBody(t *testing.T) {
	r := newRig(t)
	pod := startPod(t, "pod-a", func(c *podConn) {
		for q := c.request(); q != nil; q = c.request() {
			io.Copy(io.Discard, q.Body)
			c.answer("")
		}
	})
	r.serve(nil, pod)
	client := dialHTTP2(t, r.addr)
	client.must(client.open(1, false, append([]string{":path", "/a"}, append(connect[:8:8], "content-length", "9")...)...))
	client.outcome(1)
	r.dial().get("/next").expectOK(t, "")
	if length := fieldLines(pod.requests()[0], "Content-Length"); len(length) > 0 {
		t.Errorf("the pod received %q", length)
	}
}

// Over HTTP/1.1 it would pass for the response to the client's next request.
func TestResponse_bytesAfterBodiless(t *testing.T) {
	for status, method := range map[string]string{"204": "GET", "304": "GET", "200": "HEAD"} {
		t.Run(status, func(t *testing.T) {
			pod := startHTTP2(t, "pod-a", func(p *http2Pod, stream uint32) {
				p.head(stream, false, ":status", status, "content-length", "4")
				p.WriteData(stream, true, []byte("evil"))
			})
			r := newRig(t)
			r.serveBy(overHTTP2, nil, pod.addr)
			client := r.dial()
			client.send(request(method, "/", ""))
			if got := client.read(method); got.body != "" || status == "204" && got.header.Get("Content-Length") != "" {
				t.Errorf("got %v and %q", got.header, got.body)
			}
			client.expectClosed()
		})
	}
}
