package proxy

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// rawCase is the bytes of one message from a client, and what must become of it.
type rawCase struct {
	name   string
	raw    string
	status int    // of the response
	pod    string // all that the pod may see of it
	closes bool   // an accepted request after which the connection is closed
}

// wire writes lines as they are sent.
func wire(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }

const (
	get      = "GET / HTTP/1.1\r\n"
	post     = "POST / HTTP/1.1\r\n"
	hostLine = "Host: a.example\r\n"
	// who replaces the fields that identify the client, once a check has found them correct.
	who = "{who}\r\n"
	// seen is a plain GET as the pod receives it.
	seen = get + hostLine + who + "\r\n"
)

// probe is a request that the pod sees only if it was one of its own: it follows each message immediately.
const (
	probe     = "GET /probe HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n"
	probeSeen = "GET /probe HTTP/1.1\r\nHost: a.example\r\n" + who + "\r\n"
)

// with is a GET with more lines, posted a POST with a body, pod what is seen of a GET with more lines.
func with(lines string) string         { return get + hostLine + wire(lines) + "\r\n\r\n" }
func posted(lines, body string) string { return post + hostLine + wire(lines) + "\r\n\r\n" + body }
func pod200(lines string) string       { return get + hostLine + wire(lines) + "\r\n" + who + "\r\n" }

// framed returns a POST with this framing and body as the pod receives it. more precedes the fields about the client.
func framed(more, framing, body string) string {
	return post + hostLine + wire(more) + who + framing + "\r\n\r\n" + body
}

func rawCases() []rawCase {
	var all []rawCase
	for _, table := range [][]rawCase{
		rawLines, rawTargets, rawHosts, rawFields, rawHops, rawLookAlikes, rawLengths, rawCodings, rawChunks, rawLimits,
	} {
		all = append(all, table...)
	}
	return all
}

// A message that violates HTTP gets an error response, and nothing of it reaches a pod. The connection is closed, since
// the start of the next request is unknown. An accepted message reaches the pod as one request, in exactly these bytes,
// and the bytes behind it are parsed as the next request.
func TestRawMessage_oneRequestOrRefused(t *testing.T) {
	cases := rawCases()
	if len(cases) < 120 {
		t.Fatalf("there are %d cases only", len(cases))
	}
	r := newRig(t)
	p := startRecorder(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r.t = t
			r.serve(nil, p.pod)
			r.exchangeRaw(&c)
			r.replace(cart) // which ends the connections to the pod
			eventually(t, "the pod's connections to end", func() bool { return p.connections() == 0 })
			if got, want := r.withoutWho(p.take()), strings.ReplaceAll(c.podSees(), "{local}", r.addr); got != want {
				t.Errorf("the pod was sent\n%q, want\n%q", got, want)
			}
		})
	}
}

func (c *rawCase) accepted() bool { return c.status == http.StatusOK }

func (c *rawCase) podSees() string {
	if c.accepted() && !c.closes {
		return c.pod + probeSeen
	}
	return c.pod
}

// exchangeRaw sends the message with the probe behind it, and reads the responses up to the end of the connection.
func (r *rig) exchangeRaw(c *rawCase) {
	r.t.Helper()
	client := r.dial()
	go io.WriteString(client.Conn, c.raw+probe) // a refusal may come before all of it is sent
	method, _, _ := strings.Cut(c.raw, " ")
	a := client.read(method)
	a.expectStatus(r.t, c.status)
	if a.err != nil || a.close == (c.accepted() && !c.closes) {
		r.t.Errorf("whole: %v, close: %v", a.err, a.close)
	}
	if c.accepted() && !c.closes {
		client.read("GET").expectStatus(r.t, 200)
	}
	client.expectClosed()
}

var whoSaid = regexp.MustCompile(`X-Forwarded-For: 127\.0\.0\.1\r\nX-Real-IP: 127\.0\.0\.1\r\n` +
	`X-Forwarded-Proto: http\r\nX-Forwarded-Host: (.+)\r\nX-Forwarded-Port: (\d+)\r\n` +
	`X-Request-ID: [0-9a-f]{32}\r\nForwarded: for=127\.0\.0\.1;host="(.+)";proto=http\r\n`)

// withoutWho replaces the fields that Limpet adds about the client and its request by the mark who.
func (r *rig) withoutWho(text string) string {
	return whoSaid.ReplaceAllStringFunc(text, func(said string) string {
		m := whoSaid.FindStringSubmatch(said)
		if m[1] != m[3] || m[2] != r.port() || !strings.Contains(text, "\r\nHost: "+m[1]+"\r\n") {
			return said
		}
		return who
	})
}

// recorder is a pod that keeps every byte it receives. It responds to everything that net/http accepts as a request.
type recorder struct {
	*pod
	mu  sync.Mutex
	got bytes.Buffer
}

func startRecorder(tb testing.TB) *recorder {
	tb.Helper()
	r := &recorder{}
	r.pod = startPod(tb, "pod-a", func(c *podConn) {
		in := bufio.NewReader(io.TeeReader(c.Conn, r))
		for {
			q, err := http.ReadRequest(in)
			if err == nil {
				_, err = io.Copy(io.Discard, q.Body)
			}
			if err != nil || !c.answer("") {
				return
			}
		}
	})
	return r
}

// Write is part of io.Writer.
func (r *recorder) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got.Write(b)
}

// take returns the bytes received since its last call.
func (r *recorder) take() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	defer r.got.Reset()
	return r.got.String()
}
