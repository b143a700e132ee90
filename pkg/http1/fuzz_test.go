package http1

import (
	"bytes"
	"testing"
)

func FuzzRequest(f *testing.F) {
	for _, tc := range requestCases() {
		f.Add([]byte(tc.raw))
	}
	for _, body := range chunkedCases {
		f.Add([]byte(post("Transfer-Encoding: chunked") + body.raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		oracleRequest(t, raw)
		if len(raw) < 512 {
			splitRequest(t, raw)
		}
		rewriteRequest(t, raw)
	})
}

// rewriteRequest serializes an accepted request like a proxy, and parses the result.
func rewriteRequest(t *testing.T, raw []byte) {
	t.Helper()
	var r, again Request
	lim := DefaultLimits()
	if _, err := ParseRequest(&r, raw, &lim); err != nil || !r.Has(FieldHost) {
		return
	}
	checkFields(t, r.Fields)
	out := AppendRequestLine(nil, r.Method, r.Path, r.Query, r.HasQuery)
	for _, f := range r.Fields {
		out = AppendField(out, f.Name, f.Value)
	}
	out = AppendHeadEnd(out)
	lim.HeadBytes *= 2 // the spaces after the colons may be more now
	n, err := ParseRequest(&again, out, &lim)
	if r.Minor == 0 && err == ErrExpect {
		return // an Expect that HTTP/1.0 passes over
	}
	if err != nil || n != len(out) || fieldLines(again.Fields) != fieldLines(r.Fields) {
		t.Fatalf("%q was accepted, but not as %q: %v", raw, out, err)
	}
	again.Minor, again.KeepAlive, again.Upgrade, again.ExpectContinue = r.Minor, r.KeepAlive, r.Upgrade, r.ExpectContinue
	same(t, "rewritten request", describeRequest(&again), describeRequest(&r))
}

// checkFields checks for fields that must never be forwarded.
func checkFields(t *testing.T, fields []Field) {
	t.Helper()
	for _, f := range fields {
		if len(f.Name) == 0 || bytes.ContainsAny(f.Name, " \t\r\n:\x00") || bytes.ContainsAny(f.Value, "\r\n\x00\x7f") {
			t.Fatalf("field %q: %q", f.Name, f.Value)
		}
	}
}

func FuzzResponse(f *testing.F) {
	for _, tc := range responseCases() {
		f.Add([]byte(tc.raw), tc.method == "HEAD")
	}
	f.Fuzz(func(t *testing.T, raw []byte, isHead bool) {
		method := "GET"
		if isHead {
			method = "HEAD"
		}
		oracleResponse(t, raw, method)
		if len(raw) < 512 {
			splitResponse(t, raw, method)
		}
	})
}

func FuzzChunked(f *testing.F) {
	for _, tc := range chunkedCases {
		f.Add([]byte(tc.raw), 1)
		f.Add([]byte(tc.raw), 1<<10)
	}
	f.Fuzz(func(t *testing.T, raw []byte, step int) {
		oracleRequest(t, append([]byte(post("Transfer-Encoding: chunked")), raw...))
		splitChunked(t, raw, max(step, 1))
	})
}

func FuzzNormalizePath(f *testing.F) {
	for _, tc := range pathCases {
		f.Add([]byte(tc.path))
	}
	f.Fuzz(func(t *testing.T, path []byte) {
		var r Request
		if r.SetTarget(path) != nil || r.HasQuery {
			return
		}
		checkNormal(t, path)
	})
}
