package http2

import (
	"testing"

	"github.com/limpet-dev/limpet/pkg/http1"
)

// Streams whose answers nobody reads must not fill the window of their connection, however many the peer takes.
func TestThereAreNoMoreStreamsThanTheWindowHasRoomFor(t *testing.T) {
	o := fuzzOptions()
	o.StreamWindow, o.ConnectionWindow = 1<<16, 4<<16
	p := &tape{}
	c := NewClient(http1.NewConn(p), p, o)
	for range 4 {
		s, err := c.Open([]byte{0x82, 0x84, 0x86}, true, false)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close(CodeCancel)
	}
	if _, err := c.Open([]byte{0x82, 0x84, 0x86}, true, false); err == nil {
		t.Error("a fifth stream was opened")
	}
}
