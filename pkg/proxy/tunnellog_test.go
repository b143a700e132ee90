package proxy

import (
	"net/http"
	"testing"

	"github.com/limpet-dev/limpet/pkg/observe"
)

// logged makes the server of a rig write an access log.
func logged(t *testing.T) (*logLines, func(*Options)) {
	lines := new(logLines)
	log := observe.NewAccessLog(lines, observe.AccessLogOptions{JSON: true})
	t.Cleanup(log.Close)
	return lines, func(o *Options) { o.AccessLog = log }
}

// await waits for the first line.
func (l *logLines) await(t *testing.T) map[string]any {
	t.Helper()
	eventually(t, "a line in the access log", func() bool { return len(l.parsed(t)) > 0 })
	return l.parsed(t)[0]
}

// expectLine checks fields of the only line.
func (l *logLines) expectLine(t *testing.T, want map[string]any) {
	t.Helper()
	line := l.await(t)
	for field, value := range want {
		if line[field] != value {
			t.Errorf("%s is %v, want %v", field, line[field], value)
		}
	}
	if n := len(l.parsed(t)); n != 1 {
		t.Errorf("%d lines, want 1", n)
	}
}

func TestAccessLog_tunnelAtItsEnd(t *testing.T) {
	lines, option := logged(t)
	r := newRig(t, option)
	r.serve(cookieAffinity(), startSocket(t, "welcome"))
	client := r.upgrade("hello")
	client.expect("welcomehello")
	client.send("more")
	client.expect("more")
	client.Close()
	lines.expectLine(t, map[string]any{
		"status": 101.0, "bytes": 16.0, "bytesIn": 9.0, "endpoint": "pod-a", "attempts": 1.0, "affinity": "new",
		"method": "GET", "host": "shop.example", "path": "/chat",
	})
}

func TestAccessLog_tunnelHTTP2(t *testing.T) {
	lines, option := logged(t)
	r := newRig(t, option)
	r.serve(nil, startWebSocket(t, "pod-a", "welcome"))
	client := dialHTTP2(t, r.addr)
	client.must(client.open(1, false, connect...), client.WriteData(1, true, []byte("hello")))
	client.data(1, len("welcomehellobye"))
	lines.expectLine(t, map[string]any{"bytes": 15.0, "bytesIn": 5.0, "path": "/chat", "protocol": "HTTP/2.0"})
}

func TestAccessLog_requestBody(t *testing.T) {
	lines, option := logged(t)
	r := newRig(t, option)
	r.serve(nil, startEcho(t, "pod-a"))
	r.dial().post("/", "12345678").expectStatus(t, http.StatusOK)
	lines.expectLine(t, map[string]any{"bytes": 8.0, "bytesIn": 8.0})
}
