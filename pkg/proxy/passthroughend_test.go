package proxy

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/exchange"
)

func TestPassthrough_idleTimeout(t *testing.T) {
	r, addr := passedRig(t, nil, []*pod{startRawPod(t, "pod-a")},
		quick(func(o *exchange.Timeouts) { o.Passthrough = 100 * time.Millisecond }))
	client := passTo(t, addr, helloFor(t, "first.example"))
	if client.pod != "pod-a" {
		t.Fatalf("on %q", client.pod)
	}
	_, _ = io.ReadAll(client.lines) // ends without an end of the client
	eventually(t, "the connections to be closed", r.server.conns.empty)
}

func TestPassthrough_shutdown(t *testing.T) {
	r, addr := passedRig(t, nil, []*pod{startRawPod(t, "pod-a")})
	client := passTo(t, addr, helloFor(t, "first.example"))
	if client.pod != "pod-a" {
		t.Fatalf("on %q", client.pod)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := r.server.Shutdown(ctx); err != nil {
		t.Errorf("the connection was not closed before the deadline: %v", err)
	}
}
