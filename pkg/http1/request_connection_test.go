package http1

import (
	"strings"
	"testing"
)

// get10 is a GET request of HTTP/1.0 with these lines.
func get10(lines ...string) string {
	return head(append([]string{"GET / HTTP/1.0", "Host: a.example"}, lines...)...)
}

var connectionCases = []requestCase{
	{name: "close", raw: get("Connection: close"), want: "GET / a.example, keep-alive false"},
	{name: "close in capitals", raw: get("Connection: CLOSE"), want: "GET / a.example, keep-alive false"},
	{name: "keep-alive", raw: get("Connection: keep-alive"), want: "GET / a.example"},
	{name: "close beats keep-alive", raw: get("Connection: close, keep-alive"), want: "GET / a.example, keep-alive false"},
	{name: "close in the second field", raw: get("Connection: keep-alive", "Connection: close"), want: "GET / a.example, keep-alive false"},
	{name: "close in HTTP/1.0", raw: get10("Connection: close"), want: "GET / a.example, 1.0"},
	{name: "keep-alive in HTTP/1.0", raw: get10("Connection: Keep-Alive"), want: "GET / a.example, 1.0, keep-alive true"},
	{name: "both in HTTP/1.0", raw: get10("Connection: keep-alive, close"), want: "GET / a.example, 1.0"},
	{name: "Proxy-Connection means nothing", raw: get("Proxy-Connection: close"), want: "GET / a.example"},
	{name: "connection empty", raw: get("Connection:"), want: "GET / a.example"},
	{name: "connection with empty elements", raw: get("Connection: ,, close ,"), want: "GET / a.example, keep-alive false"},
	{name: "closed is another option", raw: get("Connection: closed"), want: "GET / a.example, nominates closed"},
	{name: "nominated fields", raw: get("Connection: X-A,\tx-b", "Connection: X-C"), want: "GET / a.example, nominates X-A, nominates x-b, nominates X-C"},
	{name: "most nominated fields", raw: get("Connection: " + strings.Repeat("x, ", 16)), want: "GET / a.example" + strings.Repeat(", nominates x", 16)},
	{name: "too many nominated fields", raw: get("Connection: " + strings.Repeat("x, ", 17)), err: ErrConnectionTooLong},
	{name: "too many nominated fields in many lines", raw: get(strings.Split(strings.Repeat("Connection: x\n", 17)+"A: b", "\n")...), err: ErrConnectionTooLong},
	{name: "connection of two words", raw: get("Connection: close keep-alive"), err: ErrConnection},
	{name: "connection with parameter", raw: get("Connection: close;q=1"), err: ErrConnection},
	{name: "connection in quotes", raw: get("Connection: \"close\""), err: ErrConnection},

	{name: "WebSocket", raw: get("Connection: Upgrade", "Upgrade: websocket"), want: "GET / a.example, upgrade websocket"},
	{name: "WebSocket of Firefox", raw: get("Connection: keep-alive, Upgrade", "Upgrade: WebSocket"), want: "GET / a.example, upgrade WebSocket"},
	{name: "h2c", raw: get("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAM"), want: "GET / a.example, upgrade h2c, nominates HTTP2-Settings"},
	{name: "Upgrade not nominated", raw: get("Upgrade: websocket"), want: "GET / a.example"},
	{name: "Upgrade nominated and missing", raw: get("Connection: Upgrade"), want: "GET / a.example"},
	{name: "Upgrade in HTTP/1.0", raw: get10("Connection: Upgrade", "Upgrade: websocket"), want: "GET / a.example, 1.0"},
	{name: "Upgrade twice", raw: get("Connection: Upgrade", "Upgrade: websocket", "Upgrade: h2c"), want: "GET / a.example"},

	{name: "expect", raw: post("Content-Length: 1", "Expect: 100-continue") + "x", want: "POST / a.example, length 1, continue"},
	{name: "expect in other case", raw: post("Transfer-Encoding: chunked", "expect: 100-Continue") + "0\r\n\r\n", want: "POST / a.example, chunked, continue"},
	{name: "expect without body", raw: get("Expect: 100-continue"), want: "GET / a.example"},
	{name: "expect in HTTP/1.0", raw: head("POST / HTTP/1.0", "Host: a.example", "Content-Length: 1", "Expect: 100-continue") + "x", want: "POST / a.example, 1.0, length 1"},
	{name: "expect something else", raw: post("Content-Length: 1", "Expect: 200-ok"), err: ErrExpect},
	{name: "expect twice", raw: post("Content-Length: 1", "Expect: 100-continue", "Expect: 100-continue"), err: ErrExpect},
	{name: "expect listed", raw: post("Content-Length: 1", "Expect: 100-continue, x"), err: ErrExpect},

	{name: "TE trailers", raw: get("TE: trailers"), want: "GET / a.example, trailers"},
	{name: "TE with more", raw: get("TE: gzip;q=0.5, Trailers"), want: "GET / a.example, trailers"},
	{name: "TE without trailers", raw: get("TE: deflate"), want: "GET / a.example"},
	{name: "TE nominated", raw: get("Connection: TE", "TE: trailers"), want: "GET / a.example, nominates TE, trailers"},
}

func TestRequest_WebSocket(t *testing.T) {
	lim := DefaultLimits()
	for _, tc := range []struct {
		name, raw string
		want      bool
	}{
		{"plain", get("Connection: Upgrade", "Upgrade: websocket"), true},
		{"one of two", get("Connection: Upgrade", "Upgrade: h2c, WebSocket"), true},
		{"h2c", get("Connection: Upgrade", "Upgrade: h2c"), false},
		{"version", get("Connection: Upgrade", "Upgrade: websocket/13"), false},
		{"not nominated", get("Upgrade: websocket"), false},
		{"HTTP/1.0", get10("Connection: Upgrade", "Upgrade: websocket"), false},
		{"POST", post("Connection: Upgrade", "Upgrade: websocket"), false},
		{"with a body", get("Connection: Upgrade", "Upgrade: websocket", "Content-Length: 1"), false},
	} {
		var r Request
		if _, err := ParseRequest(&r, []byte(tc.raw), &lim); err != nil {
			t.Errorf("%s: %v", tc.name, err)
		}
		if got := r.WebSocket(); got != tc.want {
			t.Errorf("%s: got %t, want %t", tc.name, got, tc.want)
		}
	}
}
