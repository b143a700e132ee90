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

// errand is one request of a storm: what its client sends, what its pod does, and what has to come of it. It is told to the
// pod in the query, so that the pod knows what it has to get, and the client what it has to get back.
type stormRequest struct {
	ID            uint32
	Path          stormPath
	Method        string
	BodySize      int // of its body, noBody for none
	Chunked       bool
	Trailers      bool
	Expect        bool
	ResponseSize  int  // length of the answer's body
	UnknownLength bool // the answer does not say so, and has trailers
	Behavior      behavior
	Client        string // what its client speaks
}

const noBody = -1

// place is a route: to pods of some temper, over some protocol.
type stormPath string

const (
	reliableHTTP1 stormPath = "/calm/http1"
	reliableHTTP2 stormPath = "/calm/http2"
	failingHTTP1  stormPath = "/wild/http1"
	failingHTTP2  stormPath = "/wild/http2"
	refusingHTTP2 stormPath = "/moody" // pods that speak HTTP/2 and refuse streams
)

// isCalm reports whether the pods never fail a request.
func (p stormPath) isReliable() bool { return strings.HasPrefix(string(p), "/calm") }

// manner is what a pod does with an errand.
type behavior string

const (
	echoBody        behavior = "faithful" // reads all of it, then answers
	echoSlowly      behavior = "slow"     // the same, in pieces
	respondFirst    behavior = "talking"  // begins its answer before it reads
	respondOnly     behavior = "early"    // answers, and does not read
	openWebSocket   behavior = "socket"   // opens a WebSocket
	closeAfterBody  behavior = "silent"   // reads all of it, and ends the connection or stream
	closeBeforeBody behavior = "deaf"     // ends it without having read
	truncateHead    behavior = "halfHead" // ends it within the head of its answer
	truncateBody    behavior = "cutShort" // ends it within the body of its answer
	refuseOnce      behavior = "refusing" // takes it the next time only (moody)
	goAwayOnce      behavior = "leaving"  // the same, and says goodbye on the connection (moody)
)

var (
	reliableBehaviors = []behavior{echoBody, echoBody, echoBody, echoSlowly, respondFirst, respondOnly}
	failingBehaviors  = append([]behavior{closeAfterBody, closeBeforeBody, truncateHead, truncateBody}, reliableBehaviors...)
	refusingBehaviors = []behavior{echoBody, echoBody, refuseOnce, goAwayOnce, closeAfterBody, closeBeforeBody, truncateBody}
	sizes             = []int{0, 5, 5, 5, 300, 300, 4000, 4000, 20_000, 20_000, 100 << 10, 1 << 20}
)

// mostMoody fits the window of a stream: pods made of frames do not wait for more.
const maxRefusingBody = 60_000

func pick[T any](rnd *rand.Rand, from ...T) T { return from[rnd.IntN(len(from))] }

// errandTo makes one up.
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
		// A client that gets an answer need not send its body, which net/http may wait for.
		e.Expect = e.Behavior != respondFirst && e.Behavior != truncateBody && rnd.IntN(8) == 0
	}
	if e.Behavior == truncateBody && (e.Method == http.MethodHead || e.ResponseSize == 0) {
		e.Behavior = closeAfterBody // of nothing nothing can be missing
	}
	// Where the length has come and the end of the stream has not, an HTTP/1.1 client loses its connection after the answer.
	e.UnknownLength = e.UnknownLength || to == failingHTTP2
	if e.Behavior == respondOnly && to.isReliable() {
		e.BodySize = min(e.BodySize, 100<<10) // beyond 256 KiB net/http does not wait until its answer is read
	}
	return e
}

func randomPath(rnd *rand.Rand) stormPath {
	return pick(rnd, reliableHTTP1, reliableHTTP1, reliableHTTP2, reliableHTTP2, failingHTTP1, failingHTTP1, failingHTTP2, failingHTTP2, refusingHTTP2)
}

// target is the path and query by which it is asked for.
func (e *stormRequest) target() string {
	text, _ := json.Marshal(e) // never fails on plain fields
	return string(e.Path) + "?" + url.QueryEscape(string(text))
}

// errandOf reads target.
func parseTarget(u *url.URL) (*stormRequest, error) {
	text, err := url.QueryUnescape(u.RawQuery)
	if err != nil {
		return nil, err
	}
	e := new(stormRequest)
	return e, json.Unmarshal([]byte(text), e)
}

func (e *stormRequest) String() string { return fmt.Sprintf("%+v", *e) }

// mayRepeat reports whether pods may see it a second time (ADR 11). Clients may send it again too.
func (e *stormRequest) mayRepeat() bool {
	return e.BodySize == noBody && (e.Method == http.MethodGet || e.Method == http.MethodHead)
}

// request and answer are the bodies, which no other errand has, and which differ at every place.
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

// These name the errand once more, in heads and in trailers.
const (
	requestIDField   = "X-Errand"
	requestIDTrailer = "X-Errand-End"
)

// outcome is what came of an errand, as its client sees it.
type stormResult struct {
	status          int // 0 without an answer
	header, trailer http.Header
	body            []byte
	err             error // it is not whole
}

// outcomeOf reads an answer to its end.
func resultOf(r *http.Response, err error) *stormResult {
	if err != nil {
		return &stormResult{err: err}
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	return &stormResult{r.StatusCode, r.Header, r.Trailer, body, err}
}

// verdict says what is wrong with the outcome of an errand whose client was patient and honest, empty if nothing is.
func (e *stormRequest) check(o *stormResult) string {
	switch {
	case isOverdue(o.err):
		return "nothing comes"
	case o.err != nil && e.Path.isReliable():
		return "failed though its pods are calm: " + o.err.Error()
	case o.status == 0:
		return ""
	case o.status == http.StatusOK:
		return e.checkResponse(o)
	case o.status != 502 && o.status != 503 || e.Path.isReliable() || o.header.Get(requestIDField) != "":
		return fmt.Sprintf("it is answered with %d %.200q", o.status, o.body)
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
		return fmt.Sprintf("it gets the answer of %q", o.header.Get(requestIDField))
	case !bytes.HasPrefix(want, o.body):
		return fmt.Sprintf("after %d bytes it gets another body", commonPrefix(want, o.body))
	case o.err == nil && len(o.body) != len(want):
		return fmt.Sprintf("%d of %d bytes pass for the whole answer", len(o.body), len(want))
	case o.err == nil && e.UnknownLength && len(want) > 0 && o.trailer.Get(requestIDTrailer) != e.id():
		return fmt.Sprintf("its trailers are %q", o.trailer)
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
