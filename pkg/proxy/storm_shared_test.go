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

// sharedClient is an HTTP/2 or HTTP/3 client that shares its connection with other clients.
type sharedClient struct {
	s    *storm
	over sharedConn
	rnd  *rand.Rand
}

// sharedConn is a connection of several sharedClients.
type sharedConn struct {
	by   string // the Client of the requests
	base string // prefix of all URLs
	http.RoundTripper
}

func (s *storm) http2() http.RoundTripper {
	over := http2Client(s.t).Transport.(*http.Transport)
	s.ends = append(s.ends, over.CloseIdleConnections)
	return over
}

// http3 closes every connection at the end, because the client of quic-go does not track all of them.
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
			_ = conn.CloseWithError(0, "") // fails if it has ended
		}
	})
	return over
}

func (w *sharedClient) run(requests int) {
	for range requests {
		e := w.s.newRequest(randomPath(w.rnd), w.over.by, w.rnd)
		e.Expect = false // the client would need a timeout for 100 Continue
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

// request returns a request with GetBody, so that the client can resend it on another connection.
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

var errAbandoned = errors.New("the client abandoned the request")

// abandon cancels a request immediately, while its body is sent, or within its response; or its body fails.
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

// failBody makes the body fail after that many bytes.
func (w *sharedClient) failBody(q *http.Request, after int64, end func() error) {
	if q.Body == nil {
		return
	}
	q.GetBody = nil
	q.Body = io.NopCloser(io.MultiReader(io.LimitReader(q.Body, after), failingReader(end)))
}

type failingReader func() error

func (f failingReader) Read([]byte) (int, error) { return 0, f() }
