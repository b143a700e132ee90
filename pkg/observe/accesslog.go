package observe

import (
	"cmp"
	"io"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/limpet-dev/limpet/pkg/affinity"
)

// Access is what the access log tells about one request. Byte slices are only read while Write runs.
type Access struct {
	Start    time.Time
	Took     time.Duration
	Client   string // address, as text
	Protocol string // "HTTP/1.1"
	Method   []byte
	Host     []byte
	Path     []byte // without the query, which may hold secrets
	Status   int
	Bytes    int64 // of the answer's body
	Pool     string
	Endpoint string // the pod's name, or the address
	Attempts int
	// RequestID is what the pod was told in X-Request-ID.
	RequestID []byte
	// Closed says that the request was denied because its route is closed.
	Closed  bool
	Outcome affinity.Outcome
	Reason  affinity.Reason
}

// AccessLog writes one line for each request, as JSON or as text. Lines are collected in several buffers, so that
// cores do not wait for one lock, and written whole; those of one connection stay in order.
type AccessLog struct {
	json   bool
	shards [8]accessShard
	stop   chan struct{}
	done   sync.WaitGroup
}

type accessShard struct {
	mu  sync.Mutex
	out *lockedWriter
	buf []byte
	_   [64]byte
}

// lockedWriter lets one shard write at a time: a line is never torn by another.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

// flushSize is how much a shard collects before it writes. It writes every flushEvery in any case.
const (
	flushSize  = 32 << 10
	flushEvery = 500 * time.Millisecond
)

// NewAccessLog writes to w until Close is called.
func NewAccessLog(w io.Writer, json bool) *AccessLog {
	l := &AccessLog{json: json, stop: make(chan struct{})}
	out := &lockedWriter{w: w}
	for i := range l.shards {
		l.shards[i].out = out
	}
	l.done.Go(l.flushRegularly)
	return l
}

// Close writes what is left.
func (l *AccessLog) Close() {
	close(l.stop)
	l.done.Wait()
	l.flush()
}

func (l *AccessLog) flushRegularly() {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-tick.C:
			l.flush()
		}
	}
}

func (l *AccessLog) flush() {
	for i := range l.shards {
		l.shards[i].flush()
	}
}

// Write adds a line. The shard is any number that the connection keeps.
func (l *AccessLog) Write(shard uint32, a *Access) {
	s := &l.shards[shard%uint32(len(l.shards))]
	s.mu.Lock()
	if l.json {
		s.buf = appendJSON(s.buf, a)
	} else {
		s.buf = appendText(s.buf, a)
	}
	full := len(s.buf) >= flushSize
	s.mu.Unlock()
	if full {
		s.flush()
	}
}

func (s *accessShard) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.buf) == 0 {
		return
	}
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	// A log that cannot be written must not stop the traffic: the lines are lost.
	_, _ = s.out.w.Write(s.buf)
	s.buf = s.buf[:0]
}

func appendJSON(b []byte, a *Access) []byte {
	b = append(b, `{"time":"`...)
	b = a.Start.UTC().AppendFormat(b, time.RFC3339Nano)
	b = appendJSONField(append(b, '"'), "client", a.Client)
	b = appendJSONField(b, "protocol", a.Protocol)
	b = appendJSONField(b, "method", a.Method)
	b = appendJSONField(b, "host", a.Host)
	b = appendJSONField(b, "path", a.Path)
	b = strconv.AppendInt(append(b, `,"status":`...), int64(a.Status), 10)
	b = strconv.AppendInt(append(b, `,"bytes":`...), a.Bytes, 10)
	b = strconv.AppendFloat(append(b, `,"seconds":`...), a.Took.Seconds(), 'f', 6, 64)
	b = appendJSONField(b, "pool", a.Pool)
	b = appendJSONField(b, "endpoint", a.Endpoint)
	b = strconv.AppendInt(append(b, `,"attempts":`...), int64(a.Attempts), 10)
	b = appendJSONField(b, "affinity", a.Outcome.String())
	if reason := a.Reason.String(); reason != "" {
		b = appendJSONField(b, "reason", reason)
	}
	if a.Closed {
		b = append(b, `,"closed":true`...)
	}
	b = appendJSONField(b, "requestId", a.RequestID)
	return append(b, "}\n"...)
}

func appendJSONField[T string | []byte](b []byte, key string, value T) []byte {
	b = append(append(append(b, `,"`...), key...), `":`...)
	return appendQuoted(b, value)
}

func appendText(b []byte, a *Access) []byte {
	b = a.Start.UTC().AppendFormat(b, time.RFC3339)
	b = append(append(b, ' '), a.Client...)
	b = appendQuoted(append(b, ' '), a.Method)
	b = appendQuoted(append(b, ' '), a.Host)
	b = appendQuoted(append(b, ' '), a.Path)
	b = strconv.AppendInt(append(b, ' '), int64(a.Status), 10)
	b = strconv.AppendInt(append(b, ' '), a.Bytes, 10)
	b = strconv.AppendFloat(append(b, ' '), a.Took.Seconds(), 'f', 6, 64)
	b = append(append(b, ' '), cmp.Or(a.Pool, "-")...)
	b = append(append(b, ' '), cmp.Or(a.Endpoint, "-")...)
	b = append(append(b, ' '), a.Outcome.String()...)
	if reason := a.Reason.String(); reason != "" {
		b = append(append(b, '/'), reason...)
	}
	if a.Closed {
		b = append(b, "/closed"...)
	}
	b = appendQuoted(append(b, ' '), a.RequestID)
	return append(b, '\n')
}

const hex = "0123456789abcdef"

// appendQuoted writes a JSON string (RFC 8259, section 7). What a client sent may hold anything: it can neither end
// the string nor the line.
func appendQuoted[T string | []byte](b []byte, s T) []byte {
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			b = utf8.AppendRune(b, r)
			i += size
			continue
		}
		i++
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20 || c == 0x7f:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
