package proxy

import (
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/limpet-dev/limpet/pkg/exchange"
)

// A client that stops in the middle of anything is waited for as long as the timeout of that says, and no longer.
func TestHTTP2Timeouts_slowClients(t *testing.T) {
	r := newRig(t, quick(func(o *exchange.Timeouts) {
		o.Head, o.Idle, o.Body = later, later, later
	}))
	r.servePods(nil, 1, func(_ string, w http.ResponseWriter, q *http.Request) {
		if q.Method == http.MethodPost {
			io.Copy(io.Discard, q.Body)
			return
		}
		io.CopyN(w, &patterned{}, 64<<20)
	})
	const connection, stream = "connection", "stream"
	for _, c := range []struct {
		name string
		ends string
		send func(p *peer) error
	}{
		{"half a frame", connection, func(p *peer) error { return write(p.conn, "\x00\x00\x08\x06\x00") }},
		{"a head without its end", connection, func(p *peer) error { return openUnfinished(p, 0) }},
		{"half a head", connection, func(p *peer) error { return write(p.conn, "\x00\x00\x09\x01\x05\x00\x00\x00\x01\x82") }},
		{"nothing", connection, func(*peer) error { return nil }},
		{"nothing after a request", connection, func(p *peer) error {
			p.must(p.open(1, true, append([]string{":method", "HEAD"}, plain[2:]...)...))
			p.await("the response", ends)
			return nil
		}},
		{"a body that does not begin", stream, func(p *peer) error { return openPost(p, 0) }},
		{"a body that stops", stream, func(p *peer) error {
			p.must(openPost(p, 0))
			return p.WriteData(1, false, []byte("x"))
		}},
		{"a body of nothing but padding", stream, func(p *peer) error {
			p.must(openPost(p, 0))
			return p.WriteDataPadded(1, false, nil, octets(9))
		}},
		{"a window that stays closed", stream, func(p *peer) error {
			p.must(p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}))
			return p.open(1, true, plain...)
		}},
		{"the window of the connection that stays closed", stream, func(p *peer) error {
			p.must(p.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1 << 30}))
			return p.open(1, true, plain...)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := dialHTTP2(t, r.addr)
			p.must(c.send(p))
			if c.ends == connection {
				<-p.ended()
				return
			}
			if got := p.fate(1); got != "408" && got != "CANCEL" && got != "INTERNAL_ERROR" && got != "closed" && got != "NO_ERROR" {
				t.Errorf("the stream ends with %s", got)
			}
		})
	}
}

func write(conn net.Conn, text string) error {
	_, err := io.WriteString(conn, text)
	return err
}

// fate is how a stream ends: its status unless that is 200, or the code of its reset.
func (p *peer) fate(id uint32) string {
	for {
		if got := p.outcome(id); got != "200" {
			return got
		}
	}
}

// What is held of a client's own accord alone does not keep a connection: it may ping for ever.
func TestHTTP2Timeouts_pingsDoNotCount(t *testing.T) {
	r := newRig(t, quick(func(o *exchange.Timeouts) { o.Idle = 300 * time.Millisecond }))
	r.serveEcho()
	p := dialHTTP2(t, r.addr)
	ended := p.ended()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return
		case <-tick.C:
			if p.WritePing(false, [8]byte{}) != nil {
				<-ended
				return
			}
		}
	}
}

// A client that reads nothing at all, not even its socket, holds no more than that.
func TestHTTP2Timeouts_clientDoesNotRead(t *testing.T) {
	r := newRig(t, quick(func(o *exchange.Timeouts) { o.Body = 500 * time.Millisecond }))
	done := make(chan struct{}, maxStreams)
	r.servePods(nil, 1, func(name string, w http.ResponseWriter, q *http.Request) {
		if q.URL.Path == "/honest" {
			io.WriteString(w, name)
			return
		}
		for {
			if _, err := io.WriteString(w, mebibyte); err != nil {
				done <- struct{}{}
				return
			}
		}
	})
	const streams = 50
	bounded(t, r, func() {
		p := dialHTTP2(t, r.addr, http2.Setting{ID: http2.SettingInitialWindowSize, Val: 1<<31 - 1})
		p.must(p.WriteWindowUpdate(0, 1<<31-1-firstWindow))
		for i := range uint32(streams) {
			p.must(p.open(2*i+1, true, plain...))
		}
		for range streams {
			<-done
		}
	})
}

// After an incomplete or invalid preface, the connection ends without a successful response.
func TestHTTP2Timeouts_incompletePreface(t *testing.T) {
	r := newRig(t, quick(func(o *exchange.Timeouts) { o.Head, o.Idle = 300*time.Millisecond, 300*time.Millisecond }))
	r.serveEcho()
	for _, begun := range []string{
		http2.ClientPreface[:1], http2.ClientPreface[:17], http2.ClientPreface[:18], http2.ClientPreface[:23], http2.ClientPreface,
		http2.ClientPreface + "\x00\x00\x06\x04", strings.Replace(http2.ClientPreface, "SM", "XX", 1),
		http2.ClientPreface + "\x00\x00\x08\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", // no settings
	} {
		c := r.dial()
		c.send(begun)
		if rest := c.rest(); strings.Contains(rest, "HTTP/1.1 200") {
			t.Errorf("%q got %q", begun, rest)
		}
	}
}
