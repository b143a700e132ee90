package proxy

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// keptBody is how much of a request's body is kept for sending it once more. Most calls by gRPC fit.
const keptBody = 64 << 10

// upload is the body of a request as net/http reads it, in goroutines of its own and perhaps after the exchange is over.
// What has been read is kept up to keptBody, for a pod that says that it has not begun with the request, as it does while
// it shuts down, and for another pod after that.
type upload struct {
	pump     *bodyPump
	trailers http.Header // that were announced
	isOver   atomic.Bool

	mu     sync.Mutex
	kept   []byte
	rest   []byte // of a span that was not kept
	isLong bool   // more has been read than was kept
	err    error  // after which nothing comes
}

var (
	errUploadOver = errors.New("the exchange is over")
	errUploadLong = errors.New("the body is too long to be kept for another attempt")
)

// open gives a reader from the beginning. It fails where that is gone.
func (u *upload) open() (io.ReadCloser, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.isLong {
		return nil, errUploadLong
	}
	return &uploadReader{upload: u}, nil
}

// canOpen reports whether open would succeed.
func (u *upload) canOpen() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return !u.isLong
}

// stop returns when nobody reads from the client any more.
func (u *upload) stop() {
	u.isOver.Store(true)
	if !u.pump.isRead() {
		u.pump.x.down.interruptBody()
	}
	u.mu.Lock()
	defer u.mu.Unlock()
}

// more reads the next span from the client.
func (u *upload) more() {
	if u.isOver.Load() {
		u.err = errUploadOver
		return
	}
	span, err := u.pump.take()
	switch {
	case err == io.EOF:
		u.err = err
		u.takeTrailers()
	case err != nil:
		u.err = err
	case !u.isLong && len(u.kept)+len(span) <= keptBody:
		u.kept = append(u.kept, span...)
	default:
		u.isLong, u.rest = true, span
	}
}

func (u *upload) takeTrailers() {
	trailers := u.pump.x.down.trailers()
	for i := range trailers {
		name := http.CanonicalHeaderKey(string(trailers[i].Name))
		if _, announced := u.trailers[name]; announced {
			u.trailers[name] = append(u.trailers[name], string(trailers[i].Value))
		}
	}
}

// uploadReader reads an upload for one attempt. Only the last one that was opened gets what is not kept.
type uploadReader struct {
	upload *upload
	at     int // in what is kept
}

// Read is part of io.Reader.
func (r *uploadReader) Read(p []byte) (n int, err error) {
	u := r.upload
	u.mu.Lock()
	defer u.mu.Unlock()
	for {
		switch {
		case r.at < len(u.kept):
			n = copy(p, u.kept[r.at:])
			r.at += n
			return n, nil
		case len(u.rest) > 0:
			n = copy(p, u.rest)
			u.rest = u.rest[n:]
			return n, nil
		case u.err != nil:
			return 0, u.err
		}
		u.more()
	}
}

// Close is part of io.Closer. The client's body outlives an attempt.
func (r *uploadReader) Close() error { return nil }
