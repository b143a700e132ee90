package http1

import (
	"bytes"
	"net/url"
	"testing"
)

var pathCases = []struct {
	path string
	want string
	err  error
}{
	{path: "/", want: "/"},
	{path: "*", want: "*"},
	{path: "/a/b.c/", want: "/a/b.c/"},
	{path: "/.well-known/x", want: "/.well-known/x"},
	{path: "/a/..b/c../.../d", want: "/a/..b/c../.../d"},
	{path: "//a///b//", want: "//a///b//"},
	{path: "/a;v=1.0/b", want: "/a;v=1.0/b"},

	{path: "/.", want: "/"},
	{path: "/./", want: "/"},
	{path: "/./a", want: "/a"},
	{path: "/a/.", want: "/a/"},
	{path: "/a/./b", want: "/a/b"},
	{path: "/a/..", want: "/"},
	{path: "/a/../", want: "/"},
	{path: "/a/../b", want: "/b"},
	{path: "/a/b/..", want: "/a/"},
	{path: "/a/b/../../c", want: "/c"},
	{path: "/a/b/../c/./../d", want: "/a/d"},
	{path: "/a//../b", want: "/a/b"},
	{path: "/a/..//", want: "//"},
	{path: "//..", want: "/"},
	{path: "//../a", want: "/a"},
	{path: "/a/.//b", want: "/a//b"},

	{path: "/%61", want: "/a"},
	{path: "/%41%5a%7a%30%39%2d%2E%5F%7e", want: "/AZz09-._~"},
	{path: "/%2f%5c%20%25", want: "/%2F%5C%20%25"},
	{path: "/a%2Fb%5Cc", want: "/a%2Fb%5Cc"},
	{path: "/%c3%a9", want: "/%C3%A9"},
	{path: "/%252e%252e/a", want: "/%252e%252e/a"},
	{path: "/%3b%2c%3A", want: "/%3B%2C%3A"},
	{path: "/%0d%0aa", want: "/%0D%0Aa"},
	{path: "/a/%2e", want: "/a/"},
	{path: "/a/%2e%2e/b", want: "/b"},
	{path: "/a/.%2E/b", want: "/b"},
	{path: "/a/%2e%2e%2e/b", want: "/a/.../b"},
	{path: "/a/%2e./", want: "/"},
	{path: "/a%2F.hidden/b", want: "/a%2F.hidden/b"},
	{path: "/a.b%2Fc.d;e.f", want: "/a.b%2Fc.d;e.f"},
	{path: "/%2F/../a", want: "/a"},

	{path: "/..", err: ErrPathAboveRoot},
	{path: "/../a", err: ErrPathAboveRoot},
	{path: "/./../a", err: ErrPathAboveRoot},
	{path: "/a/../../b", err: ErrPathAboveRoot},
	{path: "/%2e%2e/a", err: ErrPathAboveRoot},
	{path: "/a/%2E%2e/..", err: ErrPathAboveRoot},
	{path: "/a/..;/b", err: ErrPathAmbiguous},
	{path: "/a/..;x=y/b", err: ErrPathAmbiguous},
	{path: "/.;/a", err: ErrPathAmbiguous},
	{path: "/a/%2e%2e;/b", err: ErrPathAmbiguous},
	{path: "/a/..%2fb", err: ErrPathAmbiguous},
	{path: "/a/..%2f..%2fb", err: ErrPathAmbiguous},
	{path: "/a%2f..", err: ErrPathAmbiguous},
	{path: "/a%2f../b", err: ErrPathAmbiguous},
	{path: "/a%2f%2e%2e%2fb", err: ErrPathAmbiguous},
	{path: "/a%5c..%5cb", err: ErrPathAmbiguous},
	{path: "/a%2F.%2Fb", err: ErrPathAmbiguous},
	{path: "/a%2F..;b", err: ErrPathAmbiguous},
	{path: "/a%00b", err: ErrPathEscape},
	{path: "/%", err: ErrPathEscape},
	{path: "/%a", err: ErrPathEscape},
	{path: "/%ag", err: ErrPathEscape},
	{path: "/%%41", err: ErrPathEscape},
	{path: "/%u0041", err: ErrPathEscape},
}

func TestNormalizePath_cases(t *testing.T) {
	for _, tc := range pathCases {
		out, changed, err := NormalizePath(nil, []byte(tc.path))
		if err != tc.err || string(out) != tc.want {
			t.Errorf("%s: got %q, %v; want %q, %v", tc.path, out, err, tc.want, tc.err)
		}
		if want := err == nil && tc.path != tc.want; changed != want {
			t.Errorf("%s: changed is %t, want %t", tc.path, changed, want)
		}
	}
}

func TestNormalizePath_normalPath(t *testing.T) {
	for _, text := range []string{"/a/b", "/.a", "/%2F", "*"} {
		path := []byte(text)
		if out, _, _ := NormalizePath(make([]byte, 0, 64), path); &out[0] != &path[0] {
			t.Errorf("%s was copied", text)
		}
	}
}

func TestNormalizePath_usesBuffer(t *testing.T) {
	dst := make([]byte, 3, 64)
	out, changed, err := NormalizePath(dst, []byte("/a/../b"))
	if string(out) != "/b" || !changed || err != nil || &out[0] != &dst[0] {
		t.Errorf("got %q, %t, %v", out, changed, err)
	}
}

// checkNormal checks the invariants of normal paths.
func checkNormal(t *testing.T, path []byte) {
	t.Helper()
	before := bytes.Clone(path)
	out, _, err := NormalizePath(nil, path)
	if !bytes.Equal(path, before) {
		t.Fatalf("%q was written to", before)
	}
	if err != nil || len(path) == 1 {
		return
	}
	again, changed, err := NormalizePath(nil, out)
	if err != nil || changed || !bytes.Equal(again, out) {
		t.Fatalf("%q becomes %q and then %q, %v", path, out, again, err)
	}
	for segment := range bytes.SplitSeq(out, []byte("/")) {
		if plain, _ := url.PathUnescape(string(segment)); plain == "." || plain == ".." {
			t.Fatalf("%q becomes %q", path, out)
		}
	}
	if out[0] != '/' {
		t.Fatalf("%q becomes %q", path, out)
	}
	oraclePath(t, path, out)
}

// oraclePath compares with net/url, which removes dot segments but not percent-encoded ones, and also removes an
// empty first segment.
func oraclePath(t *testing.T, path, out []byte) {
	t.Helper()
	if bytes.IndexByte(path, '%') >= 0 || bytes.HasPrefix(path, []byte("//")) || bytes.HasPrefix(out, []byte("//")) {
		return
	}
	base := &url.URL{Scheme: "http", Host: "a.example", Path: "/"}
	if want := base.ResolveReference(&url.URL{Path: string(path)}).Path; want != string(out) {
		t.Fatalf("%q becomes %q, with net/url %q", path, out, want)
	}
}

func TestNormalizePath_isIdempotent(t *testing.T) {
	for _, tc := range pathCases {
		checkNormal(t, []byte(tc.path))
	}
}
