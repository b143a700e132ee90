package proxy

import (
	"regexp"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/observe"
)

var madeID = regexp.MustCompile(`^[0-9a-f]{32}$`)

// idOf is the only X-Request-ID in a head.
func idOf(t *testing.T, head string) string {
	t.Helper()
	lines := fieldLines(head, "X-Request-ID")
	if len(lines) != 1 {
		t.Fatalf("the pod was sent %q", lines)
	}
	return strings.TrimPrefix(lines[0], "X-Request-ID: ")
}

func TestRequestID_unique(t *testing.T) {
	r := newRig(t)
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	client := r.dial()
	for range 100 {
		client.get("/").expectStatus(t, 200)
	}
	seen := map[string]bool{}
	for _, head := range p.requests() {
		id := idOf(t, head)
		if !madeID.MatchString(id) || seen[id] {
			t.Errorf("%q, seen before: %v", id, seen[id])
		}
		seen[id] = true
	}
}

func TestRequestID_keptIfValid(t *testing.T) {
	r := newRig(t)
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	for _, id := range []string{"a", "4bf92f3577b34da6a3ce929d0e0e4736", "0191d2f4-5c2e-7b1a-9f00-1c2d3e4f5a6b",
		strings.Repeat("a", 128)} {
		if got := idOf(t, r.asked(p, "x-request-id: "+id)); got != id {
			t.Errorf("%q is kept as %q", id, got)
		}
	}
	for _, id := range []string{"", "a b", `a"b`, "a,b", "a;b", "\xc3\xa4", "<script>", strings.Repeat("a", 128+1)} {
		if got := idOf(t, r.asked(p, "X-Request-ID: "+id)); !madeID.MatchString(got) {
			t.Errorf("%q is kept as %q", id, got)
		}
	}
	head := r.asked(p, "Connection: X-Request-ID", "X_Request_ID: evil", "X-Request-ID: a")
	if got := idOf(t, head); got != "a" || strings.Contains(head, "evil") {
		t.Errorf("the pod was sent %q", head)
	}
}

func TestRequestID_inAccessLog(t *testing.T) {
	var lines logLines
	log := observe.NewAccessLog(&lines, observe.AccessLogOptions{JSON: true})
	r := newRig(t, func(o *Options) { o.AccessLog = log })
	p := startEcho(t, "pod-a")
	r.serve(nil, p)
	client := r.dial()
	client.get("/").expectStatus(t, 200)
	client.Close()
	id := idOf(t, p.requests()[0])
	refused := r.dial()
	refused.send("GET / HTTP/1.1\r\n\r\n")
	a := refused.read("GET")
	refused.expectClosed()
	eventually(t, "all to be over", r.server.conns.empty)
	log.Close()
	logged := lines.parsed(t)
	if len(logged) != 2 || logged[0]["requestId"] != id || logged[1]["requestId"] != a.header.Get("X-Request-ID") {
		t.Errorf("the pod received %s and the client %v, the log has %v", id, a.header, logged)
	}
}
