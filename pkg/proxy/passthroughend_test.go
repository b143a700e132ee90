package proxy

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/exchange"
	"github.com/limpet-dev/limpet/pkg/model"
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

// The pod learns the address of the client if the Ingress requests it.
func TestPassthrough_proxyHeaderToPod(t *testing.T) {
	r, addr := passedRig(t, nil, []*pod{startRawPod(t, "pod-a")}, behind)
	host := passedHost("first.example", cart, nil)
	host.Passthrough.Transport = model.Transport{ProxyProtocol: 1}
	r.publishPassed(host)
	header := "PROXY TCP4 192.0.2.7 198.51.100.7 4711 443\r\n"
	client := passTo(t, addr, []byte(header), helloFor(t, "first.example"))
	if got, err := client.lines.ReadString('\n'); err != nil || got != header {
		t.Errorf("the pod received %q, %v", got, err)
	}
}

func TestAccessLog_passthrough(t *testing.T) {
	lines, option := logged(t)
	_, addr := passedRig(t, nil, []*pod{startRawPod(t, "pod-a")}, option)
	hello := helloFor(t, "first.example")
	client := passTo(t, addr, hello, []byte("more"))
	_ = client.CloseWrite()
	_, _ = io.ReadAll(client.lines)
	lines.expectLine(t, map[string]any{
		"protocol": "TLS", "scheme": "https", "host": "first.example", "pool": "shop/cart:80", "endpoint": "pod-a", "attempts": 1.0,
		"bytesIn": float64(len(hello) + len("more")), "bytes": float64(len("pod-a\n") + len(hello) + len("moreend")),
	})
}

func TestAccessLog_passthroughWithoutPod(t *testing.T) {
	lines, option := logged(t)
	_, addr := passedRig(t, nil, []*pod{deadPod(t, "dead")}, option)
	if client := passTo(t, addr, helloFor(t, "first.example")); strings.HasPrefix(client.pod, "pod") {
		t.Errorf("reached %q", client.pod)
	}
	lines.expectLine(t, map[string]any{"protocol": "TLS", "host": "first.example", "reason": "dial_refused", "attempts": 1.0})
}

// FuzzReadClientHello requires that a bounded start of the input is read, and names a host only if crypto/tls accepts it.
func FuzzReadClientHello(f *testing.F) {
	for _, seed := range []string{"", "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00", "\x16\x03\x01\xff\xff", "GET / HTTP/1.1\r\n\r\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		hello, err := readClientHello(bytes.NewReader(input))
		if !bytes.HasPrefix(input, hello) || len(hello) > maxHello+recordHeader || err == nil && len(hello) == 0 {
			t.Fatalf("read %d bytes of %d: %v", len(hello), len(input), err)
		}
		_ = helloServerName(hello)
	})
}
