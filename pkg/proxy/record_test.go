package proxy

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/observe"
)

// logLines is where an access log is written to.
type logLines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// parsed returns the fields of each line, in the order of time: only those of one connection are written in order.
func (l *logLines) parsed(t *testing.T) []map[string]any {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var lines []map[string]any
	for line := range bytes.Lines(l.text.Bytes()) {
		fields := map[string]any{}
		if err := json.Unmarshal(line, &fields); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		lines = append(lines, fields)
	}
	slices.SortStableFunc(lines, func(a, b map[string]any) int { return timeOf(t, a).Compare(timeOf(t, b)) })
	return lines
}

func timeOf(t *testing.T, line map[string]any) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, fmt.Sprint(line["time"]))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func TestAccessLog_oneLinePerRequest(t *testing.T) {
	var lines logLines
	log := observe.NewAccessLog(&lines, observe.AccessLogOptions{JSON: true})
	r := newRig(t, trusting(), func(o *Options) { o.AccessLog = log })
	r.serve(cookieAffinity(), deadPod(t, "pod-a"), startEcho(t, "pod-b"))
	client := r.dial()
	client.post("/cart?secret=1", "body").expectOK(t, "body")
	client.get("/%61", "X-Forwarded-For: 192.0.2.1").expectStatus(t, 200)
	client.send("GET / HTTP/1.1\r\n\r\n")
	client.read("GET").expectStatus(t, 400)
	r.publish()
	client = r.dial()
	client.get("/none").expectStatus(t, 404)
	client.Close()
	eventually(t, "all to be over", r.server.conns.empty)
	log.Close()

	got := lines.parsed(t)
	for i, want := range []map[string]any{
		{"method": "POST", "path": "/cart", "status": 200.0, "bytes": 4.0, "endpoint": "pod-b", "affinity": "new"},
		{"method": "GET", "path": "/a", "client": "192.0.2.1", "host": "shop.example", "pool": "shop/cart:80"},
		{"status": 400.0, "client": "127.0.0.1", "path": "", "affinity": "none"},
		{"path": "/none", "status": 404.0, "pool": "", "endpoint": "", "affinity": "none", "attempts": 0.0},
	} {
		if len(got) != 4 {
			t.Fatalf("%d lines, want 4", len(got))
		}
		for field, value := range want {
			if got[i][field] != value {
				t.Errorf("line %d: %s is %v, want %v", i, field, got[i][field], value)
			}
		}
	}
}
