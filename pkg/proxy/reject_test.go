package proxy

import (
	"crypto/tls"
	"strings"
	"testing"

	"golang.org/x/net/http2"
)

// full is a rig that has as many connections as it may have.
func full(t *testing.T, change func(*ConnectionLimits)) (r *rig, secure string) {
	t.Helper()
	r = newRig(t, func(o *Options) { change(&o.Connections) })
	r.serve(nil, startEcho(t, "pod-a"))
	secure = r.listen(r.server.ServeTLS)
	r.dial().get("/").expectOK(t, "")
	return r, secure
}

func TestReject_noHandshake(t *testing.T) {
	for name, change := range map[string]func(*ConnectionLimits){
		"in all":       func(l *ConnectionLimits) { l.Total = 1 },
		"of a client":  func(l *ConnectionLimits) { l.PerClient = 1 },
		"in both ways": func(l *ConnectionLimits) { l.Total, l.PerClient = 2, 1 },
	} {
		t.Run(name, func(t *testing.T) {
			r, secure := full(t, change)
			if conn, err := tls.Dial("tcp", secure, &tls.Config{InsecureSkipVerify: true}); err == nil {
				conn.Close()
				t.Error("the handshake succeeds")
			}
			r.dial().expectRejected()
		})
	}
}

func TestReject_timeout(t *testing.T) {
	for name, said := range map[string]string{
		"nothing":        "",
		"half a head":    "GET / HTTP/1.1\r\nHost: shop",
		"half a preface": "PRI * HT",
		"HTTP/2":         http2.ClientPreface,
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := full(t, func(l *ConnectionLimits) { l.Total = 1 })
			client := r.dial()
			client.send(said)
			if rest := client.rest(); rest != "" && !strings.HasPrefix(rest, "HTTP/1.1 408 ") {
				t.Errorf("it receives %q", rest)
			}
			eventually(t, "it to be closed", func() bool { return r.server.admission.rejecting.Load() == 0 })
		})
	}
}

func TestReject_limit(t *testing.T) {
	r, _ := full(t, func(l *ConnectionLimits) { l.Total = 1 })
	var silent []*caller
	for range maxRejecting {
		silent = append(silent, r.dial())
	}
	eventually(t, "all to be taken in", func() bool { return r.server.admission.rejecting.Load() == maxRejecting })
	r.dial().expectClosed()
	for _, c := range silent {
		c.Close()
	}
	eventually(t, "them to be closed", func() bool { return r.server.admission.rejecting.Load() == 0 })
	r.dial().expectRejected()
}

// A client can read the reason before it notices that its bytes are no longer read.
func TestReject_clientStillSending(t *testing.T) {
	r, _ := full(t, func(l *ConnectionLimits) { l.PerClient = 1 })
	client := r.dial()
	client.send("POST / HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 300000\r\n\r\n")
	for range 3 {
		client.send(strings.Repeat("x", 100_000))
	}
	if a := client.read("POST"); a.status != 503 || a.err != nil {
		t.Errorf("it receives %d, %v", a.status, a.err)
	}
}
