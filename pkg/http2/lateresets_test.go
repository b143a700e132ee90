package http2

import (
	"bytes"
	"testing"
	"testing/synctest"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// writtenBy returns what the connection has written since the last call.
func writtenBy(g *blockingConn) []byte {
	synctest.Wait()
	written := bytes.Clone(g.written.Bytes())
	g.written.Reset()
	return written
}

// hasReset reports whether frames contain a RST_STREAM of stream 1 with NO_ERROR.
func hasReset(frames []byte) bool { return bytes.Contains(frames, appendReset(nil, 1, CodeNone)) }

// TestLateReset_afterResponse checks that a response that is complete before its request is written alone, and that its stream
// is reset in a later write.
func TestLateReset_afterResponse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := newBlockingConn()
		close(g.writable)
		c := NewServer(http1.NewConn(g), g, testOptions(), func(*Stream) {})
		s := open(c, 1)
		if err := s.SendHead([]byte{0x8c}, true); err != nil {
			t.Fatal(err)
		}
		s.Close(CodeInternal)
		if b := writtenBy(g); !bytes.Contains(b, []byte{0x8c}) || hasReset(b) {
			t.Fatalf("first the connection writes %q", b)
		}
		c.SendLateResets()
		if b := writtenBy(g); len(b) > 0 {
			t.Errorf("immediately after it, the connection writes %q", b)
		}
		c.SendLateResets()
		if b := writtenBy(g); !hasReset(b) {
			t.Errorf("the stream is not reset: %q", b)
		}
		c.SendLateResets()
		c.SendLateResets()
		if b := writtenBy(g); len(b) > 0 {
			t.Errorf("after the reset, the connection writes %q", b)
		}
	})
}

// TestLateReset_slowReader checks that the reset has a write of its own even if the response has waited for the client to read.
func TestLateReset_slowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := newBlockingConn()
		c := NewServer(http1.NewConn(g), g, testOptions(), func(*Stream) {})
		c.SendLateResets() // starts to write SETTINGS, which blocks
		synctest.Wait()
		s := open(c, 1)
		if err := s.SendHead([]byte{0x8c}, true); err != nil {
			t.Fatal(err)
		}
		s.Close(CodeInternal)
		for range 3 {
			c.SendLateResets()
		}
		synctest.Wait()
		close(g.writable)
		if b := writtenBy(g); !hasReset(b) || g.writes.Load() != 3 {
			t.Errorf("SETTINGS, response and reset take %d writes: %q", g.writes.Load(), b)
		}
	})
}

// TestLateReset_connectionEnds checks that no reset is lost when the connection ends first.
func TestLateReset_connectionEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, _ := newBlockingConn()
		close(g.writable)
		c := NewServer(http1.NewConn(g), g, testOptions(), func(*Stream) {})
		s := open(c, 1)
		if err := s.SendHead([]byte{0x8c}, true); err != nil {
			t.Fatal(err)
		}
		s.Close(CodeInternal)
		synctest.Wait()
		c.fail(protocolError("test"))
		if b := writtenBy(g); !hasReset(b) {
			t.Errorf("the connection writes %q", b)
		}
	})
}
