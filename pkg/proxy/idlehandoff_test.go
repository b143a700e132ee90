package proxy

import (
	"bytes"
	"regexp"
	"runtime/pprof"
	"testing"
	"time"
)

// idleHandoff matches a goroutine profile that contains a handed-off idle connection.
var idleHandoff = regexp.MustCompile(`\(\*client\)\.waitForRequest\S+\s.*\n.*\(\*client\)\.waitIdle\b`)

func expectIdleHandoff(t *testing.T) {
	t.Helper()
	eventually(t, "the idle connection to be handed off", func() bool {
		var profile bytes.Buffer
		if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
			t.Fatal(err)
		}
		return idleHandoff.Match(profile.Bytes())
	})
}

// cleartextAndTLS runs test with a cleartext client and with a TLS client.
func cleartextAndTLS(t *testing.T, change func(*Options), test func(r *rig, client *caller)) {
	t.Run("cleartext", func(t *testing.T) {
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

func TestIdleHandoff_servesNextRequest(t *testing.T) {
	cleartextAndTLS(t, func(*Options) {}, func(r *rig, client *caller) {
		client.get("/").expectOK(r.t, "")
		for range 2 {
			expectIdleHandoff(t)
			client.post("/", "body").expectOK(t, "body")
			client.get("/").expectOK(t, "")
		}
		r.expectMetric("limpet_client_connections", 1)
	})
}

func TestIdleHandoff_idleTimeout(t *testing.T) {
	const idle = (idleHandoffAfter + 500) * time.Millisecond
	cleartextAndTLS(t, func(o *Options) { o.Timeouts.Idle = idle }, func(r *rig, client *caller) {
		start := time.Now()
		client.get("/").expectOK(t, "")
		client.expectClosed()
		if took := time.Since(start); took < idle-2*sweepInterval {
			t.Errorf("closed after %s, want %s", took, idle)
		}
		eventually(t, "the connection to be removed", r.server.conns.empty)
	})
}

func TestIdleHandoff_shutdown(t *testing.T) {
	cleartextAndTLS(t, func(*Options) {}, func(r *rig, client *caller) {
		client.get("/").expectOK(t, "")
		expectIdleHandoff(t)
		stopped := r.stop(t.Context())
		client.expectClosed()
		expectStopped(t, stopped, nil)
	})
}
