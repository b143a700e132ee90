package proxy

import (
	"bytes"
	"regexp"
	"runtime/pprof"
	"testing"
	"time"
)

// resting is in the goroutine profile of a process in which a connection rests.
var resting = regexp.MustCompile(`\(\*client\)\.wait\S+\s.*\n.*\(\*client\)\.rest\b`)

func expectResting(t *testing.T) {
	t.Helper()
	eventually(t, "the connection to rest", func() bool {
		var profile bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
			t.Fatal(err)
		}
		return resting.Match(profile.Bytes())
	})
}

// inClearAndOverTLS runs a test with a client of each kind.
func inClearAndOverTLS(t *testing.T, change func(*Options), test func(r *rig, client *caller)) {
	t.Run("in clear", func(t *testing.T) {
		r := newRig(t, change)
		r.serve(nil, startEcho(t, "pod-a"))
		test(r, r.dial())
	})
	t.Run("over TLS", func(t *testing.T) {
		r, addr := tlsRig(t, change)
		r.serve(nil, startEcho(t, "pod-a"))
		client, _ := dialTLS(t, addr, "shop.example")
		test(r, client)
	})
}

func TestAConnectionThatRestsIsServed(t *testing.T) {
	inClearAndOverTLS(t, func(*Options) {}, func(r *rig, client *caller) {
		client.get("/").expectOK(r.t, "")
		for range 2 {
			expectResting(t)
			client.post("/", "body").expectOK(t, "body")
			client.get("/").expectOK(t, "")
		}
		r.expectMetric("limpet_client_connections", 1)
	})
}

func TestAConnectionRestsNoLongerThanTheIdleTime(t *testing.T) {
	const idle = (idleHandoffAfter + 500) * time.Millisecond
	inClearAndOverTLS(t, func(o *Options) { o.Timeouts.Idle = idle }, func(r *rig, client *caller) {
		start := time.Now()
		client.get("/").expectOK(t, "")
		client.expectClosed()
		if took := time.Since(start); took < idle-2*sweepInterval {
			t.Errorf("closed after %s, want %s", took, idle)
		}
		eventually(t, "the connection to be let go", r.server.conns.empty)
	})
}

func TestStopClosesConnectionsThatRest(t *testing.T) {
	inClearAndOverTLS(t, func(*Options) {}, func(r *rig, client *caller) {
		client.get("/").expectOK(t, "")
		expectResting(t)
		stopped := r.stop(t.Context())
		client.expectClosed()
		expectStopped(t, stopped, nil)
	})
}
