package proxy

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// truncatedResponses are responses of each framing, with the same body.
var truncatedResponses = map[string]string{
	"length":      okHead + "Content-Length: 11\r\nX-Pod: a\r\n\r\nhello world",
	"chunked":     okHead + "Transfer-Encoding: chunked\r\n\r\n6;x=y\r\nhello \r\n5\r\nworld\r\n0\r\nX-Sum: 1\r\n\r\n",
	"until close": okHead + "X-Pod: a\r\n\r\nhello world",
	"after 103":   "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + okHead + "Content-Length: 11\r\n\r\nhello world",
}

const cutBody = "hello world"

// cut is a pod's reaction to one request: it sends the text and ends the connection.
type cut struct {
	text  string
	reset bool
}

// startCutting runs a pod that does what next holds with the first request of each connection, and responds to /next.
func startCutting(t *testing.T, next *atomic.Pointer[cut]) *pod {
	return startPod(t, "pod-a", func(c *podConn) {
		for {
			r := c.request()
			if r == nil {
				return
			}
			io.Copy(io.Discard, r.Body)
			if r.URL.Path == "/next" {
				c.answer("next")
				continue
			}
			do := next.Load()
			c.say(do.text)
			if do.reset {
				c.reset()
			}
			return
		}
	})
}

// Wherever a response ends, by a FIN or a RST, the client gets it whole, or sees that it is not, or gets 502; and the
// next request has a connection that works.
func TestTruncated_atEveryByte(t *testing.T) {
	var next atomic.Pointer[cut]
	r := newRig(t)
	r.serve(nil, startCutting(t, &next))
	for name, text := range truncatedResponses {
		for _, reset := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, reset %v", name, reset), func(t *testing.T) {
				r.t = t
				for i := range len(text) + 1 {
					next.Store(&cut{text[:i], reset})
					a := r.askCut()
					if wrong := responseError(a, i == len(text) && !reset, name == "until close" && !reset); wrong != "" {
						t.Errorf("cut at %d, after %q: %s: %d %q, %v", i, text[:i], wrong, a.status, a.body, a.err)
					}
					r.dial().get("/next").expectOK(t, "next")
				}
			})
		}
	}
}

// askCut sends a POST, which is not retried, reads the final response, and checks that nothing follows it.
func (r *rig) askCut() *response {
	r.t.Helper()
	client := r.dial()
	defer client.Close()
	client.send(request("POST", "/", "body", "Connection: close"))
	a := client.read("POST")
	for a.status < 200 {
		a = client.read("POST")
	}
	if rest := client.rest(); rest != "" {
		r.t.Errorf("after the response got %q", rest)
	}
	return a
}

// responseError describes the error in the response that the client received. whole reports that the pod has sent all of it and ended well,
// open that any end of its body is a good one.
func responseError(a *response, whole, open bool) string {
	switch {
	case whole && (a.status != http.StatusOK || a.err != nil || a.body != cutBody):
		return "it is not passed on whole"
	case a.status == http.StatusBadGateway && a.err == nil:
		return ""
	case a.status != http.StatusOK:
		return "a status that no pod sent"
	case !strings.HasPrefix(cutBody, a.body):
		return "a body that no pod sent"
	case a.err == nil && a.body != cutBody && !open:
		return "half of it passes for the whole"
	}
	return ""
}

func TestTruncated_http2ClientAtEveryByte(t *testing.T) {
	var next atomic.Pointer[cut]
	r := newRig(t)
	r.serve(nil, startCutting(t, &next))
	client := http2Client(t)
	for name, text := range truncatedResponses {
		for i := range len(text) + 1 {
			next.Store(&cut{text: text[:i]})
			got, err := client.Do(newRequest(t, "POST", "http://"+r.addr+"/", strings.NewReader("body")))
			if err != nil {
				continue // RST_STREAM before the body
			}
			body, err := io.ReadAll(got.Body)
			got.Body.Close()
			a := &response{status: got.StatusCode, body: string(body), err: err}
			if wrong := responseError(a, i == len(text), name == "until close"); wrong != "" {
				t.Errorf("%s, cut at %d: %s: %d %q, %v", name, i, wrong, a.status, a.body, a.err)
			}
		}
	}
}

// A response whose status or request method excludes a body has no body, even if bytes follow its head. No client gets
// those bytes, and the connection is not used again.
func TestResponse_unexpectedBody(t *testing.T) {
	for _, c := range []struct{ name, method, text string }{
		{"204 with a length", "GET", "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil"},
		{"204 with chunks", "GET", "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n"},
		{"204 with bytes", "GET", "HTTP/1.1 204 No Content\r\n\r\nevil"},
		{"304 with a length", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\nevil"},
		{"304 with chunks", "GET", "HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nevil\r\n0\r\n\r\n"},
		{"HEAD with a length", "HEAD", okHead + "Content-Length: 4\r\n\r\nevil"},
		{"HEAD with a whole response", "HEAD", okHead + "Content-Length: 4\r\n\r\n" + okHead + "Content-Length: 4\r\n\r\nevil"},
		{"length 0 with bytes", "GET", okHead + "Content-Length: 0\r\n\r\nevil"},
		{"more than the length", "GET", okHead + "Content-Length: 2\r\n\r\nokevil"},
		{"more than the chunks", "GET", okHead + "Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\nevil"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			p := startPod(t, "pod-a", func(conn *podConn) {
				for head := conn.head(); head != ""; head = conn.head() {
					if strings.Contains(head, " /next ") {
						conn.answer("next")
						continue
					}
					conn.say(c.text)
				}
			})
			r.serve(nil, p)
			client := r.dial()
			for n := range 3 {
				client.send(request(c.method, "/", ""))
				if a := client.read(c.method); a.err != nil || strings.Contains(a.body, "evil") {
					t.Fatalf("got %d %q, %v", a.status, a.body, a.err)
				}
				client.get("/next").expectOK(t, "next")
				if got := p.accepted(); got != n+2 {
					t.Errorf("after %d such responses the pod has seen %d connections", n+1, got)
				}
			}
		})
	}
}
