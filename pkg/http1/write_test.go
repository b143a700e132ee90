package http1

import "testing"

func TestAppend_heads(t *testing.T) {
	for _, tc := range []struct {
		name string
		got  []byte
		want string
	}{
		{"request line", AppendRequestLine(nil, []byte("GET"), []byte("/a"), nil, false), "GET /a HTTP/1.1\r\n"},
		{"request line with query", AppendRequestLine(nil, []byte("GET"), []byte("/a"), []byte("b=c"), true), "GET /a?b=c HTTP/1.1\r\n"},
		{"request line with empty query", AppendRequestLine(nil, []byte("GET"), []byte("/a"), nil, true), "GET /a? HTTP/1.1\r\n"},
		{"status line", AppendStatusLine(nil, 404, []byte("Nope")), "HTTP/1.1 404 Nope\r\n"},
		{"status line with the usual reason", AppendStatusLine(nil, 503, nil), "HTTP/1.1 503 Service Unavailable\r\n"},
		{"status line without reason", AppendStatusLine(nil, 599, nil), "HTTP/1.1 599 \r\n"},
		{"field of strings", AppendField(nil, "A", "b"), "A: b\r\n"},
		{"field of bytes", AppendField([]byte("x"), []byte("A"), []byte("b")), "xA: b\r\n"},
		{"known field", AppendField(nil, FieldXForwardedFor.String(), ""), "X-Forwarded-For: \r\n"},
		{"length", AppendContentLength(nil, 120), "Content-Length: 120\r\n"},
		{"end", AppendHeadEnd(nil), "\r\n"},
		{"chunk header", AppendChunkHeader(nil, 255), "ff\r\n"},
		{"body end", AppendBodyEnd(nil, nil, &Message{}), "0\r\n\r\n"},
	} {
		if string(tc.got) != tc.want {
			t.Errorf("%s: got %q, want %q", tc.name, tc.got, tc.want)
		}
	}
}

// HTTP/2 requests are stored in a Request by its setters, with the same validation.
func TestRequest_filledByCaller(t *testing.T) {
	var r Request
	for range 2 {
		r.Reset()
		r.Method, r.Minor, r.KeepAlive = []byte("GET"), 1, true
		if err := r.SetTarget([]byte("/a?b")); err != nil {
			t.Fatal(err)
		}
		if err := r.SetHost([]byte("a.example")); err != nil {
			t.Fatal(err)
		}
		r.Add([]byte("cookie"), []byte("a=b"))
		r.Add([]byte("x-a"), []byte("1"))
		r.Add([]byte("cookie"), []byte("c=d"))
		if got, want := describeRequest(&r), "GET /a?b a.example"; got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		if len(r.Cookies) != 2 || string(r.Get(FieldCookie)) != "a=b" || !ForwardRequestField(&r.Fields[1], &r) {
			t.Fatalf("got cookies %v in %q", r.Cookies, fieldLines(r.Fields))
		}
	}
}

func TestSetTarget(t *testing.T) {
	for _, target := range []string{"", "a", "http://a.example/", "/a b", "/a\r\nB: c", "/\x80", "/%", "/\\", "/#", "*", "*a"} {
		r := Request{Method: []byte("GET")}
		if r.SetTarget([]byte(target)) == nil {
			t.Errorf("%q was accepted", target)
		}
	}
	r := Request{Method: []byte("OPTIONS")}
	if err := r.SetTarget([]byte("*")); err != nil || string(r.Path) != "*" {
		t.Errorf("got %q, %v", r.Path, err)
	}
}

func TestSetHost(t *testing.T) {
	var r Request
	for _, host := range []string{"", "a b", "user@a", "a:b", "a\r\nB: c"} {
		if r.SetHost([]byte(host)) == nil {
			t.Errorf("%q was accepted", host)
		}
	}
}
