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
type errand struct {
	ID       uint32
	Place    place
	Method   string
	Size     int // of its body, noBody for none
	Chunked  bool
	Trailers bool
	Expect   bool
	Answer   int  // length of the answer's body
	Unsized  bool // the answer does not say so, and has trailers
	Manner   manner
	By       string // what its client speaks
}

const noBody = -1

// place is a route: to pods of some temper, over some protocol.
type place string

const (
	calmHTTP1 place = "/calm/http1"
	calmHTTP2 place = "/calm/http2"
	wildHTTP1 place = "/wild/http1"
	wildHTTP2 place = "/wild/http2"
	moody     place = "/moody" // pods that speak HTTP/2 and refuse streams
)

// isCalm reports whether the pods never fail a request.
func (p place) isCalm() bool { return strings.HasPrefix(string(p), "/calm") }

// manner is what a pod does with an errand.
type manner string

const (
	faithful manner = "faithful" // reads all of it, then answers
	slow     manner = "slow"     // the same, in pieces
	talking  manner = "talking"  // begins its answer before it reads
	early    manner = "early"    // answers, and does not read
	socket   manner = "socket"   // opens a WebSocket
	silent   manner = "silent"   // reads all of it, and ends the connection or stream
	deaf     manner = "deaf"     // ends it without having read
	halfHead manner = "halfHead" // ends it within the head of its answer
	cutShort manner = "cutShort" // ends it within the body of its answer
	refusing manner = "refusing" // takes it the next time only (moody)
	leaving  manner = "leaving"  // the same, and says goodbye on the connection (moody)
)

var (
	calmManners  = []manner{faithful, faithful, faithful, slow, talking, early}
	wildManners  = append([]manner{silent, deaf, halfHead, cutShort}, calmManners...)
	moodyManners = []manner{faithful, faithful, refusing, leaving, silent, deaf, cutShort}
	sizes        = []int{0, 5, 5, 5, 300, 300, 4000, 4000, 20_000, 20_000, 100 << 10, 1 << 20}
)

// mostMoody fits the window of a stream: pods made of frames do not wait for more.
const mostMoody = 60_000

func pick[T any](rnd *rand.Rand, from ...T) T { return from[rnd.IntN(len(from))] }

// errandTo makes one up.
func (s *storm) errandTo(to place, by string, rnd *rand.Rand) *errand {
	e := &errand{
		ID: s.ids.Add(1), Place: to, By: by, Size: noBody, Answer: pick(rnd, sizes...), Unsized: rnd.IntN(2) == 0,
		Method: pick(rnd, "GET", "GET", "HEAD", "DELETE", "POST", "POST", "POST", "PUT"),
	}
	switch {
	case to == moody:
		e.Manner, e.Answer = pick(rnd, moodyManners...), min(e.Answer, mostMoody)
	case to.isCalm():
		e.Manner = pick(rnd, calmManners...)
	default:
		e.Manner = pick(rnd, wildManners...)
	}
	if e.Method == http.MethodPost || e.Method == http.MethodPut {
		e.Size, e.Chunked = pick(rnd, sizes...), rnd.IntN(2) == 0
		// Trailers that cross a reset end the whole connection at a net/http server.
		e.Trailers = e.Chunked && e.Manner != early && rnd.IntN(2) == 0
		// A client that gets an answer need not send its body, which net/http may wait for.
		e.Expect = e.Manner != talking && e.Manner != cutShort && rnd.IntN(8) == 0
	}
	if e.Manner == cutShort && (e.Method == http.MethodHead || e.Answer == 0) {
		e.Manner = silent // of nothing nothing can be missing
	}
	// Where the length has come and the end of the stream has not, an HTTP/1.1 client loses its connection after the answer.
	e.Unsized = e.Unsized || to == wildHTTP2
	if e.Manner == early && to.isCalm() {
		e.Size = min(e.Size, 100<<10) // beyond 256 KiB net/http does not wait until its answer is read
	}
	return e
}

func anyPlace(rnd *rand.Rand) place {
	return pick(rnd, calmHTTP1, calmHTTP1, calmHTTP2, calmHTTP2, wildHTTP1, wildHTTP1, wildHTTP2, wildHTTP2, moody)
}

// target is the path and query by which it is asked for.
func (e *errand) target() string {
	text, _ := json.Marshal(e) // never fails on plain fields
	return string(e.Place) + "?" + url.QueryEscape(string(text))
}

// errandOf reads target.
func errandOf(u *url.URL) (*errand, error) {
	text, err := url.QueryUnescape(u.RawQuery)
	if err != nil {
		return nil, err
	}
	e := new(errand)
	return e, json.Unmarshal([]byte(text), e)
}

func (e *errand) String() string { return fmt.Sprintf("%+v", *e) }

// mayRepeat reports whether pods may see it a second time (ADR 11). Clients may send it again too.
func (e *errand) mayRepeat() bool {
	return e.Size == noBody && (e.Method == http.MethodGet || e.Method == http.MethodHead)
}

// request and answer are the bodies, which no other errand has, and which differ at every place.
func (e *errand) request() []byte { return textOf(uint64(e.ID)<<32, max(e.Size, 0)) }
func (e *errand) answer() []byte  { return textOf(uint64(e.ID)<<32|1<<31, e.Answer) }

func textOf(first uint64, n int) []byte {
	b := make([]byte, 0, n+8)
	for i := first; len(b) < n; i++ {
		b = binary.BigEndian.AppendUint64(b, i)
	}
	return b[:n]
}

func (e *errand) name() string { return strconv.FormatUint(uint64(e.ID), 10) }

// These name the errand once more, in heads and in trailers.
const (
	errandField   = "X-Errand"
	errandTrailer = "X-Errand-End"
)

// outcome is what came of an errand, as its client sees it.
type outcome struct {
	status          int // 0 without an answer
	header, trailer http.Header
	body            []byte
	err             error // it is not whole
}

// outcomeOf reads an answer to its end.
func outcomeOf(r *http.Response, err error) *outcome {
	if err != nil {
		return &outcome{err: err}
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	return &outcome{r.StatusCode, r.Header, r.Trailer, body, err}
}

// verdict says what is wrong with the outcome of an errand whose client was patient and honest, empty if nothing is.
func (e *errand) verdict(o *outcome) string {
	switch {
	case isOverdue(o.err):
		return "nothing comes"
	case o.err != nil && e.Place.isCalm():
		return "failed though its pods are calm: " + o.err.Error()
	case o.status == 0:
		return ""
	case o.status == http.StatusOK:
		return e.verdictOnAnswer(o)
	case o.status != 502 && o.status != 503 || e.Place.isCalm() || o.header.Get(errandField) != "":
		return fmt.Sprintf("it is answered with %d %.200q", o.status, o.body)
	}
	return ""
}

func (e *errand) verdictOnAnswer(o *outcome) string {
	want := e.answer()
	if e.Method == http.MethodHead {
		want = nil
	}
	switch {
	case o.header.Get(errandField) != e.name():
		return fmt.Sprintf("it gets the answer of %q", o.header.Get(errandField))
	case !bytes.HasPrefix(want, o.body):
		return fmt.Sprintf("after %d bytes it gets another body", commonPrefix(want, o.body))
	case o.err == nil && len(o.body) != len(want):
		return fmt.Sprintf("%d of %d bytes pass for the whole answer", len(o.body), len(want))
	case o.err == nil && e.Unsized && len(want) > 0 && o.trailer.Get(errandTrailer) != e.name():
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
