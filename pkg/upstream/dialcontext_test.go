package upstream

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"syscall"
	"testing"
	"time"
)

// silentPod returns an endpoint that accepts connections and never writes.
func silentPod(t *testing.T) *Endpoint {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	e := &Endpoint{}
	e.Address = l.Addr().String()
	return e
}

func TestDial_contextCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	d := &Dialer{Context: ctx, Dialer: net.Dialer{Timeout: time.Minute}}
	d.Control = func(string, string, syscall.RawConn) error { cancel(); return nil }
	conn, err := silentPod(t).Dial(d, &Transport{}, nil)
	if err == nil {
		conn.Close()
		t.Error("connected although the context has ended")
	}
}

func TestDial_contextCanceledInHandshake(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	d := &Dialer{Context: ctx, Dialer: net.Dialer{Timeout: time.Minute}}
	transport := &Transport{tls: &tls.Config{ServerName: "pod", MinVersion: tls.VersionTLS12}}
	time.AfterFunc(20*time.Millisecond, cancel) // usually during the handshake, otherwise before it: both must fail
	began := time.Now()
	if _, err := silentPod(t).Dial(d, transport, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("failed with %v, want context canceled", err)
	}
	if took := time.Since(began); took >= d.Timeout {
		t.Errorf("took %s, as long as without a context", took)
	}
}
