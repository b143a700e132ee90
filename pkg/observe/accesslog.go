package observe

import (
	"cmp"
	"encoding/hex"
	"io"
	"strconv"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/limpet-dev/limpet/pkg/affinity"
)

// Access is the record of one request in the access log. Write does not retain its byte slices.
type Access struct {
	Start  time.Time
	Took   time.Duration
	Client string // IP address
	// Scheme is "https" if the client used TLS, wherever that ended, otherwise "http". The text format omits it.
	Scheme   string
	Protocol string // such as "HTTP/1.1"
	Method   []byte
	Host     []byte
	Path     []byte // without the query, which may hold secrets
	Status   int
	Bytes    int64 // length of the response body, or bytes sent to the client through a tunnel
	BytesIn  int64 // bytes of the request body that were received, or bytes received through a tunnel
	Pool     string
	Endpoint string // name of the pod, or address if there is no pod
	Attempts int    // upstream attempts, including the first one
	// RequestID is the value of X-Request-ID in the request sent to the pod.
	RequestID []byte
	// Closed says that the request was denied because its route is closed.
	Closed  bool
	Outcome affinity.Outcome
	Reason  affinity.Reason
	// TraceID is the trace of a sampled request, otherwise zero. The text format omits it.
	TraceID [16]byte
	// StrippedUpgrade is the start of an Upgrade field that was not forwarded to the pod. The text format omits it.
	StrippedUpgrade []byte
	// Failure is the reason why the request failed, and Detail is the rule that a pod's response violates, or empty.
	Failure Failure
	Detail  string
	// Generated reports whether Limpet, and not the pod, generated the response.
	Generated bool
}

// AccessLog writes one line per request, as JSON or text. It is safe for concurrent use.
//
// Lines are buffered in several shards to reduce lock contention between cores. Only complete lines are written.
// The lines of one connection are written in order.
type AccessLog struct {
	json   bool
	shards [8]accessShard
	stop   chan struct{}
	done   sync.WaitGroup
}

// accessShard is one buffer of the access log. It is padded to avoid false sharing.
type accessShard struct {
	mu  sync.Mutex
	out *lockedWriter
	buf []byte
	_   [64]byte
}

// lockedWriter serializes the writes of the shards, so that lines are not interleaved.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

// A shard is written when it holds flushSize bytes, and every flushInterval.
const (
	flushSize     = 32 << 10
	flushInterval = 500 * time.Millisecond
)

// NewAccessLog returns a log that writes to w. If json is false, lines are plain text. The caller must call Close.
func NewAccessLog(w io.Writer, json bool) *AccessLog {
	l := &AccessLog{json: json, stop: make(chan struct{})}
	out := &lockedWriter{w: w}
	for i := range l.shards {
		l.shards[i].out = out
	}
	l.done.Go(l.flushPeriodically)
	return l
}

// Close flushes all buffered lines and stops the background flush. Write must not be called after Close.
func (l *AccessLog) Close() {
	close(l.stop)
	l.done.Wait()
	l.flush()
}

func (l *AccessLog) flushPeriodically() {
	tick := time.NewTicker(flushInterval)
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

// Write appends a line. Calls with the same shard are written in order, so connections use one number for all
// requests.
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
	// If the write fails, the lines are dropped: a broken log must not affect traffic.
	_, _ = s.out.w.Write(s.buf)
	s.buf = s.buf[:0]
}

func appendJSON(b []byte, a *Access) []byte {
	b = append(b, `{"time":"`...)
	b = a.Start.UTC().AppendFormat(b, time.RFC3339Nano)
	b = appendJSONField(append(b, '"'), "client", a.Client)
	if a.Scheme != "" {
		b = appendJSONField(b, "scheme", a.Scheme)
	}
	b = appendJSONField(b, "protocol", a.Protocol)
	b = appendJSONField(b, "method", a.Method)
	b = appendJSONField(b, "host", a.Host)
	b = appendJSONField(b, "path", a.Path)
	b = strconv.AppendInt(append(b, `,"status":`...), int64(a.Status), 10)
	b = strconv.AppendInt(append(b, `,"bytes":`...), a.Bytes, 10)
	if a.BytesIn > 0 {
		b = strconv.AppendInt(append(b, `,"bytesIn":`...), a.BytesIn, 10)
	}
	b = strconv.AppendFloat(append(b, `,"seconds":`...), a.Took.Seconds(), 'f', 6, 64)
	b = appendJSONField(b, "pool", a.Pool)
	b = appendJSONField(b, "endpoint", a.Endpoint)
	b = strconv.AppendInt(append(b, `,"attempts":`...), int64(a.Attempts), 10)
	b = appendJSONField(b, "affinity", a.Outcome.String())
	b = appendJSONReason(b, a)
	if a.Closed {
		b = append(b, `,"closed":true`...)
	}
	if len(a.StrippedUpgrade) > 0 {
		b = appendJSONField(b, "strippedUpgrade", a.StrippedUpgrade)
	}
	b = appendJSONField(b, "requestId", a.RequestID)
	if a.TraceID != ([16]byte{}) {
		b = append(hex.AppendEncode(append(b, `,"traceId":"`...), a.TraceID[:]), '"')
	}
	return append(b, "}\n"...)
}

// appendJSONReason appends why the request failed, or otherwise why its session moved. A request whose session moved and
// that failed has the second one in affinityReason.
func appendJSONReason(b []byte, a *Access) []byte {
	reason, affinityReason := a.Failure.String(), a.Reason.String()
	if reason == "" {
		reason, affinityReason = affinityReason, ""
	}
	if reason != "" {
		b = appendJSONField(b, "reason", reason)
	}
	if affinityReason != "" {
		b = appendJSONField(b, "affinityReason", affinityReason)
	}
	if a.Detail != "" {
		b = appendJSONField(b, "detail", a.Detail)
	}
	if a.Generated {
		b = append(b, `,"generated":true`...)
	}
	return b
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
	if a.Failure != FailureNone {
		b = append(append(b, " reason="...), a.Failure.String()...)
	}
	if a.Detail != "" {
		b = appendQuoted(append(b, " detail="...), a.Detail)
	}
	if a.Generated {
		b = append(b, " generated"...)
	}
	if a.BytesIn > 0 {
		b = strconv.AppendInt(append(b, " in="...), a.BytesIn, 10)
	}
	b = appendQuoted(append(b, ' '), a.RequestID)
	return append(b, '\n')
}

const hexDigits = "0123456789abcdef"

// appendQuoted appends s as a JSON string (RFC 8259, section 7). It escapes everything that could end the string or
// the line, because s may come from the client.
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
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}
