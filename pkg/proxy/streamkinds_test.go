package proxy

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/observe"
)

// startStreaming runs a pod whose responses have the type that the path selects. They begin and do not end.
func startStreaming(tb testing.TB, name string) *pod {
	tb.Helper()
	return startPod(tb, name, func(c *podConn) {
		if path := strings.Fields(c.head()); len(path) > 1 {
			c.say("HTTP/1.1 200 OK\r\nContent-Type: " + path[1][1:] +
				"\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
			c.untilClosed()
		}
	})
}

// streaming maps paths of startStreaming to the kinds of stream that its responses are.
var streaming = map[string]string{
	"/text/event-stream;charset=utf-8": "events",
	"/Text/Event-Stream":               "events",
	"/application/grpc+proto":          "grpc",
	"/application/json":                "download",
}

// stream requests one of these paths over HTTP/1.1, and reads the beginning of the response.
func (r *rig) stream(path string) *caller {
	r.t.Helper()
	client := r.dial()
	client.send(request("GET", path, ""))
	client.head()
	client.expect("5\r\nfirst\r\n")
	return client
}

// streamHTTP2 does so over HTTP/2.
func (r *rig) streamHTTP2(path string) *peer {
	r.t.Helper()
	p := dialHTTP2(r.t, r.addr)
	p.must(p.open(1, true, ":method", "GET", ":scheme", "http", ":authority", "shop.example", ":path", path))
	if got := p.data(1, len("first")); got != "first" {
		r.t.Fatalf("the response begins with %q", got)
	}
	return p
}

// lasting makes responses count as streams almost immediately.
func lasting(o *Options) { o.LongStreamAfter = time.Millisecond }

func TestStreamKinds_counted(t *testing.T) {
	for path, kind := range streaming {
		for name, begin := range map[string]func(*rig){
			"HTTP/1.1": func(r *rig) { r.stream(path) },
			"HTTP/2":   func(r *rig) { r.streamHTTP2(path) },
		} {
			t.Run(name+path, func(t *testing.T) {
				r := newRig(t, lasting)
				say := make(chan string)
				r.serve(nil, startPod(t, "pod-a", func(c *podConn) {
					c.head()
					c.say("HTTP/1.1 200 OK\r\nContent-Type: " + path[1:] + "\r\n\r\nfirst")
					for text := range say {
						c.say(text)
					}
				}))
				begin(r)
				before := r.server.Clock()
				eventually(t, "some time to pass", func() bool { return r.server.Clock() > before })
				say <- "second"
				r.expectMetric(fmt.Sprintf("limpet_streams{kind=%q}", kind), 1)
				close(say)
				r.expectMetric(fmt.Sprintf("limpet_streams{kind=%q}", kind), 0)
			})
		}
	}
}

func TestStreamKinds_shortResponses(t *testing.T) {
	r := newRig(t)
	gone := make(chan struct{})
	r.serve(nil, startPod(t, "pod-a", func(c *podConn) {
		c.head()
		c.say("HTTP/1.1 200 OK\r\nContent-Type: application/grpc\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")
		<-gone
	}))
	r.stream("/")
	for kind := range observe.StreamKinds {
		if n := r.streams(kind); n > 0 {
			t.Errorf("%d streams of kind %d are open", n, kind)
		}
	}
	close(gone)
}

// streams returns the number of open streams of a kind.
func (r *rig) streams(kind observe.StreamKind) int {
	return r.server.LongStreams.Open(kind)
}

// expectBrokenOff checks that the client can notice that the response is incomplete.
func (c *caller) expectBrokenOff() {
	c.t.Helper()
	if rest := c.rest(); strings.HasSuffix(rest, "0\r\n\r\n") {
		c.t.Errorf("the response looks complete, ending in %q", rest)
	}
}

func (p *peer) expectBrokenOff() {
	p.t.Helper()
	f := p.await("the end of the stream", func(f http2.Frame) bool {
		h := f.Header()
		return h.StreamID == 1 && (h.Type == http2.FrameRSTStream || h.Flags.Has(http2.FlagDataEndStream))
	})
	if f.Header().Type != http2.FrameRSTStream {
		p.t.Errorf("the response looks complete, ending in %v", f)
	}
}

func TestShutdown_eventStreams(t *testing.T) {
	r := newRig(t)
	p := startStreaming(t, "pod-a")
	r.serve(nil, p)
	var clients []interface{ expectBrokenOff() }
	for range 3 {
		clients = append(clients, r.stream("/text/event-stream"), r.streamHTTP2("/text/event-stream"))
	}
	r.expectMetric(`limpet_streams{kind="events"}`, 6)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	stopped := r.stop(ctx)
	for left := 5; left >= 0; left-- {
		eventually(t, "another one to be closed", func() bool { return p.connections() <= left })
		if n := p.connections(); left > 1 && n < left-1 {
			t.Errorf("%d are open when %d should be", n, left)
		}
	}
	for _, c := range clients {
		c.expectBrokenOff()
	}
	expectStopped(t, stopped, nil)
}

// Only those are closed early that have no end of their own.
func TestShutdown_downloadsComplete(t *testing.T) {
	r := newRig(t, lasting)
	end := make(chan struct{})
	busy := make(chan struct{})
	r.serve(nil, startPod(t, "pod-a", func(c *podConn) {
		c.head()
		c.say("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nfirst")
		<-busy
		c.say(" ")
		<-end
		c.say("end")
	}))
	client := r.dial()
	client.send(request("GET", "/", ""))
	client.head()
	client.expect("first")
	before := r.server.Clock()
	eventually(t, "some time to pass", func() bool { return r.server.Clock() > before })
	close(busy)
	client.expect(" ")
	r.expectMetric(`limpet_streams{kind="download"}`, 1)
	events := r.dial()
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	stopped := r.stop(ctx)
	events.expectClosed() // which was idle: Stop is at work
	close(end)
	client.expect("end")
	client.expectClosed()
	expectStopped(t, stopped, nil)
}

// If a response ends with its connection, only a reset distinguishes truncation from its end.
func TestShutdown_untilCloseIsReset(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startStreaming(t, "pod-a"))
	client := r.dial()
	client.send("GET /text/event-stream HTTP/1.0\r\nHost: shop.example\r\n\r\n")
	client.head()
	client.expect("first")
	r.expectMetric(`limpet_streams{kind="events"}`, 1)
	r.server.LongStreams.CloseDownTo(observe.StreamEvents, 0)
	if b, err := io.ReadAll(client.r); err == nil {
		t.Errorf("the response looks complete, ending in %q", b)
	}
}

// A client that does not read delays no other client.
func TestShutdown_unreadDownload(t *testing.T) {
	r := newRig(t, lasting)
	more := make(chan struct{})
	p := startPod(t, "pod-a", func(c *podConn) {
		c.head()
		c.say("HTTP/1.1 200 OK\r\n\r\nfirst")
		<-more
		for c.say(mebibyte) {
		}
	})
	r.serve(nil, p)
	r.stream("/")
	before := r.server.Clock()
	eventually(t, "some time to pass", func() bool { return r.server.Clock() > before })
	close(more)
	r.expectMetric(`limpet_streams{kind="download"}`, 1)
	eventually(t, "the way to be full", func() bool { return r.server.waitsForClient() })
	r.server.LongStreams.CloseDownTo(observe.StreamDownload, 0)
	r.expectMetric(`limpet_streams{kind="download"}`, 0)
	eventually(t, "the pod to notice", func() bool { return p.connections() == 0 })
}

// waitsForClient reports whether the same wait of some client connection has lasted for some time.
func (s *Server) waitsForClient() (waits bool) {
	s.conns.each(func(c *client) {
		until := c.guard.Deadline()
		waits = waits || until > 0 && s.After(s.Timeouts.Body)-until > 2*sweepInterval.Milliseconds()
	})
	return waits
}

func TestConfigurationChange_keepsStreams(t *testing.T) {
	r := newRig(t)
	a, b := startStreaming(t, "pod-a"), startStreaming(t, "pod-b")
	r.serve(nil, a)
	client, second := r.stream("/text/event-stream"), r.streamHTTP2("/text/event-stream")
	for _, change := range []func(){
		func() { r.publish(routeTo(blog, cookieAffinity())) },
		func() { r.publish() },
		func() { r.replace(cart, endpointsOf(a, b)...) },
		func() { r.replace(cart, a.endpoint(model.EndpointDraining), b.endpoint(model.EndpointReady)) },
		func() { r.replace(cart, endpointsOf(b)...) },
	} {
		change()
		r.expectMetric(`limpet_streams{kind="events"}`, 2)
		if n := a.connections(); n != 2 {
			t.Fatalf("%d are open still", n)
		}
	}
	r.server.LongStreams.CloseDownTo(observe.StreamEvents, 0)
	client.expectBrokenOff()
	second.expectBrokenOff()
}

// The head of a stream's request is released. The fields for the log are kept.
func TestAccessLog_stream(t *testing.T) {
	var lines logLines
	log := observe.NewAccessLog(&lines, observe.AccessLogOptions{JSON: true})
	r := newRig(t, func(o *Options) { o.AccessLog = log })
	p := startStreaming(t, "pod-a")
	r.serve(nil, p)
	client := r.dial()
	client.send(request("POST", "/text/event-stream", "body", "X-Request-ID: my-own"))
	client.head()
	r.expectMetric(`limpet_streams{kind="events"}`, 1)
	for range 20 {
		r.dial().send(request("PUT", "/"+strings.Repeat("other", 20), "", "X-Request-ID: other")) // into the buffer
	}
	eventually(t, "the others to arrive", func() bool { return len(p.requests()) == 21 })
	p.stop()
	r.server.Close()
	eventually(t, "all connections to be closed", r.server.conns.empty)
	log.Close()
	line := lines.parsed(t)[0]
	for field, want := range map[string]string{
		"method": "POST", "host": "shop.example", "path": "/text/event-stream", "requestId": "my-own",
	} {
		if line[field] != want {
			t.Errorf("the log has %s %v, want %q", field, line[field], want)
		}
	}
}
