package observe

import (
	"cmp"
	"io"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

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
	// Closed is true if the request was denied because its route is closed.
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

// AccessLogOptions configures an AccessLog.
type AccessLogOptions struct {
	// JSON selects the format. Otherwise lines are plain text.
	JSON bool
	// Fields are the fields of the JSON format. Zero means all.
	Fields AccessFields
	// OmitRatio is the share of requests that are not logged. Requests that have failed are always logged.
	OmitRatio float64
}

// AccessLog writes one line per request, as JSON or text. It is safe for concurrent use.
//
// Lines are buffered in several shards to reduce lock contention between cores. All shards are written together, ordered by the
// end of the requests. Only complete lines are written. The lines of one connection are written in order.
type AccessLog struct {
	options AccessLogOptions
	shards  [accessShards]accessShard
	out     accessOutput
	stop    chan struct{}
	done    sync.WaitGroup
}

// accessShard is one buffer of the access log. It is padded to avoid false sharing.
type accessShard struct {
	mu    sync.Mutex
	buf   []byte
	lines []accessLine
	_     [64]byte
}

// accessLine is a line in the buffer of a shard.
type accessLine struct {
	at  int64 // the end of the request, in Unix nanoseconds
	end int   // index in the buffer
}

const accessShards = 8

// Shards are written when one of them holds flushSize bytes, and every flushInterval.
const (
	flushSize     = 32 << 10
	flushInterval = 500 * time.Millisecond
)

// NewAccessLog returns a log that writes to w. The caller must call Close.
func NewAccessLog(w io.Writer, o AccessLogOptions) *AccessLog {
	o.Fields = cmp.Or(o.Fields, allAccessFields)
	l := &AccessLog{options: o, out: accessOutput{w: w}, stop: make(chan struct{})}
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

// Write appends a line, unless the request is omitted. Calls with the same shard are written in order, so connections use one
// number for all requests.
func (l *AccessLog) Write(shard uint32, a *Access) {
	if l.options.OmitRatio > 0 && !a.hasFailed() && rand.Float64() < l.options.OmitRatio {
		return
	}
	s := &l.shards[shard%uint32(len(l.shards))]
	s.mu.Lock()
	if l.options.JSON {
		s.buf = appendJSON(s.buf, a, l.options.Fields)
	} else {
		s.buf = appendText(s.buf, a)
	}
	at := a.Start.Add(a.Took).UnixNano()
	if n := len(s.lines); n > 0 {
		at = max(at, s.lines[n-1].at) // the clock may have been set back
	}
	s.lines = append(s.lines, accessLine{at, len(s.buf)})
	full := len(s.buf) >= flushSize
	s.mu.Unlock()
	if full {
		l.flush()
	}
}

// hasFailed reports whether the request is logged even if others are omitted.
func (a *Access) hasFailed() bool { return a.Status >= 500 || a.Failure != FailureNone || a.Closed }

// accessOutput merges the shards.
type accessOutput struct {
	mu     sync.Mutex // serializes writes, and guards all fields
	w      io.Writer
	bufs   [accessShards][]byte // buffers that shards may take in exchange for theirs
	lines  [accessShards][]accessLine
	merged []byte
}

// flush writes the lines of all shards.
func (l *AccessLog) flush() {
	o := &l.out
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range l.shards { // all together, so that no line is written before one that is older
		l.shards[i].mu.Lock()
	}
	for i := range l.shards {
		s := &l.shards[i]
		o.bufs[i], s.buf = s.buf, o.bufs[i][:0]
		o.lines[i], s.lines = s.lines, o.lines[i][:0]
		s.mu.Unlock()
	}
	if o.merge(); len(o.merged) > 0 {
		// If the write fails, the lines are dropped: a broken log must not affect traffic.
		_, _ = o.w.Write(o.merged)
	}
}

// merge sets merged to the lines of all shards, ordered by time.
func (o *accessOutput) merge() {
	o.merged = o.merged[:0]
	var next, start [accessShards]int // the next line of each shard, and where it starts
	for {
		first := -1
		for i := range o.lines {
			if next[i] < len(o.lines[i]) && (first < 0 || o.lines[i][next[i]].at < o.lines[first][next[first]].at) {
				first = i
			}
		}
		if first < 0 {
			return
		}
		end := o.lines[first][next[first]].end
		o.merged = append(o.merged, o.bufs[first][start[first]:end]...)
		next[first]++
		start[first] = end
	}
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
