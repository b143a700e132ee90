package exchange

import (
	"bytes"
	"errors"
	"io"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/memory"
)

// uploader is a client. Its body consists of buffered and then of spans, and ends when spans is closed.
type uploader struct {
	buffered    [][]byte
	spans       chan []byte
	interrupted chan struct{}
}

func (u *uploader) Next(wait bool) ([]byte, error) {
	if len(u.buffered) > 0 {
		span := u.buffered[0]
		u.buffered = u.buffered[1:]
		return span, nil
	}
	if !wait {
		return nil, http1.ErrIncomplete
	}
	select {
	case span, more := <-u.spans:
		if !more {
			return nil, io.EOF
		}
		return span, nil
	case <-u.interrupted:
		return nil, errors.New("interrupted")
	}
}

func (u *uploader) Trailers() []http1.Field     { return nil }
func (u *uploader) SetDeadline(time.Time) error { return nil }

func (u *uploader) SetReadDeadline(time.Time) error {
	close(u.interrupted)
	return nil
}

// sink is a pod that accepts a body, or fails with err.
type sink struct {
	got            bytes.Buffer
	err            error
	claimsToAccept bool // canWrite returns true although writes fail
	gotEnd         bool
}

func (s *sink) canWrite(int) bool { return s.err == nil || s.claimsToAccept }

func (s *sink) write(span []byte) error {
	s.got.Write(span)
	return s.err
}

func (s *sink) flush() error { return s.err }

func (s *sink) end([]http1.Field) error {
	s.gotEnd = s.err == nil
	return s.err
}

func (s *sink) close() {}

// newRefusedUpload starts a pump for a pod that refuses the request.
func newRefusedUpload() (x *Exchange, from *uploader) {
	x, from = newUpload(&sink{err: errors.New("refused")})
	x.body.sendRest()
	return x, from
}

// newUpload returns an exchange whose pump has sent nothing yet.
func newUpload(pod *sink) (x *Exchange, from *uploader) {
	from = &uploader{spans: make(chan []byte), interrupted: make(chan struct{})}
	x = &Exchange{source: new(BodySource), guard: new(Guard)}
	x.request.begin(&Connection{Engine: &Engine{}})
	x.source.Reset(from, from)
	x.view.Limits.BodyBytes = math.MaxInt64
	x.req.Body = http1.BodyChunked
	_ = x.body.start(x, pod, true)
	return x, from
}

// send sends spans whose bytes are their index.
func (u *uploader) send(from, to int) {
	for i := from; i < to; i++ {
		u.spans <- bytes.Repeat([]byte{byte(i)}, 4<<10)
	}
}

// expectSpans checks that the pod received the first spans and the end of the body.
func (s *sink) expectSpans(t *testing.T, spans int) {
	t.Helper()
	if n := s.got.Len(); n != spans*4<<10 || !s.gotEnd {
		t.Fatalf("the pod received %d bytes, end %t", n, s.gotEnd)
	}
	for i, b := range s.got.Bytes() {
		if int(b) != i/(4<<10) {
			t.Fatalf("byte %d is %d", i, b)
		}
	}
}

// expectRetrySendsAll sends the body to another pod and checks that it receives all of it.
func expectRetrySendsAll(t *testing.T, x *Exchange, spans int) {
	t.Helper()
	other := &sink{}
	if err := x.body.start(x, other, true); err != nil {
		t.Fatal(err)
	}
	x.body.wg.Wait()
	other.expectSpans(t, spans)
}

// TestBodyPump_readsOnlyWhatItCanKeep checks that the body can be retried although the client sends more than can be kept
// before the next attempt has a connection.
func TestBodyPump_readsOnlyWhatItCanKeep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, from := newRefusedUpload()
		go func() { from.send(0, 50); close(from.spans) }()
		synctest.Wait()
		if !x.body.keepForRetry() {
			t.Fatal("more was read than is kept")
		}
		expectRetrySendsAll(t, x, 50)
	})
}

// TestBodyPump_keepForRetry covers a pod that refuses its stream: the goroutine that reads the response learns of that before
// the one that sends the body.
func TestBodyPump_keepForRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, from := newUpload(&sink{})
		x.body.sendRest()
		from.send(0, 1)
		if !x.body.keepForRetry() {
			t.Fatal("more was read than is kept")
		}
		go func() { from.send(1, 50); close(from.spans) }()
		synctest.Wait()
		expectRetrySendsAll(t, x, 50)
	})
}

func TestBodyPump_stopWhilePaused(t *testing.T) {
	for name, spans := range map[string]int{"reading": 1, "paused": 50} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				x, from := newRefusedUpload()
				go func() {
					for range spans {
						select {
						case from.spans <- make([]byte, 4<<10):
						case <-from.interrupted:
						}
					}
				}()
				synctest.Wait()
				x.body.stop()
				if x.body.isSent() {
					t.Error("the body counts as sent")
				}
			})
		})
	}
}

// TestBodyPump_sendBufferedNeverWaits covers a stream that ends between canWrite and write. sendBuffered must not wait for
// another attempt, because its own goroutine makes it.
func TestBodyPump_sendBufferedNeverWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, from := newUpload(&sink{err: errors.New("reset"), claimsToAccept: true})
		for range maxReplayBytes>>12 + 1 {
			from.buffered = append(from.buffered, make([]byte, 4<<10))
		}
		if err := x.body.sendBuffered(); err != nil || !x.body.keepForRetry() {
			t.Errorf("the body cannot be retried: %v", err)
		}
	})
}

// TestBodyPump_pausedWithoutMemory covers a pod that refuses its stream while the memory budget is used up: the next pod must
// receive the whole body.
func TestBodyPump_pausedWithoutMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x, from := newUpload(&sink{})
		x.Account = memory.NewAccount(memory.NewBudget(1))
		x.body.sendRest()
		if !x.body.keepForRetry() {
			t.Fatal("nothing was read, and the body cannot be retried")
		}
		go func() { from.send(0, 50); close(from.spans) }()
		synctest.Wait()
		expectRetrySendsAll(t, x, 50)
	})
}

// TestBodyPump_restoreWithoutMemory covers a stale connection while the memory budget is used up: another attempt would send
// the head without the body.
func TestBodyPump_restoreWithoutMemory(t *testing.T) {
	x, _ := newUpload(&sink{})
	if !x.body.restoreBody([]byte("body")) {
		t.Error("the body cannot be kept although there is no budget")
	}
	x.Account = memory.NewAccount(memory.NewBudget(1))
	if x.body.restoreBody([]byte("body")) {
		t.Error("the body counts as kept although the budget is used up")
	}
}
