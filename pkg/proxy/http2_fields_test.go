package proxy

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/http2"
)

const (
	malformed = "PROTOCOL_ERROR or 400"
	// orAnswered: a pod may have responded already, or may never see the error.
	orAnswered = malformed + " or 200"
)

// RFC 9113 section 8.2.1, octet by octet.
func TestRawFields_octets(t *testing.T) {
	r := newRig(t)
	r.serveEcho()
	ask := func(p *peer, id uint32, name, value string) string {
		p.must(p.open(id, true, append(plain[:len(plain):len(plain)], name, value)...))
		return p.outcome(id)
	}
	const token = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz" // RFC 9110 section 5.6.2, without capitals
	for _, form := range []string{"x%s", "%sx", "x%sx"} {
		p := dialHTTP2(t, r.addr)
		for c := range 256 {
			octet := string([]byte{byte(c)})
			got := ask(p, uint32(2*c+1), fmt.Sprintf(form, octet), "v")
			if want := strings.Contains(token, octet); (got == "200") != want {
				t.Errorf("the name %q ends with %s", fmt.Sprintf(form, octet), got)
			}
		}
	}
	for _, form := range []string{"x%s", "%sx", "x%sx", "%s"} {
		p := dialHTTP2(t, r.addr)
		for c := range 256 {
			octet := string([]byte{byte(c)})
			got := ask(p, uint32(2*c+1), "x", fmt.Sprintf(form, octet))
			isBlank := c == ' ' || c == '\t'
			forbidden := c < ' ' && c != '\t' || c == 0x7f || isBlank && form != "x%sx"
			if (got != "200") != forbidden {
				t.Errorf("the value %q ends with %s", fmt.Sprintf(form, octet), got)
			}
		}
	}
}

// bodyLog notes how the bodies of requests ended for the pod, by path.
type bodyLog struct {
	mu   sync.Mutex
	ends map[string]string
}

func (l *bodyLog) of(path string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ends[path]
}

func (l *bodyLog) note(path, end string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ends[path] = end
}

// RFC 9113 sections 8.1 and 8.1.1: a body has the length in content-length, trailers end the message, and no pod treats
// an incomplete body as complete.
func TestHTTP2_contentLengthMismatch(t *testing.T) {
	r := newRig(t)
	log := &bodyLog{ends: map[string]string{}}
	r.servePods(nil, 1, func(_ string, w http.ResponseWriter, q *http.Request) {
		body, err := readUpTo(q.Body, 100)
		if err != nil {
			log.note(q.URL.Path, "broken")
			return
		}
		var trailers []string
		for name, values := range q.Trailer {
			trailers = append(trailers, name+"="+strings.Join(values, ","))
		}
		slices.Sort(trailers)
		log.note(q.URL.Path, strings.TrimSpace(body+" "+strings.Join(trailers, " ")))
		w.Write([]byte("answer"))
	})
	send := func(p *peer, pieces ...string) error { // the last one ends the body
		for i, piece := range pieces {
			p.must(p.WriteData(1, i == len(pieces)-1, []byte(piece)))
		}
		return nil
	}
	trailers := func(fields ...string) func(p *peer) error {
		return func(p *peer) error {
			p.must(p.WriteData(1, false, []byte("body")))
			return p.open(1, true, fields...)
		}
	}
	body := func(pieces ...string) func(p *peer) error { return func(p *peer) error { return send(p, pieces...) } }
	for _, c := range []struct {
		name, length string
		send         func(p *peer) error
		want, pod    string // what the pod may take for a whole message
	}{
		{"as long", "4", body("bo", "dy"), "200", "body"},
		{"as long, with an empty end", "4", body("body", ""), "200", "body"},
		{"no length", "", body("bo", "", "dy"), "200", "body"},
		{"no body", "0", body(""), "200", ""},
		{"longer", "4", body("body", "s"), orAnswered, "body"},
		{"longer in one frame", "4", body("bodys"), malformed, "body"},
		{"longer than nothing", "0", body("x"), orAnswered, ""},
		{"shorter", "5", body("body"), malformed, ""},
		{"shorter by all", "5", body(""), malformed, ""},
		{"trailers", "", trailers("check", "sum"), "200", "body Check=sum"},
		{"trailers and a length", "4", trailers("check", "sum"), "200", "body"},
		{"trailers before the length is reached", "5", trailers("check", "sum"), malformed, ""},
		{"trailers with a pseudo field", "", trailers(":path", "/b"), malformed, ""},
		{"trailers that are not the end", "", func(p *peer) error { return p.open(1, false, "check", "sum") }, malformed, ""},
		{"trailers with a status", "", trailers("x", "y", ":status", "200"), malformed, ""},
		{"trailers in capitals", "", trailers("Check", "sum"), malformed, ""},
		{"trailers with CR LF", "", trailers("check", "a\r\nb: c"), malformed, ""},
		{"trailers with a connection field", "", trailers("connection", "close"), orAnswered, "body"},
		{"trailers with a length", "", trailers("content-length", "9"), orAnswered, "body"},
		{"trailers with framing", "", trailers("transfer-encoding", "chunked"), orAnswered, "body"},
		{"trailers with a host", "", trailers("host", "evil", "authorization", "x"), orAnswered, "body"},
		{"two lengths", "4,4", body("body"), orAnswered, "body"},
		{"lengths that differ", "4, 5", body("body"), malformed, ""},
		{"negative length", "-4", body("body"), malformed, ""},
		{"signed length", "+4", body("body"), malformed, ""},
		{"length over all bounds", "99999999999999999999", body("body"), malformed + " or 413", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := "/" + strings.ReplaceAll(c.name, " ", "-")
			head := append([]string{":path", path}, plainPost[:6]...)
			if c.length != "" {
				head = append(head, "content-length", c.length)
			}
			p := dialHTTP2(t, r.addr)
			p.must(p.open(1, false, head...), c.send(p))
			if got := p.outcome(1); !slices.Contains(strings.Split(c.want, " or "), got) {
				t.Errorf("it ends with %s, want %s", got, c.want)
			}
			p.must(p.open(3, true, plain...))
			if got := p.outcome(3); got != "200" {
				t.Errorf("the next stream ends with %s", got)
			}
			if got := log.of(path); got != c.pod && got != "broken" && got != "" {
				t.Errorf("the pod took %q for the whole", got)
			}
			if c.want == "200" && log.of(path) != c.pod {
				t.Errorf("the pod has got %q, want %q", log.of(path), c.pod)
			}
		})
	}
}

// RFC 9113 section 8.1: interim responses come before the final response, and trailers after its body.
func TestResponse_framing(t *testing.T) {
	r := newRig(t)
	for name, c := range map[string]struct{ method, answer, want string }{
		"length":            {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", "HEADERS 200, DATA 4 end"},
		"no body":           {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HEADERS 200 end"},
		"no content":        {"GET", "HTTP/1.1 204 No Content\r\n\r\n", "HEADERS 204 end"},
		"not modified":      {"GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "HEADERS 304 end"},
		"HEAD":              {"HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n", "HEADERS 200 end"},
		"informational":     {"GET", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "HEADERS 103, HEADERS 200 end"},
		"trailers":          {"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n4\r\nbody\r\n0\r\nX: y\r\n\r\n", "HEADERS 200, DATA 4, HEADERS end"},
		"up to the end":     {"GET", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nbody", "HEADERS 200, DATA 4 end"},
		"cut":               {"GET", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbody", "HEADERS 200, DATA 4, RST_STREAM"},
		"cut in its chunks": {"GET", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n", "HEADERS 200, DATA 4, RST_STREAM"},
	} {
		t.Run(name, func(t *testing.T) {
			r.t = t
			r.serve(nil, startAnswering(t, "pod-a", c.answer))
			p := dialHTTP2(t, r.addr)
			p.must(p.open(1, true, append([]string{":method", c.method}, plain[2:]...)...))
			if got := p.shape(1); got != c.want {
				t.Errorf("the response is %s, want %s", got, c.want)
			}
		})
	}
}

// shape reads a stream to its end, and returns a description of its frames. Any number of DATA frames counts as one,
// including the empty one at the end that some streams have.
func (p *peer) shape(id uint32) string {
	var frames []string
	data, ended := 0, false
	flush := func() {
		if data > 0 {
			frames = append(frames, fmt.Sprintf("DATA %d", data))
		}
		data = 0
	}
	for !ended {
		frame := p.await("the end of the stream", func(f http2.Frame) bool { return f.Header().StreamID == id })
		ended = ends(frame)
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			flush()
			frames = append(frames, strings.TrimSpace("HEADERS "+f.PseudoValue("status")))
		case *http2.DataFrame:
			data += len(f.Data())
		case *http2.RSTStreamFrame:
			flush()
			return strings.Join(append(frames, "RST_STREAM"), ", ")
		}
	}
	flush()
	return strings.Join(frames, ", ") + " end"
}

// readUpTo reads a body of at most n bytes to its end.
func readUpTo(body io.Reader, n int64) (string, error) {
	b, err := io.ReadAll(io.LimitReader(body, n))
	return string(b), err
}

// RFC 9113 section 8.2.2: a pod's connection-specific fields must not reach HTTP/2 clients.
func TestHopByHop_http2Response(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startAnswering(t, "pod-a", "HTTP/1.1 200 OK\r\nConnection: close, X-Hop\r\nKeep-Alive: timeout=5\r\n"+
		"Proxy-Connection: keep-alive\r\nUpgrade: h2c\r\nTE: trailers\r\nTransfer-Encoding: chunked\r\nX-Hop: a\r\n"+
		"X-END: caf\xc3\xa9\tb\r\n\r\n0\r\nTrailer-Field: c\r\nConnection: close\r\n\r\n"))
	p := dialHTTP2(t, r.addr)
	p.must(p.open(1, true, plain...))
	for ended := false; !ended; {
		f := p.await("the response", func(f http2.Frame) bool { return f.Header().StreamID == 1 })
		ended = ends(f)
		head, ok := f.(*http2.MetaHeadersFrame)
		if !ok {
			continue
		}
		for _, field := range head.RegularFields() {
			switch field.Name {
			case "connection", "keep-alive", "proxy-connection", "upgrade", "te", "transfer-encoding", "x-hop", "trailer":
				t.Errorf("%s: %s", field.Name, field.Value)
			}
		}
		if head.PseudoValue("status") == "200" {
			expectField(t, head, "x-end", "caf\xc3\xa9\tb")
		}
	}
}
