package http1

import (
	"io"
	"net"
	"testing"
)

// A head that is refused is answered before it is known whether a body follows.
func TestABodyThatWasNotBegunIsEmpty(t *testing.T) {
	var b Body
	for _, wait := range []bool{false, true} {
		if span, err := b.Next(wait); len(span) > 0 || err != io.EOF {
			t.Errorf("Next(%v) of the zero value gives %q, %v", wait, span, err)
		}
	}
	if !b.Done() || b.Trailers() != nil {
		t.Errorf("the zero value is not done, or has trailers")
	}
}

// A Body is reused for the requests of other connections.
func TestAResetBodyLetsItsConnectionBe(t *testing.T) {
	near, far := net.Pipe()
	defer near.Close()
	defer far.Close()
	go far.Write([]byte("0123456789"))
	conn := NewConn(near)
	if err := conn.Fill(0); err != nil {
		t.Fatal(err)
	}
	lim := DefaultLimits()
	var b Body
	b.Begin(conn, &Message{Body: BodyLength, ContentLength: 100}, &lim)
	if span, err := b.Next(false); len(span) == 0 || err != nil {
		t.Fatalf("Next gives %q, %v", span, err)
	}
	before := len(conn.Buffered())
	b.Reset()
	if _, err := b.Next(false); err != io.EOF {
		t.Errorf("Next after Reset gives %v, want EOF", err)
	}
	if got := len(conn.Buffered()); got != before {
		t.Errorf("Next after Reset consumed %d bytes of the connection", before-got)
	}
}
