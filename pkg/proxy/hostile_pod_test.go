package proxy

import (
	"strings"
	"testing"
)

const okHead = "HTTP/1.1 200 OK\r\n"

// No part of a response that violates HTTP is forwarded, and its connection is not used again.
func TestResponse_invalidIs502(t *testing.T) {
	for _, c := range []struct{ name, text string }{
		{"nothing", ""},
		{"no HTTP at all", "SSH-2.0-OpenSSH_9.6\r\n"},
		{"HTTP/0.9", "<html>hello</html>"},
		{"HTTP/2", "HTTP/2.0 200 OK\r\n\r\n"},
		{"half a status line", "HTTP/1.1 20"},
		{"status of two digits", "HTTP/1.1 20 OK\r\n\r\n"},
		{"status below 100", "HTTP/1.1 042 OK\r\n\r\n"},
		{"half a head", okHead + "Content-Length: 4\r\n"},
		{"bare LF in the status line", "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n"},
		{"bare LF and a folded line", "HTTP/1.1 200 OK\nA: b\n c: d\n\n"},
		{"two lengths", okHead + "Content-Length: 4\r\nContent-Length: 9\r\n\r\nbody"},
		{"two lengths of equal value", okHead + "Content-Length: 4\r\nContent-Length: 04\r\n\r\nbody"},
		{"signed length", okHead + "Content-Length: -4\r\n\r\nbody"},
		{"both framings", okHead + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		{"unknown coding", okHead + "Transfer-Encoding: gzip\r\n\r\nbody"},
		{"folded line", okHead + "A: b\r\n c: d\r\n\r\n"},
		{"name with a space", okHead + "A B: c\r\n\r\n"},
		{"CR in a value", okHead + "A: b\rSet-Cookie: c=d\r\n\r\n"},
		{"LF in a value", okHead + "A: b\nSet-Cookie: c=d\r\n\r\n"},
		{"an empty line in a value", okHead + "A: b\n\nHTTP/1.1 200 OK\r\n\r\n"},
		{"CR in the reason", "HTTP/1.1 200 O\rK\r\nContent-Length: 0\r\n\r\n"},
		{"space before the colon", okHead + "Content-Length : 4\r\n\r\nbody"},
		{"listed lengths", okHead + "Content-Length: 4, 4\r\n\r\nbody"},
		{"chunked twice", okHead + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		{"chunked in HTTP/1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
		{"NUL in a value", okHead + "A: b\x00c\r\n\r\n"},
		{"head too large", okHead + "A: " + strings.Repeat("a", 100<<10) + "\r\n\r\n"},
		{"too many fields", okHead + strings.Repeat("A: b\r\n", 1000) + "\r\n"},
		{"endless 1xx", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 10000)},
		{"endless head", strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 16) + okHead},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			p := startAnswering(t, "pod-a", c.text)
			r.serve(cookieAffinity(), p)
			client := r.dial()
			client.send(request("POST", "/", "body"))
			a := client.read("POST")
			for a.status < 200 {
				a = client.read("POST")
			}
			a.expectStatus(t, 502)
			if a.cookie(t) != "" || a.close || strings.Contains(a.body, "OpenSSH") {
				t.Errorf("cookie %q, close %v, body %q", a.cookie(t), a.close, a.body)
			}
			client.send(request("POST", "/", "body"))
			for a = client.read("POST"); a.status < 200; a = client.read("POST") {
			}
			a.expectStatus(t, 502)
			if got := p.accepted(); got != 2 {
				t.Errorf("the pod has seen %d connections, want 2", got)
			}
		})
	}
}

// Deviations that allow only one interpretation are normalized, but the connection of such a pod is not used again
// (docs/adr/0051).
func TestResponse_normalized(t *testing.T) {
	const chunked = okHead + "Transfer-Encoding: chunked\r\n\r\n"
	for _, c := range []struct {
		name, text string
		reused     bool
	}{
		{"bare LF", "HTTP/1.1 200 OK\nContent-Length: 4\n\nbody", false},
		{"bare LF, interim before", "HTTP/1.1 103 Early Hints\nLink: a\n\nHTTP/1.1 200 OK\nContent-Length: 4\n\nbody", false},
		{"bare LF, chunked", "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n4\nbody\n0\n\n", false},
		{"bare LF between chunks", chunked + "4\nbody\n0\n\n", false},
		{"two equal lengths", okHead + "Content-Length: 4\r\nContent-Length: 4\r\n\r\nbody", false},
		{"blanks after a chunk size", chunked + "4  \r\nbody\r\n0   \r\n\r\n", true},
		{"HTTP/1.2", "HTTP/1.2 200 OK\r\nContent-Length: 4\r\n\r\nbody", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			p := startPod(t, "pod-a", func(conn *podConn) {
				for conn.head() != "" {
					conn.say(c.text)
				}
			})
			r.serve(nil, p)
			client := r.dial()
			for range 2 {
				client.send(request("GET", "/", ""))
				a := client.read("GET")
				for a.status < 200 {
					a = client.read("GET")
				}
				a.expectOK(t, "body")
				if got := a.header.Values("Content-Length"); len(got) > 1 {
					t.Errorf("the client receives the lengths %q", got)
				}
			}
			if want := map[bool]int{true: 1, false: 2}[c.reused]; p.accepted() != want {
				t.Errorf("the pod has seen %d connections, want %d", p.accepted(), want)
			}
		})
	}
}

func TestInterim_onlyInterimResponses(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startPod(t, "pod-a", func(c *podConn) {
		c.head()
		for c.say("HTTP/1.1 102 Processing\r\n\r\n") {
		}
	}))
	client := r.dial()
	a := client.get("/")
	for n := 0; a.status == 102; n++ {
		if a = client.read("GET"); n > 16 {
			t.Fatal("more and more of them are passed on")
		}
	}
	a.expectStatus(t, 502)
}

// Once the head has been forwarded, Limpet can signal the failure only by ending the connection before the end of the
// response.
func TestTruncated_http1(t *testing.T) {
	for _, c := range []struct {
		name string
		end  func(*podConn)
		text string
		want string // the part of the body that the client received
	}{
		{"short of its length", nil, okHead + "Content-Length: 10\r\n\r\nbody", "body"},
		{"amid its chunks", nil, okHead + "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n", "body"},
		{"amid a chunk", nil, okHead + "Transfer-Encoding: chunked\r\n\r\n9\r\nbody", "body"},
		{"amid the trailers", nil, okHead + "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\nA: b\r\n", "body"},
		{"bad chunk", nil, okHead + "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\nzz\r\n", "body"},
		{"reset amid a body until close", (*podConn).reset, okHead + "\r\nbody", "body"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			passed := make(chan struct{})
			r.serve(nil, startPod(t, "pod-a", func(conn *podConn) {
				conn.head()
				conn.say(c.text)
				<-passed
				if c.end != nil {
					c.end(conn)
				}
			}))
			client := r.dial()
			client.send(request("GET", "/", ""))
			go func() { client.r.Peek(1); close(passed) }()
			<-passed
			a := client.read("GET")
			a.expectStatus(t, 200)
			if a.err == nil {
				t.Errorf("the truncated response looks complete, with the body %q", a.body)
			}
			if a.body != c.want {
				t.Errorf("of the body came %q, want %q", a.body, c.want)
			}
		})
	}
}

// To a client of HTTP/1.0 the end of the connection is the end of the response, unless it is a reset.
func TestTruncated_http10IsReset(t *testing.T) {
	r := newRig(t)
	say := make(chan struct{})
	r.serve(nil, startPod(t, "pod-a", func(c *podConn) {
		c.head()
		c.say(okHead + "Transfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n")
		<-say
	}))
	client := r.dial()
	client.send("GET / HTTP/1.0\r\nHost: shop.example\r\n\r\n")
	client.head()
	client.expect("body")
	close(say)
	if b, err := client.r.ReadByte(); err == nil || err.Error() == "EOF" {
		t.Errorf("after half a response got %q, %v, want a reset", b, err)
	}
}

// A status outside the classes of HTTP must not make Limpet fail.
func TestResponse_unknownStatus(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startAnswering(t, "pod-a", "HTTP/1.1 999 Never heard of\r\nContent-Length: 2\r\n\r\nok"))
	client := r.dial()
	for range 2 {
		a := client.get("/")
		a.expectStatus(t, 999)
	}
	r.expectMetric(`limpet_requests_total{code="0xx",pool="shop/cart:80"}`, 2)
}

// Hop-by-hop fields of the pod's side say nothing about the client's side.
func TestHopByHop_responseFields(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startAnswering(t, "pod-a", okHead+"Connection: close, X-Hop\r\nX-Hop: a\r\nKeep-Alive: timeout=5\r\n"+
		"Proxy-Authenticate: Basic\r\nUpgrade: h2c\r\nX-End: b\r\nContent-Length: 2\r\n\r\nok"))
	client := r.dial()
	for range 2 {
		a := client.get("/")
		a.expectOK(t, "ok")
		for _, name := range []string{"Connection", "X-Hop", "Keep-Alive", "Proxy-Authenticate", "Upgrade"} {
			if got := a.header.Get(name); got != "" {
				t.Errorf("%s: %s is passed on", name, got)
			}
		}
		if got := a.header.Get("X-End"); got != "b" {
			t.Errorf("X-End is %q", got)
		}
	}
}

// No client gets what a pod sends beyond its response. (What it sends once the next request has been written to it
// cannot be distinguished from a response to that request.)
func TestResponse_secondIsDiscarded(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startPod(t, "pod-a", func(c *podConn) {
		for head := c.head(); head != ""; head = c.head() {
			path := strings.Fields(head)[1]
			c.say(okHead + "Content-Length: 2\r\n\r\n" + path + okHead + "Content-Length: 4\r\n\r\nmore")
		}
	}))
	for _, path := range []string{"/a", "/b", "/c", "/d"} {
		r.dial().get(path).expectOK(t, path)
	}
}
