package proxy

import (
	"bytes"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
	"github.com/limpet-dev/limpet/pkg/upstream"
)

func TestEjection_activeStreamContinues(t *testing.T) {
	r, b := newRig(t), startEcho(t, "b")
	more := make(chan string)
	a := startPod(t, "a", func(c *podConn) {
		if c.request() == nil {
			return
		}
		c.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		for text := range more {
			c.say(fmt.Sprintf("%x\r\n%s\r\n", len(text), text))
		}
		c.say("0\r\n\r\n")
	})
	r.serveEjecting(ejectQuickly, nil, a.endpoint(model.EndpointReady))
	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET / HTTP/1.1\r\nHost: shop.example\r\n\r\n")
	more <- "before"
	r.replace(cart, endpointsOf(a, b)...)
	pool := r.pools.Pool(cart)
	for range 3 {
		pool.Failed(r.endpoint(a), upstream.FailureConnect, &ejectQuickly)
	}
	if r.ejected() != "a" {
		t.Fatal("not ejected")
	}
	more <- "after"
	close(more)
	conn.SetReadDeadline(time.Now().Add(testTimeout))
	var got bytes.Buffer
	for !bytes.Contains(got.Bytes(), []byte("0\r\n\r\n")) {
		chunk := make([]byte, 4096)
		n, err := conn.Read(chunk)
		if err != nil {
			t.Fatal(err)
		}
		got.Write(chunk[:n])
	}
	if !bytes.Contains(got.Bytes(), []byte("after")) {
		t.Errorf("the stream is %q", got.String())
	}
}
