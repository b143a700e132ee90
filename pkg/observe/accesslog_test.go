package observe

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"go.uber.org/goleak"

	"github.com/limpet-dev/limpet/pkg/affinity"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// lines collects all output, and each write separately.
type lines struct {
	mu     sync.Mutex
	text   bytes.Buffer
	writes []string
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.writes = append(l.writes, string(p))
	return l.text.Write(p)
}

func (l *lines) all() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Split(strings.TrimSuffix(l.text.String(), "\n"), "\n")
}

func sample() Access {
	return Access{
		Start: time.Date(2026, 1, 2, 3, 4, 5, 678900000, time.UTC), Took: 12345 * time.Microsecond,
		Client: "192.0.2.1", Protocol: "HTTP/1.1", Method: []byte("GET"), Host: []byte("shop.example"),
		Path: []byte("/cart"), Status: 200, Bytes: 42, Pool: "shop/cart:80", Endpoint: "cart-0", Attempts: 1,
		Outcome: affinity.OutcomeMoved, Reason: affinity.ReasonGone, RequestID: []byte("4711"),
	}
}

// Log pipelines parse these formats. Changing them breaks users.
func TestAccessLog_formatsAreStable(t *testing.T) {
	a := sample()
	none := Access{Start: a.Start, Status: 400, Client: "::1"}
	tunnel := Access{Start: a.Start, Status: 101, Client: "::1", Bytes: 2, BytesIn: 3}
	closed := Access{Start: a.Start, Status: 503, Client: "::1", Closed: true}
	failed := Access{Start: a.Start, Status: 502, Client: "::1", Failure: FailureInvalidResponse, Detail: "line is bad",
		Generated: true, Outcome: affinity.OutcomeMoved, Reason: affinity.ReasonGone}
	for _, c := range []struct {
		a    Access
		json bool
		want string
	}{
		{a, true, `{"time":"2026-01-02T03:04:05.6789Z","client":"192.0.2.1","protocol":"HTTP/1.1","method":"GET",` +
			`"host":"shop.example","path":"/cart","status":200,"bytes":42,"seconds":0.012345,"pool":"shop/cart:80",` +
			`"endpoint":"cart-0","attempts":1,"affinity":"moved","reason":"gone","requestId":"4711"}`},
		{a, false, `2026-01-02T03:04:05Z 192.0.2.1 "GET" "shop.example" "/cart" 200 42 0.012345 shop/cart:80 cart-0 moved/gone "4711"`},
		{none, true, `{"time":"2026-01-02T03:04:05.6789Z","client":"::1","protocol":"","method":"","host":"","path":"",` +
			`"status":400,"bytes":0,"seconds":0.000000,"pool":"","endpoint":"","attempts":0,"affinity":"none","requestId":""}`},
		{none, false, `2026-01-02T03:04:05Z ::1 "" "" "" 400 0 0.000000 - - none ""`},
		{Access{Start: a.Start, StrippedUpgrade: []byte("h2c")}, true, `{"time":"2026-01-02T03:04:05.6789Z","client":"",` +
			`"protocol":"","method":"","host":"","path":"","status":0,"bytes":0,"seconds":0.000000,"pool":"","endpoint":"",` +
			`"attempts":0,"affinity":"none","strippedUpgrade":"h2c","requestId":""}`},
		{Access{Start: a.Start, Scheme: "https"}, true, `{"time":"2026-01-02T03:04:05.6789Z","client":"","scheme":"https",` +
			`"protocol":"","method":"","host":"","path":"","status":0,"bytes":0,"seconds":0.000000,"pool":"","endpoint":"",` +
			`"attempts":0,"affinity":"none","requestId":""}`},
		{closed, true, `{"time":"2026-01-02T03:04:05.6789Z","client":"::1","protocol":"","method":"","host":"","path":"",` +
			`"status":503,"bytes":0,"seconds":0.000000,"pool":"","endpoint":"","attempts":0,"affinity":"none","closed":true,"requestId":""}`},
		{failed, true, `{"time":"2026-01-02T03:04:05.6789Z","client":"::1","protocol":"","method":"","host":"","path":"",` +
			`"status":502,"bytes":0,"seconds":0.000000,"pool":"","endpoint":"","attempts":0,"affinity":"moved",` +
			`"reason":"invalid_response","affinityReason":"gone","detail":"line is bad","generated":true,"requestId":""}`},
		{failed, false, `2026-01-02T03:04:05Z ::1 "" "" "" 502 0 0.000000 - - moved/gone reason=invalid_response ` +
			`detail="line is bad" generated ""`},
		{closed, false, `2026-01-02T03:04:05Z ::1 "" "" "" 503 0 0.000000 - - none/closed ""`},
		{tunnel, true, `{"time":"2026-01-02T03:04:05.6789Z","client":"::1","protocol":"","method":"","host":"","path":"",` +
			`"status":101,"bytes":2,"bytesIn":3,"seconds":0.000000,"pool":"","endpoint":"","attempts":0,"affinity":"none","requestId":""}`},
		{tunnel, false, `2026-01-02T03:04:05Z ::1 "" "" "" 101 2 0.000000 - - none in=3 ""`},
	} {
		var out lines
		log := NewAccessLog(&out, AccessLogOptions{JSON: c.json})
		log.Write(0, &c.a)
		log.Close()
		if got := out.text.String(); got != c.want+"\n" {
			t.Errorf("got  %swant %s", got, c.want)
		}
	}
}

// hostile contains request data that could break a log line if it were not escaped.
var hostile = []string{
	`"`, `\`, `\"`, "\n", "\r\n2026-01-02T03:04:05Z 10.0.0.1 \"GET\"", "\x00", "\x1b[31m", "\x7f", "\t", "</script>",
	"\u2028", "é", "日本", "\xff", "\xc3", "a\xe2\x82", "\xf0\x9f\x98\x80", "\xed\xa0\x80", strings.Repeat("x", 100_000),
}

func TestAccessLog_escapesInput(t *testing.T) {
	for _, text := range hostile {
		a := sample()
		a.Method, a.Host, a.Path, a.RequestID = []byte(text), []byte(text), []byte(text), []byte(text)
		var out lines
		log := NewAccessLog(&out, AccessLogOptions{JSON: true})
		log.Write(0, &a)
		log.Close()
		var fields map[string]any
		if err := json.Unmarshal(out.text.Bytes(), &fields); err != nil || len(out.all()) != 1 {
			t.Fatalf("%q: %v in %s", text, err, out.text.String())
		}
		if want := strings.ToValidUTF8(text, "\ufffd"); utf8.ValidString(text) && fields["path"] != want {
			t.Errorf("%q reads back as %q", text, fields["path"])
		}
		plain := NewAccessLog(&out, AccessLogOptions{JSON: false})
		plain.Write(0, &a)
		plain.Close()
		if last := out.all()[1:]; len(last) != 1 || strings.ContainsAny(last[0], "\x00\x1b\r\x7f") {
			t.Errorf("%q as text: %q", text, last)
		}
	}
}

func FuzzAccessLog_lineIsJSON(f *testing.F) {
	for _, text := range hostile[:18] {
		f.Add([]byte(text), []byte(text))
	}
	f.Fuzz(func(t *testing.T, path, host []byte) {
		a := sample()
		a.Path, a.Host = path, host
		line := appendJSON(nil, &a, allAccessFields)
		if !json.Valid(line) || !utf8.Valid(line) || bytes.IndexByte(line, '\n') != len(line)-1 {
			t.Errorf("%q", line)
		}
	})
}

// Lines are written concurrently from several connections.
func TestAccessLog_linesAreComplete(t *testing.T) {
	const writers, each = 16, 2000
	var out lines
	log := NewAccessLog(&out, AccessLogOptions{JSON: true})
	var working sync.WaitGroup
	for n := range writers {
		working.Go(func() {
			a := sample()
			for i := range each {
				a.Path, a.Status = fmt.Appendf(nil, "/%d/%d", n, i), i
				log.Write(uint32(n), &a)
			}
		})
	}
	working.Wait()
	log.Close()
	next := make([]int, writers)
	for _, line := range out.all() {
		var got struct{ Path string }
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		var n, i int
		fmt.Sscanf(got.Path, "/%d/%d", &n, &i)
		if i != next[n] {
			t.Fatalf("connection %d: line %d follows line %d", n, i, next[n]-1)
		}
		next[n]++
	}
	for n, lines := range next {
		if lines != each {
			t.Errorf("connection %d: %d lines, want %d", n, lines, each)
		}
	}
	for _, w := range out.writes {
		if !strings.HasSuffix(w, "}\n") {
			t.Fatalf("a write ends with %q", w[len(w)-10:])
		}
	}
}

func TestAccessLog_flushesPeriodically(t *testing.T) {
	in, out := io.Pipe()
	log := NewAccessLog(out, AccessLogOptions{JSON: false})
	a := sample()
	log.Write(0, &a)
	var first [10]byte
	if _, err := io.ReadFull(in, first[:]); err != nil || string(first[:]) != "2026-01-02" {
		t.Errorf("got %q, %v", first, err)
	}
	in.Close()
	log.Close()
}

// A full disk must not block traffic or consume unbounded memory.
func TestAccessLog_writeErrorsDropLines(t *testing.T) {
	log := NewAccessLog(broken{}, AccessLogOptions{JSON: true})
	a := sample()
	for range 10_000 {
		log.Write(0, &a)
	}
	if got := cap(log.shards[0].buf); got > 4*flushSize {
		t.Errorf("%d bytes buffered, want 0", got)
	}
	log.Close()
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestAccessLog_allocatesNothing(t *testing.T) {
	for _, json := range []bool{true, false} {
		log := NewAccessLog(io.Discard, AccessLogOptions{JSON: json})
		a := sample()
		for range 1000 {
			log.Write(0, &a)
		}
		if n := testing.AllocsPerRun(1000, func() { log.Write(0, &a) }); n > 0 {
			t.Errorf("JSON %v: %v allocations", json, n)
		}
		log.Close()
	}
}
