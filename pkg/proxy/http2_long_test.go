package proxy

import (
	"strings"
	"testing"

	"golang.org/x/net/http2"
)

// One field that is too long is no reason to end what else is open.
func TestAFieldLongerThanAHeadMayBeIsTheAffairOfItsStream(t *testing.T) {
	r := newRig(t)
	r.serveEcho()
	p := dialHTTP2(t, r.addr)
	long := p.encode(append([]string{}, append(plain, "x-long", strings.Repeat("\\", r.server.Limits.HeadBytes+1))...)...)
	p.must(p.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: long[:http2FrameSize], EndStream: true}))
	for long = long[http2FrameSize:]; len(long) > http2FrameSize; long = long[http2FrameSize:] {
		p.must(p.WriteContinuation(1, false, long[:http2FrameSize]))
	}
	p.must(p.WriteContinuation(1, true, long))
	if got := p.outcome(1); got != "431" {
		t.Errorf("it ends with %s", got)
	}
}
