package proxy

import (
	"errors"
	"net"
	"testing"
)

// flaky is a listener that fails at first, as one does that has no file descriptors left.
type flaky struct {
	net.Listener
	failures int
}

func (f *flaky) Accept() (net.Conn, error) {
	if f.failures > 0 {
		f.failures--
		return nil, errors.New("too many open files")
	}
	return f.Listener.Accept()
}

func TestAccept_continuesAfterFailure(t *testing.T) {
	r := newRig(t)
	r.serve(nil, startEcho(t, "pod-a"))
	l := &flaky{Listener: loopback(t), failures: 2}
	ended := make(chan error, 1)
	go func() { ended <- r.server.Serve(l) }()
	callTo(t, l.Addr().String()).get("/").expectOK(t, "")
	r.server.Close()
	if err := <-ended; err != nil {
		t.Errorf("Serve returned %v", err)
	}
}

func TestServe_closedListener(t *testing.T) {
	r := newRig(t)
	l := loopback(t)
	l.Close()
	if err := r.server.Serve(l); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve returned %v", err)
	}
}

func TestClose_acceptsNoConnection(t *testing.T) {
	r := newRig(t)
	r.server.Close()
	near, far := loopbackPair(t)
	r.server.admit(near, transport{serve: func(*client) { t.Error("it is served") }})
	callOver(t, far).expectClosed()
}
