package http1

import "testing"

func TestSetMethod(t *testing.T) {
	for method, want := range map[string]error{
		"GET": nil, "brew": nil, "": ErrMethod, "GET /b": ErrMethod, "GET\r\n": ErrMethod, "G\x00T": ErrMethod,
		"CONNECT": ErrConnect, "connect": ErrConnect,
		"TRACE": ErrTrace,
	} {
		var r Request
		if got := r.SetMethod([]byte(method)); got != want {
			t.Errorf("%q: got %v, want %v", method, got, want)
		}
	}
}

func TestSettle(t *testing.T) {
	for _, c := range []struct {
		name   string
		fields []string
		want   error
		length int64
	}{
		{"none", nil, nil, -1},
		{"the same host", []string{"host", "A.example"}, nil, -1},
		{"another host", []string{"Host", "b.example"}, ErrHostMismatch, -1},
		{"two hosts", []string{"Host", "a.example", "host", "a.example"}, ErrHostRepeated, -1},
		{"length", []string{"content-length", "5"}, nil, 5},
		{"two lengths", []string{"content-length", "5", "content-length", "5"}, ErrLength, -1},
		{"no length", []string{"content-length", "0x5"}, ErrLength, -1},
	} {
		var r Request
		r.Reset()
		if err := r.SetHost([]byte("a.example")); err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(c.fields); i += 2 {
			r.Add([]byte(c.fields[i]), []byte(c.fields[i+1]))
		}
		if err := r.Settle(); err != c.want || r.ContentLength != c.length {
			t.Errorf("%s: got %v and length %d, want %v and %d", c.name, err, r.ContentLength, c.want, c.length)
		}
	}
}
