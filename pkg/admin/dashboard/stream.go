package dashboard

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// The bounds of event streams. A stream ends after maxStream, and the page opens the next one, so that access is decided again.
const (
	maxStreams     = 32
	maxStream      = 10 * time.Minute
	streamInterval = time.Second
	keepAlive      = 15 * time.Second
	writeTimeout   = 10 * time.Second
)

// resource returns a document. Its errors are for the client.
type resource func(url.Values) (any, error)

// errNotFound is returned for an element that does not exist.
var errNotFound = errors.New("not found")

// streams counts the open event streams.
type streams struct {
	slots  chan struct{}
	closed chan struct{}
	once   *sync.Once
}

func newStreams() streams {
	return streams{make(chan struct{}, maxStreams), make(chan struct{}), new(sync.Once)}
}

// close ends all streams and refuses new ones.
func (s *streams) close() { s.once.Do(func() { close(s.closed) }) }

// serve returns the handler of a resource. It responds with the document, or with an event stream that has the document now and
// after each change.
func (d *Dashboard) serve(r resource) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		values, err := url.ParseQuery(req.URL.RawQuery)
		if err != nil {
			writeError(w, http.StatusBadRequest, err)
			return
		}
		document, err := encode(r, values)
		switch {
		case errors.Is(err, errNotFound):
			writeError(w, http.StatusNotFound, err)
		case err != nil:
			writeError(w, http.StatusBadRequest, err)
		case strings.Contains(req.Header.Get("Accept"), "text/event-stream"):
			d.stream(w, req, document, func() ([]byte, error) { return encode(r, values) })
		default:
			setHeader(w, "application/json")
			_, _ = w.Write(document) // the client is gone
		}
	}
}

func encode(r resource, values url.Values) ([]byte, error) {
	document, err := r(values)
	if err != nil {
		return nil, err
	}
	return json.Marshal(document)
}

func setHeader(w http.ResponseWriter, contentType string) {
	w.Header().Set("Content-Type", contentType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
}

func writeError(w http.ResponseWriter, status int, err error) {
	setHeader(w, "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, err) // the client is gone
}

// stream writes the first document, and then what next returns whenever that differs. It ends with an error of next: the element
// is gone.
func (d *Dashboard) stream(w http.ResponseWriter, req *http.Request, first []byte, next func() ([]byte, error)) {
	select {
	case d.streams.slots <- struct{}{}:
		defer func() { <-d.streams.slots }()
	default:
		w.Header().Set("Retry-After", "10")
		writeError(w, http.StatusServiceUnavailable, fmt.Errorf("there are %d event streams already", maxStreams))
		return
	}
	setHeader(w, "text/event-stream")
	events := &eventWriter{w: w, control: http.NewResponseController(w)}
	events.send(first)
	ticker, end := time.NewTicker(streamInterval), time.NewTimer(maxStream)
	defer ticker.Stop()
	defer end.Stop()
	for events.err == nil {
		select {
		case <-req.Context().Done():
			return
		case <-d.streams.closed:
			return
		case <-end.C:
			return
		case <-ticker.C:
			document, err := next()
			if err != nil {
				return
			}
			events.send(document)
		}
	}
}

// eventWriter writes the events of one stream.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
	last    []byte
	sent    time.Time
	err     error // of the first failed write
}

// send writes a document if it differs from the last one. Otherwise it writes a comment from time to time, so that a client that
// has left is noticed. A document is one line, as encoding/json writes no line breaks.
func (e *eventWriter) send(document []byte) {
	now := time.Now()
	var event []byte
	switch {
	case !bytes.Equal(document, e.last):
		event = fmt.Appendf(nil, "data: %s\n\n", document)
	case now.Sub(e.sent) >= keepAlive:
		event = []byte(":\n\n")
	default:
		return
	}
	e.last, e.sent = document, now
	_ = e.control.SetWriteDeadline(now.Add(writeTimeout)) // not supported by recorders of tests
	if _, e.err = e.w.Write(event); e.err == nil {
		e.err = e.control.Flush()
	}
}
