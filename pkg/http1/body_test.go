package http1

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// The response to a rejected head is sent before it is known whether a body follows.
func TestBody_zeroValue(t *testing.T) {
	var b Body
	for _, wait := range []bool{false, true} {
		if span, err := b.Next(wait); len(span) > 0 || err != io.EOF {
			t.Errorf("Next(%v) of the zero value = %q, %v", wait, span, err)
		}
	}
	if !b.Done() || b.Trailers() != nil {
		t.Errorf("the zero value is not done, or has trailers")
	}
}

// A Body is reused for requests of other connections.
func TestBody_Reset(t *testing.T) {
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
		t.Fatalf("Next = %q, %v", span, err)
	}
	before := len(conn.Buffered())
	b.Reset()
	if _, err := b.Next(false); err != io.EOF {
		t.Errorf("Next after Reset = %v, want EOF", err)
	}
	if got := len(conn.Buffered()); got != before {
		t.Errorf("Next after Reset consumed %d bytes of the connection", before-got)
	}
}

// bodyOver returns a body, and the connection that its bytes are read from.
func bodyOver(t *testing.T, m Message) (*Body, *Conn, net.Conn) {
	t.Helper()
	conn, far := connPair(t)
	lim := DefaultLimits()
	b := new(Body)
	b.Begin(conn, &m, &lim)
	return b, conn, far
}

func readAll(b *Body) (string, error) {
	var all strings.Builder
	for {
		span, err := b.Next(true)
		all.Write(span)
		if err != nil {
			return all.String(), err
		}
	}
}

func TestBody_framings(t *testing.T) {
	long := strings.Repeat("0123456789", 10_000)
	chunks := fmt.Sprintf("%x\r\n%s\r\n4;x\r\nmore\r\n0\r\nX-Sum: 1\r\n\r\n", len(long), long)
	for _, c := range []struct {
		name, wire, want string
		m                Message
		next             string // what follows on the connection
		trailers         int
	}{
		{"none", "", "", Message{}, "next", 0},
		{"a length", "body", "body", Message{Body: BodyLength, ContentLength: 4}, "next", 0},
		{"a long one", long, long, Message{Body: BodyLength, ContentLength: int64(len(long))}, "next", 0},
		{"chunks", chunks, long + "more", Message{Body: BodyChunked}, "next", 1},
		{"no chunks", "0\r\n\r\n", "", Message{Body: BodyChunked}, "next", 0},
		{"until close", long, long, Message{Body: BodyUntilClose}, "", 0},
	} {
		b, conn, far := bodyOver(t, c.m)
		go func() {
			io.WriteString(far, c.wire+c.next)
			far.Close()
		}()
		got, err := readAll(b)
		if got != c.want || err != io.EOF {
			t.Errorf("%s: %d bytes, %v, want %d", c.name, len(got), err, len(c.want))
		}
		if b.Done() != (c.m.Body != BodyUntilClose) || len(b.Trailers()) != c.trailers {
			t.Errorf("%s: done %v, %d trailers", c.name, b.Done(), len(b.Trailers()))
		}
		if rest, _ := io.ReadAll(conn); string(rest) != c.next {
			t.Errorf("%s: %q follows, want %q", c.name, rest, c.next)
		}
	}
}

func TestBody_truncatedOrMalformed(t *testing.T) {
	for _, c := range []struct {
		name, wire, want string
		m                Message
		err              error
	}{
		{"short of its length", "bo", "bo", Message{Body: BodyLength, ContentLength: 4}, io.ErrUnexpectedEOF},
		{"nothing of it", "", "", Message{Body: BodyLength, ContentLength: 4}, io.ErrUnexpectedEOF},
		{"amid a chunk", "4\r\nbo", "bo", Message{Body: BodyChunked}, io.ErrUnexpectedEOF},
		{"between chunks", "2\r\nbo\r\n", "bo", Message{Body: BodyChunked}, io.ErrUnexpectedEOF},
		{"amid the trailers", "0\r\nX-Sum: 1\r\n", "", Message{Body: BodyChunked}, io.ErrUnexpectedEOF},
		{"no chunk", "2\r\nbo\r\nzz\r\n", "bo", Message{Body: BodyChunked}, ErrChunkSize},
	} {
		b, _, far := bodyOver(t, c.m)
		io.WriteString(far, c.wire)
		far.Close()
		if got, err := readAll(b); got != c.want || err != c.err || b.Done() {
			t.Errorf("%s: got %q, %v, done %v, want %q, %v", c.name, got, err, b.Done(), c.want, c.err)
		}
	}
}

func TestBody_nextWithoutWait(t *testing.T) {
	for framing, wire := range map[Framing]string{BodyLength: "body", BodyChunked: "4\r\nbody\r\n", BodyUntilClose: "body"} {
		b, conn, far := bodyOver(t, Message{Body: framing, ContentLength: 8})
		if span, err := b.Next(false); len(span) > 0 || err != ErrIncomplete {
			t.Errorf("framing %d: got %q, %v before anything came", framing, span, err)
		}
		io.WriteString(far, wire)
		if err := conn.Fill(0); err != nil {
			t.Fatal(err)
		}
		if span, err := b.Next(false); string(span) != "body" || err != nil {
			t.Errorf("framing %d: got %q, %v", framing, span, err)
		}
		if span, err := b.Next(false); len(span) > 0 || err != ErrIncomplete {
			t.Errorf("framing %d: got %q, %v after all that came", framing, span, err)
		}
	}
}
