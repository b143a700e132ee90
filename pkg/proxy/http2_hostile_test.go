package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

func TestHTTP2RequestsThatHTTP11CouldMisreadAreRefused(t *testing.T) {
	r := newRig(t)
	reached := make(chan string, 100)
	r.servePods(nil, 1, func(_ string, _ http.ResponseWriter, q *http.Request) { reached <- q.RequestURI })
	for name, c := range map[string]struct {
		fields []string // name, value, ...
		want   string   // status, or "reset"
	}{
		"CONNECT":                  {[]string{":method", "CONNECT", ":authority", "evil:25"}, "405"},
		"no authority":             {[]string{":method", "GET", ":scheme", "http", ":path", "/"}, "400"},
		"splitting by path":        {[]string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/ HTTP/1.1\r\nX: y"}, "reset"},
		"space in path":            {[]string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/a b"}, "400"},
		"bad authority":            {[]string{":method", "GET", ":scheme", "http", ":authority", "a:80:80", ":path", "/"}, "400"},
		"dot segments over root":   {[]string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/../x"}, "400"},
		"transfer-encoding":        {[]string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/", "transfer-encoding", "chunked"}, "400"},
		"connection":               {[]string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/", "connection", "close"}, "400"},
		"line end in a value":      {[]string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/", "x", "a\r\nb: c"}, "reset"},
		"two content-lengths":      {[]string{":method", "POST", ":scheme", "http", ":authority", "a", ":path", "/", "content-length", "1", "content-length", "2"}, "400"},
		"what there is to compare": {[]string{":method", "GET", ":scheme", "http", ":authority", "a", ":path", "/fine"}, "200"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := rawHTTP2(t, r.addr, c.fields...); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	close(reached)
	for target := range reached {
		if target != "/fine" {
			t.Errorf("the pod was sent %q", target)
		}
	}
}

// rawHTTP2 sends one request with just these fields, and gives the status, or "reset".
func rawHTTP2(t *testing.T, addr string, fields ...string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for i := 0; i < len(fields); i += 2 {
		if err := encoder.WriteField(hpack.HeaderField{Name: fields[i], Value: fields[i+1]}); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Fprint(conn, http2.ClientPreface)
	framer := http2.NewFramer(conn, conn)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if err := errors.Join(framer.WriteSettings(), framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: 1, BlockFragment: block.Bytes(), EndStream: true, EndHeaders: true,
	})); err != nil {
		t.Fatal(err)
	}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return "reset"
		}
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			return f.PseudoValue("status")
		case *http2.RSTStreamFrame, *http2.GoAwayFrame:
			return "reset"
		}
	}
}
