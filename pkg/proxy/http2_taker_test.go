package proxy

import (
	"io"
	"net/http"
	"strconv"
	"testing"

	"golang.org/x/net/http2"
)

// taker is a peer that tracks the windows that it has granted and the data that it has received (RFC 9113 section 6.9).
type taker struct {
	*peer
	conn    int64   // what may still come on all streams
	initial int64   // of each stream, as acknowledged
	changes []int64 // of initial that were sent and not acknowledged
	streams map[uint32]*taken
}

// taken is one response.
type taken struct {
	granted int64 // beyond the initial window
	got     int64
	ended   bool
	fate    string // the code of a reset
}

const firstWindow = 65_535 // RFC 9113 section 6.9.2

// dialTaker connects, and waits until its window is acknowledged.
func dialTaker(t *testing.T, addr string, initial int64) *taker {
	t.Helper()
	p := dialHTTP2(t, addr, http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(initial)})
	p.await("the acknowledgement", isSettingsAck)
	return &taker{peer: p, conn: firstWindow, initial: initial, streams: map[uint32]*taken{}}
}

// ask opens a stream for a response of n bytes.
func (k *taker) ask(id uint32, n int) {
	k.t.Helper()
	k.streams[id] = &taken{}
	k.must(k.open(id, true, append([]string{":path", "/" + strconv.Itoa(n)}, plain[:6]...)...))
}

func (k *taker) grant(id uint32, n int64) {
	k.t.Helper()
	if id == 0 {
		k.conn += n
	} else {
		k.streams[id].granted += n
	}
	k.must(k.WriteWindowUpdate(id, uint32(n)))
}

// change sets another initial window, which holds once it is acknowledged.
func (k *taker) change(initial int64) {
	k.t.Helper()
	k.changes = append(k.changes, initial)
	k.must(k.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: uint32(initial)}))
}

// left is what may still come on a stream, before a change if that allows more.
func (k *taker) left(s *taken) int64 {
	initial := k.initial
	for _, c := range k.changes {
		initial = max(initial, c)
	}
	return initial + s.granted - s.got
}

// next reads one frame, and fails if it was not allowed.
func (k *taker) next() http2.Frame {
	k.t.Helper()
	frame, err := k.ReadFrame()
	k.must(err)
	s := k.streams[frame.Header().StreamID]
	switch f := frame.(type) {
	case *http2.SettingsFrame:
		if f.IsAck() {
			k.initial, k.changes = k.changes[0], k.changes[1:]
		}
	case *http2.DataFrame:
		k.data(s, f)
	case *http2.RSTStreamFrame:
		s.ended, s.fate = true, f.ErrCode.String()
	}
	if ends(frame) {
		s.ended = true
	}
	return frame
}

func (k *taker) data(s *taken, f *http2.DataFrame) {
	k.t.Helper()
	length := int64(f.Length)
	if length > 0 && (length > k.left(s) || length > k.conn) {
		k.t.Fatalf("%d bytes on stream %d, whose window is %d, that of the connection %d", length, f.StreamID, k.left(s), k.conn)
	}
	for i, b := range f.Data() {
		if b != pattern(s.got+int64(i)) {
			k.t.Fatalf("stream %d: byte %d is %d", f.StreamID, s.got+int64(i), b)
		}
	}
	s.got += length
	k.conn -= length
}

// until reads on until a stream has this much.
func (k *taker) until(id uint32, got int64) {
	k.t.Helper()
	for s := k.streams[id]; s.got < got; {
		k.next()
		if s.ended && s.got < got {
			k.t.Fatalf("stream %d ends with %d bytes and %q, want %d", id, s.got, s.fate, got)
		}
	}
}

// quiet fails if there is more on its way than stream id has.
func (k *taker) quiet(id uint32, got int64) {
	k.t.Helper()
	k.must(k.WritePing(false, [8]byte{1}))
	for !isPing(k.next()) {
	}
	if n := k.streams[id].got; n != got {
		k.t.Fatalf("stream %d has %d bytes, want %d", id, n, got)
	}
}

// end reads a stream to its end, at which it must have this much.
func (k *taker) end(id uint32, got int64) {
	k.t.Helper()
	s := k.streams[id]
	for !s.ended {
		k.next()
	}
	if s.got != got || s.fate != "" {
		k.t.Fatalf("stream %d ends with %d bytes and %q, want %d", id, s.got, s.fate, got)
	}
}

func pattern(at int64) byte { return byte(at % 251) }

type patterned struct{ at int64 }

func (p *patterned) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = pattern(p.at + int64(i))
	}
	p.at += int64(len(b))
	return len(b), nil
}

// serveBytes makes the endpoint of cart a pod that responds with the number of bytes in the path.
func (r *rig) serveBytes() {
	r.t.Helper()
	r.servePods(nil, 1, func(_ string, w http.ResponseWriter, q *http.Request) {
		n, _ := strconv.ParseInt(q.URL.Path[1:], 10, 64)
		if q.URL.RawQuery != "chunked" {
			w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
		}
		io.CopyN(w, &patterned{}, n)
	})
}
