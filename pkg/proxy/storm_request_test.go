package proxy

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// stormRequest describes one request of a storm: what the client sends, what the pod does, and the expected response. The query
// carries it, so that the pod knows the expected request body and the client the expected response.
type stormRequest struct {
	ID            uint32
	Path          stormPath
	Method        string
	BodySize      int // length of the request body; negative without one
	Chunked       bool
	Trailers      bool
	Expect        bool
	ResponseSize  int  // length of the response body
	UnknownLength bool // the response has no Content-Length, and has trailers
	Behavior      behavior
	Client        string // protocol of the client
}

const noBody = -1

// stormPath is the path of a route to one kind of pods over one protocol.
type stormPath string

const (
	reliableHTTP1 stormPath = "/reliable/http1"
	reliableHTTP2 stormPath = "/reliable/http2"
	failingHTTP1  stormPath = "/failing/http1"
	failingHTTP2  stormPath = "/failing/http2"
	refusingHTTP2 stormPath = "/refusing" // pods that refuse streams
)

// isReliable reports whether the pods never fail a request.
func (p stormPath) isReliable() bool { return strings.HasPrefix(string(p), "/reliable") }

// behavior is the reaction of a pod to a request.
type behavior string

const (
	echoBody        behavior = "faithful" // read the whole request, then respond
	echoSlowly      behavior = "slow"     // the same, with a response in pieces
	respondFirst    behavior = "talking"  // begin the response before reading the body
	respondOnly     behavior = "early"    // respond without reading the body
	openWebSocket   behavior = "socket"   // accept a WebSocket
	closeAfterBody  behavior = "silent"   // read the whole request, then close the connection or stream
	closeBeforeBody behavior = "deaf"     // close it without reading
	truncateHead    behavior = "halfHead" // close it within the response head
	truncateBody    behavior = "cutShort" // close it within the response body
	refuseOnce      behavior = "refusing" // refuse the stream once (refusing pods only)
	goAwayOnce      behavior = "leaving"  // the same, and send GOAWAY (refusing pods only)
)

var (
	reliableBehaviors = []behavior{echoBody, echoBody, echoBody, echoSlowly, respondFirst, respondOnly}
	failingBehaviors  = append([]behavior{closeAfterBody, closeBeforeBody, truncateHead, truncateBody}, reliableBehaviors...)
	refusingBehaviors = []behavior{echoBody, echoBody, refuseOnce, goAwayOnce, closeAfterBody, closeBeforeBody, truncateBody}
	sizes             = []int{0, 5, 5, 5, 300, 300, 4000, 4000, 20_000, 20_000, 100 << 10, 1 << 20}
)

// maxRefusingBody fits the initial stream window, because refusing pods do not wait for WINDOW_UPDATE.
const maxRefusingBody = 60_000

func pick[T any](rnd *rand.Rand, from ...T) T { return from[rnd.IntN(len(from))] }

// newRequest returns a random request to a path.
func (s *storm) newRequest(to stormPath, by string, rnd *rand.Rand) *stormRequest {
	e := &stormRequest{
		ID: s.ids.Add(1), Path: to, Client: by, BodySize: noBody, ResponseSize: pick(rnd, sizes...), UnknownLength: rnd.IntN(2) == 0,
		Method: pick(rnd, "GET", "GET", "HEAD", "DELETE", "POST", "POST", "POST", "PUT"),
	}
	switch {
	case to == refusingHTTP2:
		e.Behavior, e.ResponseSize = pick(rnd, refusingBehaviors...), min(e.ResponseSize, maxRefusingBody)
	case to.isReliable():
		e.Behavior = pick(rnd, reliableBehaviors...)
	default:
		e.Behavior = pick(rnd, failingBehaviors...)
	}
	if e.Method == http.MethodPost || e.Method == http.MethodPut {
		e.BodySize, e.Chunked = pick(rnd, sizes...), rnd.IntN(2) == 0
		// Trailers that cross a reset end the whole connection at a net/http server.
		e.Trailers = e.Chunked && e.Behavior != respondOnly && rnd.IntN(2) == 0
		// A client that receives a response need not send its body, but net/http may wait for it.
		e.Expect = e.Behavior != respondFirst && e.Behavior != truncateBody && rnd.IntN(8) == 0
	}
	if e.Behavior == truncateBody && (e.Method == http.MethodHead || e.ResponseSize == 0) {
		e.Behavior = closeAfterBody // an empty body cannot be truncated
	}
	// If the pod fails after a complete body of known length, but before END_STREAM, an HTTP/1.1 client loses its connection.
	e.UnknownLength = e.UnknownLength || to == failingHTTP2
	if e.Behavior == respondOnly && to.isReliable() {
		e.BodySize = min(e.BodySize, 100<<10) // beyond 256 KiB net/http closes the connection before the client has read the response
	}
	return e
}

func randomPath(rnd *rand.Rand) stormPath {
	return pick(rnd, reliableHTTP1, reliableHTTP1, reliableHTTP2, reliableHTTP2, failingHTTP1, failingHTTP1, failingHTTP2, failingHTTP2, refusingHTTP2)
}

// target returns the path and query of the request.
func (e *stormRequest) target() string {
	text, _ := json.Marshal(e) // never fails on plain fields
	return string(e.Path) + "?" + url.QueryEscape(string(text))
}

// parseTarget parses the URL that target returned.
func parseTarget(u *url.URL) (*stormRequest, error) {
	text, err := url.QueryUnescape(u.RawQuery)
	if err != nil {
		return nil, err
	}
	e := new(stormRequest)
	return e, json.Unmarshal([]byte(text), e)
}

func (e *stormRequest) String() string { return fmt.Sprintf("%+v", *e) }

// mayRepeat reports whether the request may be retried after a pod has received it (ADR 11).
func (e *stormRequest) mayRepeat() bool {
	return e.BodySize == noBody && (e.Method == http.MethodGet || e.Method == http.MethodHead)
}

// requestBody and responseBody return bodies that are unique to the request and differ at every offset.
func (e *stormRequest) requestBody() []byte  { return textOf(uint64(e.ID)<<32, max(e.BodySize, 0)) }
func (e *stormRequest) responseBody() []byte { return textOf(uint64(e.ID)<<32|1<<31, e.ResponseSize) }

func textOf(first uint64, n int) []byte {
	b := make([]byte, 0, n+8)
	for i := first; len(b) < n; i++ {
		b = binary.BigEndian.AppendUint64(b, i)
	}
	return b[:n]
}

func (e *stormRequest) id() string { return strconv.FormatUint(uint64(e.ID), 10) }

// Header field and trailer with the ID of the request.
const (
	requestIDField   = "X-Storm-Id"
	requestIDTrailer = "X-Storm-Id-Trailer"
)

// stormResult is the result of a request, as seen by its client.
type stormResult struct {
	status          int // zero without a response
	header, trailer http.Header
	body            []byte
	err             error // the response is missing or truncated
}

// resultOf reads a response to its end.
func resultOf(r *http.Response, err error) *stormResult {
	if err != nil {
		return &stormResult{err: err}
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	return &stormResult{r.StatusCode, r.Header, r.Trailer, body, err}
}

// check describes the error in the result of a request that its client did not abandon. It returns an empty string if the result
// is correct.
func (e *stormRequest) check(o *stormResult) string {
	switch {
	case isOverdue(o.err):
		return "no response"
	case o.err != nil && e.Path.isReliable():
		return "failed on a reliable pod: " + o.err.Error()
	case o.status == 0:
		return ""
	case o.status == http.StatusOK:
		return e.checkResponse(o)
	case o.status != 502 && o.status != 503 || e.Path.isReliable() || o.header.Get(requestIDField) != "":
		return fmt.Sprintf("unexpected status %d %.200q", o.status, o.body)
	}
	return ""
}

func (e *stormRequest) checkResponse(o *stormResult) string {
	want := e.responseBody()
	if e.Method == http.MethodHead {
		want = nil
	}
	switch {
	case o.header.Get(requestIDField) != e.id():
		return fmt.Sprintf("received the response to %q", o.header.Get(requestIDField))
	case !bytes.HasPrefix(want, o.body):
		return fmt.Sprintf("wrong body after %d bytes", commonPrefix(want, o.body))
	case o.err == nil && len(o.body) != len(want):
		return fmt.Sprintf("%d of %d bytes look like a complete response", len(o.body), len(want))
	case o.err == nil && e.UnknownLength && len(want) > 0 && o.trailer.Get(requestIDTrailer) != e.id():
		return fmt.Sprintf("wrong trailers %q", o.trailer)
	}
	return ""
}

func commonPrefix(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
