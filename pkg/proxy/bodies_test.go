package proxy

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// mebibyte is a body that fits in no buffer.
var mebibyte = strings.Repeat("0123456789abcde\n", 1<<16)

func chunked(chunks ...string) string {
	var b strings.Builder
	for _, c := range chunks {
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(c), c)
	}
	return b.String() + "0\r\n\r\n"
}

const chunkedPost = "POST / HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\n\r\n"

func TestBodies_requests(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startEcho(t, "pod-a"))
	client := r.dial()
	for _, c := range []struct{ name, text, want string }{
		{"empty", request("POST", "/", ""), ""},
		{"a length", request("POST", "/", "body"), "body"},
		{"1 MiB", request("POST", "/", mebibyte), mebibyte},
		{"a body of GET", request("GET", "/", "body"), "body"},
		{"no chunks", chunkedPost + chunked(), ""},
		{"chunks", chunkedPost + chunked("bo", "d", "y"), "body"},
		{"chunks with extensions", chunkedPost + "2;a=b\r\nbo\r\n2;c\r\ndy\r\n0;d\r\n\r\n", "body"},
		{"1 MiB in chunks", chunkedPost + chunked(mebibyte[:1000], mebibyte[1000:]), mebibyte},
		{"1 MiB in small chunks", chunkedPost + chunked(strings.SplitAfter(mebibyte, "\n")...), mebibyte},
	} {
		client.send(c.text)
		a := client.read("POST")
		a.expectOK(t, c.want)
		if a.close {
			t.Fatalf("%s: the connection is closed", c.name)
		}
	}
}

func TestRequest_framing(t *testing.T) {
	r := newRig(t)
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	for _, c := range []struct{ text, length, coding string }{
		{request("GET", "/", ""), "", ""},
		{request("POST", "/", ""), "Content-Length: 0", ""},
		{request("POST", "/", "body"), "Content-Length: 4", ""},
		{chunkedPost + chunked("body"), "", "Transfer-Encoding: chunked"},
	} {
		client := r.dial()
		client.send(c.text)
		client.read("POST").expectStatus(t, 200)
		all := p.requests()
		head := all[len(all)-1]
		length := strings.Join(fieldLines(head, "Content-Length"), "|")
		coding := strings.Join(fieldLines(head, "Transfer-Encoding"), "|")
		if length != c.length || coding != c.coding {
			t.Errorf("%.20q: the pod was sent %q and %q", c.text, length, coding)
		}
	}
}

// The name is in the buffer that the rest of the response is read into.
func TestTrailers_namedByConnection(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startPod(t, "pod-a", func(c *podConn) {
		c.head()
		c.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: X-Hop\r\n\r\n" +
			"100000\r\n" + mebibyte + "\r\n0\r\nX-Hop: 1\r\nX-End: 1\r\n\r\n")
		c.untilClosed()
	}))
	a := r.dial().get("/")
	a.expectOK(t, mebibyte)
	if len(a.trailer) != 1 || a.trailer.Get("X-End") != "1" {
		t.Errorf("the trailers are %v", a.trailer)
	}
}

func TestTrailers_bothDirections(t *testing.T) {
	r := newRig(t)
	p := startPod(t, "pod-a", func(c *podConn) {
		for req := c.request(); req != nil; req = c.request() {
			io.Copy(io.Discard, req.Body)
			c.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n")
			c.say("4\r\nbody\r\n0\r\nX-Sum: " + req.Trailer.Get("X-Sum") + "\r\nContent-Length: 9\r\n\r\n")
		}
	})
	r.serve(nil, p)
	client := r.dial()
	for range 2 {
		client.send("POST / HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n" +
			"Trailer: X-Sum\r\nConnection: TE\r\n\r\n4\r\nbody\r\n0\r\nX-Sum: 42\r\nAuthorization: none\r\n\r\n")
		a := client.read("POST")
		a.expectOK(t, "body")
		if got := a.trailer.Get("X-Sum"); got != "42" || len(a.trailer["Content-Length"]) > 0 {
			t.Errorf("the trailers are %v", a.trailer)
		}
	}
	head := p.requests()[0]
	if len(fieldLines(head, "Trailer")) != 1 || len(fieldLines(head, "TE")) != 1 {
		t.Errorf("the pod was sent %q", head)
	}
}

func TestBodies_responses(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	const inChunks = ok + "Transfer-Encoding: chunked\r\n\r\n"
	lines := strings.SplitAfter(mebibyte, "\n")
	for _, c := range []struct {
		name, text, want string
		more             bool // the connection stays open
	}{
		{"empty", ok + "Content-Length: 0\r\n\r\n", "", true},
		{"a length", ok + "Content-Length: 4\r\n\r\nbody", "body", true},
		{"1 MiB", ok + fmt.Sprintf("Content-Length: %d\r\n\r\n", len(mebibyte)) + mebibyte, mebibyte, true},
		{"chunks", inChunks + chunked("bo", "dy"), "body", true},
		{"1 MiB in chunks", inChunks + chunked(mebibyte), mebibyte, true},
		{"1 MiB in small chunks", inChunks + chunked(lines...), mebibyte, true},
		{"until close", ok + "\r\nbody", "body", true},
		{"1 MiB until close", ok + "\r\n" + mebibyte, mebibyte, true},
		{"of HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\nbody", "body", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			r.serve(nil, startAnswering(t, "pod-a", c.text))
			client := r.dial()
			for range 2 {
				a := client.get("/")
				a.expectOK(t, c.want)
				if a.close == c.more {
					t.Errorf("the response has Connection: close: %v", a.close)
				}
			}
			client = r.dial()
			client.send("GET / HTTP/1.0\r\nHost: shop.example\r\nConnection: keep-alive\r\n\r\n")
			client.read("GET").expectOK(t, c.want)
		})
	}
}

func TestHTTP10_noChunks(t *testing.T) {
	r := newRig(t)
	p := startAnswering(t, "pod-a", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"+chunked("bo", "dy"))
	r.serve(nil, p)
	client := r.dial()
	client.send("GET / HTTP/1.0\r\nHost: shop.example\r\nConnection: keep-alive\r\n\r\n")
	if got := client.rest(); !strings.HasSuffix(got, "Connection: close\r\n\r\nbody") || strings.Contains(got, "chunked") {
		t.Errorf("got %q", got)
	}
}

func TestHTTP10_keepAlive(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startEcho(t, "pod-a"))
	client := r.dial()
	for range 3 {
		client.send("POST / HTTP/1.0\r\nHost: shop.example\r\nConnection: Keep-Alive\r\nContent-Length: 4\r\n\r\nbody")
		a := client.read("POST")
		a.expectOK(t, "body")
		if got := a.header.Get("Connection"); got != "keep-alive" {
			t.Fatalf("Connection is %q", got)
		}
	}
}

func TestKeepAlive_responseWithoutBody(t *testing.T) {
	for _, c := range []struct {
		method, head, length string
		status               int
	}{
		{"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", "1000", 200},
		{"HEAD", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "", 200},
		{"HEAD", "HTTP/1.1 200 OK\r\n\r\n", "", 200},
		{"GET", "HTTP/1.1 204 No Content\r\n\r\n", "", 204},
		{"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 1000\r\nETag: \"a\"\r\n\r\n", "1000", 304},
		{"GET", "HTTP/1.1 304 Not Modified\r\n\r\n", "", 304},
	} {
		t.Run(fmt.Sprint(c.method, c.status), func(t *testing.T) {
			r := newRig(t)
			p := startPod(t, "pod-a", func(conn *podConn) {
				for conn.head() != "" && conn.say(c.head) {
				}
			})
			r.serve(nil, p)
			client := r.dial()
			for range 3 {
				client.send(request(c.method, "/", ""))
				a := client.read(c.method)
				a.expectStatus(t, c.status)
				if got := a.header.Get("Content-Length"); got != c.length || a.close {
					t.Errorf("Content-Length %q, close %v", got, a.close)
				}
			}
			if p.accepted() != 1 {
				t.Errorf("the pod has seen %d connections, want 1", p.accepted())
			}
		})
	}
}

// The pod echoes while the client still sends: neither waits for the other to end.
func TestBodies_bothDirections(t *testing.T) {
	r := newRig(t)
	p := startPod(t, "pod-a", func(c *podConn) {
		req := c.request()
		c.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		for body := bufio.NewReader(req.Body); ; {
			line, err := body.ReadString('\n')
			if err != nil {
				c.say("0\r\n\r\n")
				return
			}
			c.say(fmt.Sprintf("%x\r\n%s\r\n", len(line), line))
		}
	})
	r.serve(nil, p)
	client := r.dial()
	client.send(chunkedPost)
	resp, err := http.ReadResponse(client.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer := bufio.NewReader(resp.Body)
	for i := range 100 {
		word := fmt.Sprintf("word %d\n", i)
		client.send(fmt.Sprintf("%x\r\n%s\r\n", len(word), word))
		if got, err := answer.ReadString('\n'); got != word || err != nil {
			t.Fatalf("got %q, %v, want %q", got, err, word)
		}
	}
	client.send("0\r\n\r\n")
	if rest, err := io.ReadAll(answer); len(rest) > 0 || err != nil {
		t.Errorf("at the end came %q, %v", rest, err)
	}
}

func TestResponse_streams(t *testing.T) {
	r := newRig(t)
	words := make(chan string)
	p := startPod(t, "pod-a", func(c *podConn) {
		c.head()
		c.say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
		for word := range words {
			c.say(word)
		}
	})
	r.serve(nil, p)
	client := r.dial()
	client.send(request("GET", "/", ""))
	client.head()
	for i := range 10 {
		word := fmt.Sprintf("data: %d\n\n", i)
		words <- word
		client.expect(chunked(word)[:len(chunked(word))-len("0\r\n\r\n")])
	}
	close(words)
	client.expect("0\r\n\r\n")
}

func TestTrailers_thatOnlyLimpetMaySet(t *testing.T) {
	r := newRig(t)
	trailers := make(chan http.Header, 1)
	p := startPod(t, "pod-a", func(c *podConn) {
		for req := c.request(); req != nil; req = c.request() {
			io.Copy(io.Discard, req.Body)
			trailers <- req.Trailer
			c.say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody")
		}
	})
	affinity := cookieAffinity()
	affinity.MovedHeader = "X-Moved"
	byPolicy, reserved := routeTo(cart, affinity), routeTo(cart, nil)
	reserved.Backends[0].Reserved = []string{"X-Other", "X-Moved"}
	r.serve(nil, p)
	for _, route := range []model.Route{byPolicy, reserved} {
		r.publish(route)
		client := r.dial()
		client.send("POST / HTTP/1.1\r\nHost: shop.example\r\nTransfer-Encoding: chunked\r\nTE: trailers\r\n" +
			"Trailer: X-Sum\r\nConnection: TE\r\n\r\n4\r\nbody\r\n0\r\nX-Moved: gone\r\nX-Sum: 42\r\nX_moved: gone\r\n\r\n")
		client.read("POST").expectOK(t, "body")
		if got := <-trailers; len(got) != 1 || got.Get("X-Sum") != "42" {
			t.Errorf("the pod received the trailers %v", got)
		}
	}
}
