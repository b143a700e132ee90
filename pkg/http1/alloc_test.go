package http1

import (
	"strings"
	"testing"
)

// noAllocs counts the allocations of f after a first call, which allocates reusable memory.
func noAllocs(t *testing.T, what string, f func()) {
	t.Helper()
	f()
	if n := testing.AllocsPerRun(100, f); n != 0 {
		t.Errorf("%s allocates %v times", what, n)
	}
}

func TestParse_allocatesNothing(t *testing.T) {
	lim := DefaultLimits()
	var r Request
	for _, tc := range requestCases() {
		raw := []byte(tc.raw)
		if strings.Contains(tc.raw, "[") || strings.Contains(tc.name, "UTF-8") {
			continue // an IPv6 address in brackets takes an allocation to check, and UTF-8 in a target takes one to encode
		}
		noAllocs(t, tc.name, func() {
			r.Reset()
			_, _ = ParseRequest(&r, raw, &lim)
		})
	}
	var resp Response
	for _, tc := range responseCases() {
		raw, method := []byte(tc.raw), []byte(tc.method)
		if endsWithBareLF(raw) {
			continue // withCRLF copies such a head
		}
		noAllocs(t, tc.name, func() {
			resp.Reset()
			_, _ = ParseResponse(&resp, raw, &lim, method)
		})
	}
}

func TestBody_allocatesNothing(t *testing.T) {
	lim := DefaultLimits()
	var c Chunked
	for _, tc := range chunkedCases {
		raw := []byte(tc.raw)
		noAllocs(t, tc.name, func() {
			c.Reset(&lim)
			for n, used, done, err := 0, 0, false, error(nil); !done && err == nil; n += used {
				_, used, done, err = c.Next(raw[n:])
			}
		})
	}
}

func TestForward_allocatesNothing(t *testing.T) {
	lim := DefaultLimits()
	var r Request
	if _, err := ParseRequest(&r, []byte(smallGet), &lim); err != nil {
		t.Fatal(err)
	}
	out, path, dots := make([]byte, 0, 1024), make([]byte, 0, 64), []byte("/a/./%7eb")
	noAllocs(t, "writing a request", func() {
		out = AppendRequestLine(out[:0], r.Method, r.Path, r.Query, r.HasQuery)
		for i := range r.Fields {
			if ForwardRequestField(&r.Fields[i], &r) {
				out = AppendField(out, r.Fields[i].Name, r.Fields[i].Value)
			}
		}
		out = AppendHeadEnd(AppendField(out, FieldXForwardedProto.String(), "https"))
	})
	noAllocs(t, "normalizing a path", func() {
		if _, changed, err := NormalizePath(path, dots); !changed || err != nil {
			t.Error(changed, err)
		}
	})
}
