package http1

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// requestCase is a raw message and the expected result: an error, or the output of describeRequest.
type requestCase struct {
	name string
	raw  string
	err  error
	want string
}

// requestCases joins all tables. They are also seeds of the fuzz test and inputs of the differential test.
func requestCases() []requestCase {
	return concat(requestLineCases, targetCases, hostCases, fieldCases, lengthCases, codingCases, connectionCases, limitCases)
}

func concat[T any](tables ...[]T) (all []T) {
	for _, table := range tables {
		all = append(all, table...)
	}
	return all
}

// head joins lines to a head.
func head(lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n\r\n" }

// get is a GET request with these lines.
func get(lines ...string) string {
	return head(append([]string{"GET / HTTP/1.1", "Host: a.example"}, lines...)...)
}

// post is a POST request with these lines.
func post(lines ...string) string {
	return head(append([]string{"POST / HTTP/1.1", "Host: a.example"}, lines...)...)
}

func describeRequest(r *Request) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", r.Method, r.Path)
	if r.HasQuery {
		fmt.Fprintf(&b, "?%s", r.Query)
	}
	fmt.Fprintf(&b, " %s%s", r.Host, describeMessage(&r.Message))
	if r.ExpectContinue {
		b.WriteString(", continue")
	}
	if r.TakesTrailers {
		b.WriteString(", trailers")
	}
	return b.String()
}

// describeMessage omits the defaults: HTTP/1.1, keep-alive, no body.
func describeMessage(m *Message) string {
	var b strings.Builder
	if m.Minor == 0 {
		b.WriteString(", 1.0")
	}
	switch m.Body {
	case BodyLength:
		fmt.Fprintf(&b, ", length %d", m.ContentLength)
	case BodyChunked:
		b.WriteString(", chunked")
	case BodyUntilClose:
		b.WriteString(", until close")
	}
	if m.KeepAlive != (m.Minor == 1) {
		fmt.Fprintf(&b, ", keep-alive %t", m.KeepAlive)
	}
	if m.Upgrade != nil {
		fmt.Fprintf(&b, ", upgrade %s", m.Upgrade)
	}
	for _, name := range m.nominated {
		fmt.Fprintf(&b, ", nominates %s", name)
	}
	return b.String()
}

func fieldLines(fields []Field) string {
	var b strings.Builder
	for _, f := range fields {
		fmt.Fprintf(&b, "%s: %s\n", f.Name, f.Value)
	}
	return b.String()
}

func TestParseRequest_cases(t *testing.T) {
	lim := DefaultLimits()
	for _, tc := range requestCases() {
		t.Run(tc.name, func(t *testing.T) {
			var r Request
			n, err := ParseRequest(&r, []byte(tc.raw), &lim)
			if err != tc.err {
				t.Fatalf("got error %v, want %v", err, tc.err)
			}
			if err != nil {
				return
			}
			if got := describeRequest(&r); got != tc.want {
				t.Errorf("got  %s\nwant %s", got, tc.want)
			}
			if end := strings.Index(tc.raw, "\r\n\r\n") + 4; n != end {
				t.Errorf("head has %d bytes, want %d", n, end)
			}
		})
	}
}

func TestParseRequest_caseNames(t *testing.T) {
	seen := map[string]bool{}
	for _, tc := range requestCases() {
		if seen[tc.name] {
			t.Errorf("%q is there twice", tc.name)
		}
		seen[tc.name] = true
	}
}

// A head that arrives in two parts has the same result as a complete one, even if the buffer moved in between. An
// error may be returned for the first part already.
func TestParseRequest_everySplit(t *testing.T) {
	for _, tc := range requestCases() {
		if len(tc.raw) < 4096 {
			t.Run(tc.name, func(t *testing.T) { splitRequest(t, []byte(tc.raw)) })
		}
	}
}

func splitRequest(t *testing.T, raw []byte) {
	t.Helper()
	lim := DefaultLimits()
	var whole Request
	wantN, wantErr := ParseRequest(&whole, raw, &lim)
	if wantErr == ErrIncomplete {
		return
	}
	for i := range raw {
		var r Request
		n, err := ParseRequest(&r, bytes.Clone(raw[:i]), &lim)
		if err == ErrIncomplete {
			n, err = ParseRequest(&r, raw, &lim)
		}
		if err == ErrIncomplete {
			n, err = ParseRequest(&r, lineEnds(raw), &lim)
		}
		if n != wantN || err != wantErr {
			t.Fatalf("split at %d: got %d, %v; want %d, %v", i, n, err, wantN, wantErr)
		}
		if err == nil && describeRequest(&r)+fieldLines(r.Fields) != describeRequest(&whole)+fieldLines(whole.Fields) {
			t.Fatalf("split at %d: got %s, want %s", i, describeRequest(&r), describeRequest(&whole))
		}
	}
}

// lineEnds completes the current line and the head. Errors in a line may be reported at its end.
func lineEnds(raw []byte) []byte { return append(bytes.Clone(raw), "\n\n"...) }

func TestParseRequest_byteByByte(t *testing.T) {
	lim := DefaultLimits()
	var r Request
	for i := 1; i < len(smallGet); i++ {
		if _, err := ParseRequest(&r, []byte(smallGet[:i]), &lim); err != ErrIncomplete {
			t.Fatalf("after %d bytes: got %v, want ErrIncomplete", i, err)
		}
	}
	n, err := ParseRequest(&r, []byte(smallGet), &lim)
	if n != len(smallGet) || err != nil || len(r.Fields) != 8 {
		t.Fatalf("got %d bytes, %d fields, %v", n, len(r.Fields), err)
	}
}

// A head in many pieces is parsed for its first bytes, its first line and its end, not once per piece.
func TestParseRequest_smallPiecesAreCheap(t *testing.T) {
	lim := DefaultLimits()
	var r Request
	var parsedAt []int
	buf := []byte(get("A: b"))
	for i := 1; i <= len(buf); i++ {
		if r.worthParsing(buf[:i], &lim) {
			parsedAt = append(parsedAt, i)
		}
		_, _ = ParseRequest(&r, buf[:i], &lim)
	}
	if want := []int{1, len("GET / HTTP/1.1\r\n"), len(buf)}; !slices.Equal(parsedAt, want) {
		t.Errorf("parsed after %v bytes, want %v", parsedAt, want)
	}
}

// Otherwise, the parser would wait for an empty line that never arrives.
func TestParseRequest_bareLF(t *testing.T) {
	lim := DefaultLimits()
	var r Request
	for i, tc := range []struct {
		buf  string
		want error
	}{
		{"GET / HTTP/1.1\r\nHost: a.exam", ErrIncomplete},
		{"GET / HTTP/1.1\r\nHost: a.example\r\nA:", ErrIncomplete},
		{"GET / HTTP/1.1\r\nHost: a.example\r\nA: b\n", ErrLineEnd},
	} {
		if _, err := ParseRequest(&r, []byte(tc.buf), &lim); err != tc.want {
			t.Errorf("step %d: got %v, want %v", i, err, tc.want)
		}
	}
}

func TestParseRequest_reuse(t *testing.T) {
	lim := DefaultLimits()
	var used, fresh Request
	full := post("Connection: upgrade, X-One", "Upgrade: websocket", "Cookie: a=1", "Cookie: b=2", "TE: trailers",
		"Expect: 100-continue", "Content-Length: 3", "Trailer: X")
	if _, err := ParseRequest(&used, []byte(full), &lim); err != nil {
		t.Fatal(err)
	}
	used.Reset()
	for _, r := range []*Request{&used, &fresh} {
		if _, err := ParseRequest(r, []byte(get()), &lim); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := describeRequest(&used), describeRequest(&fresh); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if used.Has(FieldCookie) || used.Get(FieldTE) != nil || len(used.Cookies) > 0 || used.Nominated([]byte("X-One")) {
		t.Error("fields of the message before are still known")
	}
}

func TestParseRequest_pipelined(t *testing.T) {
	lim := DefaultLimits()
	buf := []byte(get("A: 1") + get("A: 2"))
	var r Request
	n, err := ParseRequest(&r, buf, &lim)
	if err != nil || string(r.Fields[1].Value) != "1" {
		t.Fatal(err, fieldLines(r.Fields))
	}
	r.Reset()
	if m, err := ParseRequest(&r, buf[n:], &lim); err != nil || n+m != len(buf) || string(r.Fields[1].Value) != "2" {
		t.Fatal(err, m, fieldLines(r.Fields))
	}
}
