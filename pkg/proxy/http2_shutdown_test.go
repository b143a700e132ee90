package proxy

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"golang.org/x/net/http2"
)

// serveGated makes a pod that echoes each request once the gate is open. The first channel receives the path of each
// request that arrives.
func (r *rig) serveGated() (asked chan string, gate chan struct{}) {
	r.t.Helper()
	asked, gate = make(chan string, maxStreams), make(chan struct{})
	r.servePods(nil, 1, func(_ string, w http.ResponseWriter, q *http.Request) {
		http.NewResponseController(w).EnableFullDuplex()
		asked <- q.URL.Path
		<-gate
		io.Copy(w, q.Body)
		io.WriteString(w, "whole")
	})
	return asked, gate
}

// RFC 9113 section 6.8: a client that sends GOAWAY still gets the responses to its requests.
func TestHTTP2_clientGoAway(t *testing.T) {
	r := newRig(t)
	asked, gate := r.serveGated()
	g := dialGiver(t, r.addr)
	g.begin(1, "/")
	g.must(g.open(3, true, plain...))
	<-asked
	<-asked
	g.must(g.WriteGoAway(0, http2.ErrCodeNo, []byte("bye")), g.WritePing(false, [8]byte{}))
	for !isPing(g.next()) {
	}
	g.send(1, 100_000, http2FrameSize, 0)
	close(gate)
	g.must(g.WriteData(1, true, nil))
	for !strings.HasSuffix(g.body[1], "whole") || g.body[3] != "whole" {
		g.next()
	}
	if len(g.body[1]) != 100_000+len("whole") {
		t.Errorf("%d bytes came back", len(g.body[1]))
	}
}

// GOAWAY names the last stream that is still served. Later requests have not been processed, and can be sent elsewhere.
func TestShutdown_http2StreamsComplete(t *testing.T) {
	r := newRig(t)
	asked, gate := r.serveGated()
	g := dialGiver(t, r.addr)
	g.begin(1, "/")
	g.must(g.open(3, true, plain...))
	<-asked
	<-asked
	stopped := make(chan error, 1)
	go func() { stopped <- r.server.Shutdown(t.Context()) }()
	last, id := awaitGoodbye(g), uint32(5)
	for ; id < 25; id += 2 { // on their way when the GOAWAY came
		g.must(g.open(id, true, plain...))
	}
	g.send(1, 100_000, http2FrameSize, 0)
	close(gate)
	g.must(g.WriteData(1, true, nil))
	for {
		frame, err := g.ReadFrame()
		if err != nil {
			break // the connection has ended, in order
		}
		switch f := frame.(type) {
		case *http2.GoAwayFrame:
			last = min(last, f.LastStreamID)
		case *http2.DataFrame:
			g.body[f.StreamID] += string(f.Data())
			g.must(g.WriteWindowUpdate(0, max(f.Length, 1)))
		}
	}
	if len(g.body[1]) != 100_000+len("whole") {
		t.Errorf("stream 1 got %d bytes", len(g.body[1]))
	}
	for i := uint32(3); i < id; i += 2 {
		if want := map[bool]string{true: "whole"}[i <= last]; g.body[i] != want {
			t.Errorf("stream %d got %q, and the last one to be served was %d", i, g.body[i], last)
		}
	}
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if n := len(asked); uint32(n)*2+3 > last {
		t.Errorf("the pod got %d more requests", n)
	}
}

func awaitGoodbye(g *giver) (last uint32) {
	g.t.Helper()
	for {
		if f, ok := g.next().(*http2.GoAwayFrame); ok {
			if f.ErrCode != http2.ErrCodeNo || f.LastStreamID < 3 {
				g.t.Fatalf("the goodbye is %v", f)
			}
			return f.LastStreamID
		}
	}
}

func TestShutdown_http2IdleConnection(t *testing.T) {
	r := newRig(t)
	r.serveEcho()
	p := dialHTTP2(t, r.addr)
	p.must(p.open(1, true, plain...))
	p.await("the end of the response", ends)
	if err := r.server.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if got := p.outcome(0); got != "GOAWAY NO_ERROR" {
		t.Errorf("it ends with %s", got)
	}
	<-p.ended()
}

// RFC 7541 section 4.2: what Limpet sends can be decoded with the table size that the client allows, and refers to no
// entry beyond it.
func TestHTTP2Settings_headerTableSize(t *testing.T) {
	r := newRig(t)
	r.serveEcho()
	p := dialHTTP2(t, r.addr, http2.Setting{ID: http2.SettingHeaderTableSize, Val: 0})
	p.ReadMetaHeaders.SetAllowedMaxDynamicTableSize(0)
	p.ReadMetaHeaders.SetMaxDynamicTableSize(0)
	id := uint32(1)
	for step, size := range []uint32{0, 4096, 100, 1 << 20, 1<<32 - 1, 0, 64, 0} {
		p.must(p.WriteSettings(http2.Setting{ID: http2.SettingHeaderTableSize, Val: size}))
		p.await("the acknowledgement", isSettingsAck)
		p.ReadMetaHeaders.SetAllowedMaxDynamicTableSize(size)
		if size == 0 { // no reference may be made from now on
			p.ReadMetaHeaders.SetMaxDynamicTableSize(0)
		}
		for i := range 20 {
			mark := fmt.Sprintf("%d of %d", i, step)
			p.must(p.open(id, true, append(plain[:len(plain):len(plain)], "mark", mark)...))
			head := p.await("the response", func(f http2.Frame) bool { return f.Header().StreamID == id })
			expectField(t, head.(*http2.MetaHeadersFrame), "saw-mark", mark)
			id += 2
		}
	}
}

// RFC 9113 section 4.2: no frame is longer than what the client takes, however long a response's fields are.
func TestHTTP2Settings_maxFrameSize(t *testing.T) {
	r := newRig(t)
	r.servePods(nil, 1, func(_ string, w http.ResponseWriter, _ *http.Request) {
		for i := range 40 {
			w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("~", 1000)) // Huffman makes it longer
		}
		io.CopyN(w, &patterned{}, 100_000)
	})
	for _, size := range []uint32{1 << 14, 20_000, 1<<24 - 1} {
		k := dialTaker(t, r.addr, 200_000)
		k.must(k.WriteSettings(http2.Setting{ID: http2.SettingMaxFrameSize, Val: size}))
		k.await("the acknowledgement", isSettingsAck)
		k.SetMaxReadFrameSize(size) // the Framer refuses what is longer
		k.grant(0, 1<<20)
		k.ask(1, 0)
		k.end(1, 100_000)
	}
}

// RFC 9113 section 6.8: a stream that a GOAWAY reported as not processed stays unprocessed, since the client may have
// sent its request elsewhere.
func TestGoAway_lastStreamNeverIncreases(t *testing.T) {
	r := newRig(t)
	asked, gate := r.serveGated()
	g := dialGiver(t, r.addr)
	g.must(g.open(1, true, plain...), g.open(3, true, plain...))
	<-asked
	<-asked
	stopped := make(chan error, 1)
	go func() { stopped <- r.server.Shutdown(t.Context()) }()
	last := awaitGoodbye(g)
	for last == maxStreamID { // that is only the announcement
		if f := g.next(); isPing(f) {
			g.must(g.WritePing(true, f.(*http2.PingFrame).Data))
		} else if goodbye, ok := f.(*http2.GoAwayFrame); ok {
			last = goodbye.LastStreamID
		}
	}
	g.must(g.open(last+2, true, plain...), g.WriteData(0, false, nil))
	end := g.await("the end", func(f http2.Frame) bool { return f.Header().Type == http2.FrameGoAway }).(*http2.GoAwayFrame)
	if end.ErrCode != http2.ErrCodeProtocol || end.LastStreamID > last {
		t.Errorf("it ends with %v, and %d was the last", end, last)
	}
	close(gate)
	g.peer.conn.Close()
	<-stopped
}
