package http2

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// TestConn_unwrittenRequestIsRefused checks that a request that was still buffered when the connection ended can be retried.
func TestConn_unwrittenRequestIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, peer := newBlockingConn()
		c := NewClient(http1.NewConn(g), g, testOptions())
		written, err := c.Open([]byte{0x82}, true, false)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		waiting, err := c.Open([]byte{0x82}, true, false)
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error)
		go func() { served <- c.Serve() }()
		peer.Close()
		if _, err := waiting.AwaitHead(); !errors.Is(err, ErrRefused) {
			t.Errorf("the buffered request fails with %v", err)
		}
		if _, err := written.AwaitHead(); errors.Is(err, ErrRefused) {
			t.Errorf("the request that was being written fails with %v", err)
		}
		close(g.writable)
		<-served
		if n := bytes.Count(g.written.Bytes(), []byte{frameHeaders, flagEndHeaders | flagEndStream}); n != 1 {
			t.Errorf("%d requests were written", n)
		}
	})
}

// TestConn_closeDoesNotBlock covers a pod that does not read, so that closing the TLS connection takes seconds. Other requests
// need the locks of the pool meanwhile.
func TestConn_closeDoesNotBlock(t *testing.T) {
	for name, end := range map[string]func(c *Conn){
		"retired": (*Conn).Retire,
		"idle":    func(c *Conn) { c.CheckHealth(time.Now().Add(time.Hour)) },
		"silent": func(c *Conn) {
			_, _ = c.Open([]byte{0x82}, true, false)
			c.CheckHealth(time.Time{})
			c.CheckHealth(time.Time{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, _ := newBlockingConn()
				close(g.writable)
				c := NewClient(http1.NewConn(g), g, testOptions())
				ended := make(chan struct{})
				go func() {
					end(c)
					close(ended)
				}()
				synctest.Wait()
				select {
				case <-ended:
				default:
					t.Error("closing the connection blocks")
				}
				close(g.closed)
			})
		})
	}
}

// TestCheckHealth_onePingForSilentStream covers pods that use grpc-go. They close a connection with all of its streams if they
// receive three PINGs within 5 minutes without other traffic.
func TestCheckHealth_onePingForSilentStream(t *testing.T) {
	p := &scriptedConn{}
	c := NewClient(http1.NewConn(p), p, testOptions())
	s, err := c.Open([]byte{0x82}, true, false)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		c.CheckHealth(time.Time{})
		if c.pingSent {
			c.recv.framesReceived.Add(1) // the PING acknowledgment
		}
	}
	s.Close(CodeCancel)
	c.fail(ErrClosed)
	if n := bytes.Count(p.written.Bytes(), []byte("there?")); n != 1 {
		t.Errorf("%d PINGs were sent", n)
	}
}
