package proxy

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// swimmer is a client that speaks HTTP/2 or HTTP/3, over a connection that it shares with others.
type sharedClient struct {
	s    *storm
	over sharedConn
	rnd  *rand.Rand
}

// sharedConn is what swimmers share.
type sharedConn struct {
	by   string // what errands are told
	base string // of all URLs
	http.RoundTripper
}

func (s *storm) http2() http.RoundTripper {
	over := http2Client(s.t).Transport.(*http.Transport)
	s.ends = append(s.ends, over.CloseIdleConnections)
	return over
}

// http3 closes each connection that there was: the client forgets some that are open.
func (s *storm) http3() http.RoundTripper {
	var mu sync.Mutex
	var all []*quic.Conn
	over := &http3.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	over.Dial = func(ctx context.Context, addr string, t *tls.Config, q *quic.Config) (*quic.Conn, error) {
		conn, err := quic.DialAddrEarly(ctx, addr, t, q)
		if err == nil {
			mu.Lock()
			defer mu.Unlock()
			all = append(all, conn)
		}
		return conn, err
	}
	s.ends = append(s.ends, func() {
		over.Close()
		for _, conn := range all {
			_ = conn.CloseWithError(0, "") // fails where it has ended
		}
	})
	return over
}

func (w *sharedClient) run(errands int) {
	for range errands {
		e := w.s.newRequest(randomPath(w.rnd), w.over.by, w.rnd)
		e.Expect = false // for which the client would have to be told how long to wait
		if w.rnd.IntN(6) == 0 {
			w.abandon(e)
		} else {
			w.do(e)
		}
		w.s.done()
	}
}

func (w *sharedClient) do(e *stormRequest) {
	ctx, cancel := context.WithTimeout(w.s.t.Context(), stormTimeout)
	defer cancel()
	w.s.checkResult(e, resultOf(w.over.RoundTrip(w.request(ctx, e))))
}

// request can be sent again by the client, as it does where a connection takes no more.
func (w *sharedClient) request(ctx context.Context, e *stormRequest) *http.Request {
	q, err := http.NewRequestWithContext(ctx, e.Method, w.over.base+e.target(), nil)
	if err != nil {
		w.s.fault("%s: %v", e, err)
		return nil
	}
	q.Header.Set(requestIDField, e.id())
	q.Header.Set("TE", "trailers")
	if e.BodySize == noBody {
		return q
	}
	q.GetBody = func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(e.requestBody())), nil
	}
	q.Body, _ = q.GetBody()
	q.ContentLength = int64(e.BodySize)
	if e.Chunked {
		q.ContentLength = -1
	}
	if e.Trailers {
		q.Trailer = http.Header{requestIDTrailer: {e.id()}}
	}
	return q
}

var errAbandoned = errors.New("the client has changed its mind")

// leave cancels an errand at once, while its body is read, or within its answer; or its body fails.
func (w *sharedClient) abandon(e *stormRequest) {
	ctx, cancel := context.WithTimeout(w.s.t.Context(), stormTimeout)
	defer cancel()
	q := w.request(ctx, e)
	left := w.rnd.Int64N(1 << 16)
	switch w.rnd.IntN(4) {
	case 0:
		go func() { pause(); cancel() }()
	case 1:
		w.failBody(q, left, func() error { cancel(); return io.ErrUnexpectedEOF })
	case 2:
		w.failBody(q, left, func() error { return errAbandoned })
	}
	r, err := w.over.RoundTrip(q)
	if err != nil {
		return
	}
	_, _ = io.CopyN(io.Discard, r.Body, left)
	r.Body.Close()
}

// change makes the body end with an error after that much of it.
func (w *sharedClient) failBody(q *http.Request, after int64, end func() error) {
	if q.Body == nil {
		return
	}
	q.GetBody = nil
	q.Body = io.NopCloser(io.MultiReader(io.LimitReader(q.Body, after), failingReader(end)))
}

type failingReader func() error

func (f failingReader) Read([]byte) (int, error) { return 0, f() }
