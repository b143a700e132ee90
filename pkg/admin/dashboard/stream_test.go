package dashboard

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// streamWriter is a ResponseWriter whose content can be read while a handler writes it.
type streamWriter struct {
	mu sync.Mutex
	httptest.ResponseRecorder
	isBroken bool
}

func newStreamWriter() *streamWriter { return &streamWriter{ResponseRecorder: *httptest.NewRecorder()} }

func (w *streamWriter) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.isBroken {
		return 0, http.ErrHandlerTimeout
	}
	return w.ResponseRecorder.Write(b)
}

func (w *streamWriter) events() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Count(w.Body.String(), "data: ")
}

// open starts an event stream of the overview, and returns a function that reports whether it has ended.
func (f *fixture) open(ctx context.Context, w http.ResponseWriter) (hasEnded func() bool) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/overview", nil)
		r.Header.Set("Accept", "text/event-stream")
		f.API().ServeHTTP(w, r)
	}()
	synctest.Wait()
	return func() bool {
		synctest.Wait()
		select {
		case <-done:
			return true
		default:
			return false
		}
	}
}

func TestStream_sendsChangesOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, w := newFixture(t), newStreamWriter()
		ctx, cancel := context.WithCancel(t.Context())
		hasEnded := f.open(ctx, w)
		if w.Header().Get("Content-Type") != "text/event-stream" || w.events() != 1 {
			t.Fatalf("%d events of type %q", w.events(), w.Header().Get("Content-Type"))
		}
		<-time.After(20 * streamInterval)
		synctest.Wait()
		if w.events() != 1 || !strings.Contains(w.Body.String(), "\n:\n") {
			t.Errorf("%d events and no comment without a change: %s", w.events(), w.Body)
		}
		f.cart.Set().Endpoint(0).SessionServed(session)
		<-time.After(2 * streamInterval)
		synctest.Wait()
		if w.events() != 2 || !strings.Contains(w.Body.String(), `"sessions":1`) {
			t.Errorf("%d events after a change: %s", w.events(), w.Body)
		}
		cancel()
		if !hasEnded() {
			t.Error("the stream goes on without its client")
		}
	})
}

func TestStream_endsWithTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		ctx, cancel := context.WithCancel(t.Context())
		go f.Run(ctx)
		hasEnded := f.open(t.Context(), newStreamWriter())
		if hasEnded() {
			t.Fatal("the stream has ended at once")
		}
		cancel()
		if !hasEnded() {
			t.Error("the stream goes on after the end of Run")
		}
	})
}

func TestStream_endsByItselfAndOnErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, broken := newFixture(t), newStreamWriter()
		broken.isBroken = true
		if hasEnded := f.open(t.Context(), broken); !hasEnded() {
			t.Error("the stream goes on after a failed write")
		}
		hasEnded := f.open(t.Context(), newStreamWriter())
		<-time.After(maxStream)
		if !hasEnded() {
			t.Error("the stream has no end, so access is never decided again")
		}
	})
}

func TestStream_numberIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		ctx, cancel := context.WithCancel(t.Context())
		for range maxStreams {
			f.open(ctx, newStreamWriter())
		}
		w := newStreamWriter()
		if hasEnded := f.open(t.Context(), w); !hasEnded() || w.Code != http.StatusServiceUnavailable {
			t.Errorf("one stream more has status %d", w.Code)
		}
		if got := f.respond(t, "/api/overview").Code; got != http.StatusOK {
			t.Errorf("a request for the document has status %d", got)
		}
		cancel()
		synctest.Wait()
		last, end := context.WithCancel(t.Context())
		if hasEnded := f.open(last, newStreamWriter()); hasEnded() {
			t.Error("ended streams still count")
		}
		end()
		synctest.Wait()
	})
}
