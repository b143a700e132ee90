package proxy

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/model"
)

// serveLimited is serve with limits of the route.
func (r *rig) serveLimited(limits model.Limits, pods ...*pod) {
	r.t.Helper()
	r.replace(cart, endpointsOf(pods...)...)
	route := routeTo(cart, nil)
	route.Limits = &limits
	r.publish(route)
}

func maxBody(n int64) func(*Options) { return func(o *Options) { o.MaxBodyBytes = n } }

// A body whose Content-Length exceeds the limit is refused before any pod is contacted.
func TestMaxBodyBytes_contentLength(t *testing.T) {
	for _, c := range []struct {
		name    string
		options int64
		route   int64
		length  int
		status  int
	}{
		{"within", 4, 0, 4, 200},
		{"beyond", 4, 0, 5, 413},
		{"beyond that of the route", 0, 4, 5, 413},
		{"the route takes more", 4, 8, 8, 200},
		{"the route takes less", 8, 4, 5, 413},
		{"the route takes any", 4, model.NoBound, 1 << 20, 200},
		{"no bound", 0, 0, 1 << 20, 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, maxBody(c.options))
			p := startEcho(t, "pod-a")
			r.serveLimited(model.Limits{MaxBodyBytes: c.route}, p)
			client := r.dial()
			go io.WriteString(client.Conn, request("POST", "/", strings.Repeat("a", c.length)))
			a := client.read("POST")
			if a.status != c.status || a.close != (c.status == 413) || a.err != nil {
				t.Errorf("got %d, close %v, %v, want %d", a.status, a.close, a.err, c.status)
			}
			q := newRequest(t, "POST", "http://"+r.addr+"/", strings.NewReader(strings.Repeat("a", c.length)))
			if got, err := http2Client(t).Do(q); err != nil || got.StatusCode != c.status {
				t.Errorf("by HTTP/2: got %v, %v, want %d", got, err, c.status)
			} else {
				got.Body.Close()
			}
			if got := len(p.requests()); got > 0 != (c.status == 200) {
				t.Errorf("the pod was sent %d requests", got)
			}
		})
	}
}

// A client that sends Expect: 100-continue gets the 413 before it sends the body.
func TestMaxBodyBytes_expect100(t *testing.T) {
	r := newRig(t, maxBody(3))
	r.serve(nil, startEcho(t, "pod-a"))
	client := r.dial()
	client.send(expecting)
	client.read("POST").expectStatus(t, 413)
}

func TestMaxURIBytes_responds414(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Limits.TargetBytes = 100 })
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	for length, want := range map[int]int{100: 200, 101: 414} {
		path := "/?" + strings.Repeat("a", length-2)
		r.dial().get(path).expectStatus(t, want)
		got := rawHTTP2(t, r.addr, ":method", "GET", ":scheme", "http", ":authority", "a.example", ":path", path)
		if got != map[int]string{200: "200", 414: "414"}[want] {
			t.Errorf("by HTTP/2: got %s, want %d", got, want)
		}
	}
}

func TestMaxHeadBytes_responds431(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Limits.HeadBytes, o.Limits.Fields = 8<<10, 20 })
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	for name, lines := range map[string][]string{
		"bytes":  strings.Split(strings.Repeat("A: "+strings.Repeat("a", 1<<10)+"\n", 9)+"A: b", "\n"),
		"fields": strings.Split(strings.Repeat("A: b\n", 20)+"A: b", "\n"),
	} {
		r.dial().get("/", lines...).expectStatus(t, 431)
		fields := []string{":method", "GET", ":scheme", "http", ":authority", "a.example", ":path", "/"}
		for _, line := range lines {
			_, value, _ := strings.Cut(line, ": ")
			fields = append(fields, "a", value)
		}
		if got := rawHTTP2(t, r.addr, fields...); got != "431" {
			t.Errorf("%s by HTTP/2: got %s", name, got)
		}
	}
	if got := p.requests(); len(got) > 0 {
		t.Errorf("the pod was sent %q", got)
	}
}

func TestRouteLimits_bodyTimeout(t *testing.T) {
	for _, c := range []struct {
		name    string
		options time.Duration
		route   time.Duration
	}{
		{"less", farOff, soon},
		{"nothing", soon, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, quick(func(o *exchange.Timeouts) { o.Body = c.options }))
			r.serveLimited(model.Limits{BodyTimeout: c.route}, startSilent(t))
			client := r.dial()
			client.send(announced + "some")
			client.read("POST").expectStatus(t, 408)
		})
	}
}

// A body that turns out to be too long ends the attempt: the pod never sees its end.
func TestMaxBodyBytes_chunked(t *testing.T) {
	for name, chunks := range map[string][]string{
		"in one read":   {chunked("some", "more")},
		"in two pieces": {"4\r\nsome\r\n", "4\r\nmore\r\n0\r\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, maxBody(7))
			p := startRecorder(t)
			r.serve(nil, p.pod)
			client := r.dial()
			client.send(chunkedPost)
			for _, chunk := range chunks {
				client.send(chunk)
			}
			a := client.read("POST")
			a.expectStatus(t, 413)
			if !a.close {
				t.Error("the connection stays open")
			}
			client.expectClosed()
			r.replace(cart)
			eventually(t, "the pod's connections to end", func() bool { return p.connections() == 0 })
			if got := p.take(); strings.Contains(got, "more") || strings.Contains(got, "\r\n0\r\n") {
				t.Errorf("the pod was sent %q", got)
			}
			q := newRequest(t, "POST", "http://"+r.addr+"/", io.MultiReader(strings.NewReader("some"), strings.NewReader("more")))
			r.serve(nil, p.pod)
			if got, err := http2Client(t).Do(q); err != nil || got.StatusCode != http.StatusRequestEntityTooLarge {
				t.Errorf("by HTTP/2: got %v, %v", got, err)
			} else {
				got.Body.Close()
			}
		})
	}
}

func TestMaxBodyBytes_http2Pod(t *testing.T) {
	backend := startBackend(t, nil, func(w http.ResponseWriter, q *http.Request) {
		if _, err := io.Copy(w, q.Body); err == nil {
			t.Error("the pod has seen the end of the body")
		}
	})
	r := newRig(t, maxBody(7))
	r.serveBy(model.Transport{HTTP2: true}, nil, addressOf(backend))
	for _, text := range []string{chunkedPost + chunked("some", "more"), request("POST", "/", "somemore")} {
		client := r.dial()
		client.send(text)
		client.read("POST").expectStatus(t, 413)
	}
}

func TestMaxBodyBytes_chunkedAtLimit(t *testing.T) {
	r := newRig(t, maxBody(8))
	r.serve(nil, startEcho(t, "pod-a"))
	client := r.dial()
	client.send(chunkedPost + chunked("some", "more"))
	client.read("POST").expectOK(t, "somemore")
}

// Once the response has begun, its status cannot change.
func TestMaxBodyBytes_exceededAfterResponse(t *testing.T) {
	r := newRig(t, maxBody(7))
	r.serve(nil, startPod(t, "pod-a", func(c *podConn) {
		c.head()
		c.say(okHead + "Transfer-Encoding: chunked\r\n\r\n4\r\nsoon\r\n")
		c.untilClosed()
	}))
	client := r.dial()
	client.send(chunkedPost + "4\r\nsome\r\n")
	client.r.Peek(1)
	client.send("4\r\nmore\r\n")
	if a := client.read("POST"); a.status != 200 || a.err == nil {
		t.Errorf("got %d %q, %v", a.status, a.body, a.err)
	}
}

func TestRouteLimits_responseTimeout(t *testing.T) {
	r := newRig(t, quick(func(o *exchange.Timeouts) { o.Response = farOff }))
	r.serveLimited(model.Limits{ResponseTimeout: soon}, startSilent(t))
	r.dial().get("/").expectStatus(t, 504)
	patient := newRig(t, only(silence))
	patient.serveLimited(model.Limits{ResponseTimeout: farOff}, startPod(t, "pod-a", func(c *podConn) {
		c.head()
		end := patient.server.After(2 * soon)
		eventually(t, "time to pass", func() bool { return patient.server.Clock() > end })
		c.answer("late")
	}))
	patient.dial().get("/").expectOK(t, "late")
}

// After its time, a request is not sent to another pod.
func TestRouteLimits_retryTimeout(t *testing.T) {
	for limit, want := range map[time.Duration]int{time.Nanosecond: 0, time.Hour: 1} {
		r := newRig(t)
		r.serveLimited(model.Limits{RetryTimeout: limit, MaxAttempts: 2}, deadPod(t, "pod-a"), deadPod(t, "pod-b"))
		r.dial().get("/").expectStatus(t, 503)
		r.expectMetric(`limpet_retries_total{pool="shop/cart:80"}`, want)
	}
}

func TestRouteLimits_attempts(t *testing.T) {
	for _, c := range []struct{ options, route, want int }{{5, 0, 5}, {5, 2, 2}, {1, 0, 1}, {1, 3, 3}} {
		r := newRig(t, func(o *Options) { o.MaxAttempts = c.options })
		var dead []*pod
		for i := range 6 {
			dead = append(dead, deadPod(t, fmt.Sprintf("pod-%d", i)))
		}
		r.serveLimited(model.Limits{MaxAttempts: c.route}, dead...)
		r.dial().get("/").expectStatus(t, 503)
		r.expectMetric(`limpet_retries_total{pool="shop/cart:80"}`, c.want-1)
	}
}
