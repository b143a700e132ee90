package proxy

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// http2FrameSize is the largest frame that Limpet takes.
const http2FrameSize = 16 << 10

// peer is an HTTP/2 client that can send arbitrary frames.
type peer struct {
	*http2.Framer
	conn    net.Conn
	t       testing.TB
	block   bytes.Buffer
	encoder *hpack.Encoder
	over    bool // the end of its stream has been read
}

// dialHTTP2 connects, and sends the preface with these settings.
func dialHTTP2(t testing.TB, addr string, settings ...http2.Setting) *peer {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return http2Over(t, conn, settings...)
}

func http2Over(t testing.TB, conn net.Conn, settings ...http2.Setting) *peer {
	t.Helper()
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(testTimeout))
	p := &peer{Framer: http2.NewFramer(conn, conn), conn: conn, t: t}
	p.AllowIllegalWrites = true
	p.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	p.encoder = hpack.NewEncoder(&p.block)
	_, err := io.WriteString(conn, http2.ClientPreface)
	p.must(err, p.WriteSettings(settings...))
	return p
}

func (p *peer) must(errs ...error) {
	p.t.Helper()
	if err := errors.Join(errs...); err != nil {
		p.t.Fatal(err)
	}
}

// plain are the pseudo headers of an ordinary request.
var plain = []string{":method", "GET", ":scheme", "http", ":authority", "shop.example", ":path", "/"}

// encode returns a block of fields: name, value, ...
func (p *peer) encode(fields ...string) []byte {
	p.block.Reset()
	for i := 0; i < len(fields); i += 2 {
		if err := p.encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}); err != nil {
			p.t.Fatal(err)
		}
	}
	return bytes.Clone(p.block.Bytes())
}

// open sends the head of a request with these fields. last sets END_STREAM, so that no body follows.
func (p *peer) open(id uint32, last bool, fields ...string) error {
	return p.WriteHeaders(http2.HeadersFrameParam{
		StreamID: id, BlockFragment: p.encode(fields...), EndStream: last, EndHeaders: true,
	})
}

// await reads frames up to the first that will do.
func (p *peer) await(what string, wanted func(http2.Frame) bool) http2.Frame {
	p.t.Helper()
	for {
		f, err := p.ReadFrame()
		if err != nil {
			p.t.Fatalf("waiting for %s: %v", what, err)
		}
		if wanted(f) {
			return f
		}
	}
}

// outcome is the result of a stream: the status of its response, or how it ends. That of stream 0 is the connection's.
func (p *peer) outcome(id uint32) string {
	for {
		frame, err := p.ReadFrame()
		if err != nil {
			return "closed"
		}
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			if f.StreamID == id {
				return f.PseudoValue("status")
			}
		case *http2.RSTStreamFrame:
			if f.StreamID == id {
				return f.ErrCode.String()
			}
		case *http2.GoAwayFrame:
			if f.ErrCode != http2.ErrCodeNo || id == 0 {
				return "GOAWAY " + f.ErrCode.String()
			}
		}
	}
}

// ended reads on until the connection has ended, which is waited for.
func (p *peer) ended() <-chan struct{} {
	done := make(chan struct{})
	go func() {
		defer close(done)
		if _, err := io.Copy(io.Discard, p.conn); errors.Is(err, os.ErrDeadlineExceeded) {
			p.t.Error("the connection stays open")
		}
	}()
	return done
}
