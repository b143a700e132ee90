package proxy

import "strings"

var rawLines = []rawCase{
	{name: "plain", raw: get + hostLine + "\r\n", status: 200, pod: seen},
	{name: "HTTP/1.0", raw: "GET / HTTP/1.0\r\n" + hostLine + "\r\n", status: 200, pod: seen, closes: true},
	{name: "an unknown method", raw: "BREW / HTTP/1.1\r\n" + hostLine + "\r\n", status: 200, pod: "BREW / HTTP/1.1\r\n" + hostLine + who + "\r\n"},
	{name: "method in small letters is another one", raw: "get / HTTP/1.1\r\n" + hostLine + "\r\n", status: 200, pod: "get / HTTP/1.1\r\n" + hostLine + who + "\r\n"},

	{name: "TLS on the plain port", raw: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", status: 400},
	{name: "SSH", raw: "SSH-2.0-OpenSSH_9.6\r\n", status: 400},
	{name: "bare LF after the request line", raw: "GET / HTTP/1.1\n" + hostLine + "\r\n", status: 400},
	{name: "bare LF everywhere", raw: "GET / HTTP/1.1\nHost: a.example\n\n", status: 400},
	{name: "bare LF before the end", raw: get + hostLine + "\n", status: 400},
	{name: "bare CR after the request line", raw: "GET / HTTP/1.1\rHost: a.example\r\n\r\n", status: 400},
	{name: "CR CR LF", raw: "GET / HTTP/1.1\r\r\n" + hostLine + "\r\n", status: 400},
	{name: "LF CR", raw: "GET / HTTP/1.1\n\rHost: a.example\n\r\n\r", status: 400},
	{name: "empty line first", raw: "\r\n" + get + hostLine + "\r\n", status: 400},
	{name: "space first", raw: " " + get + hostLine + "\r\n", status: 400},
	{name: "two spaces after the method", raw: "GET  / HTTP/1.1\r\n" + hostLine + "\r\n", status: 400},
	{name: "tab after the method", raw: "GET\t/ HTTP/1.1\r\n" + hostLine + "\r\n", status: 400},
	{name: "two spaces before the version", raw: "GET /  HTTP/1.1\r\n" + hostLine + "\r\n", status: 400},
	{name: "space after the version", raw: "GET / HTTP/1.1 \r\n" + hostLine + "\r\n", status: 400},
	{name: "method with NUL", raw: "G\x00T / HTTP/1.1\r\n" + hostLine + "\r\n", status: 400},
	{name: "method with a delimiter", raw: "GET: / HTTP/1.1\r\n" + hostLine + "\r\n", status: 400},
	{name: "method above ASCII", raw: "G\xc3\x84T / HTTP/1.1\r\n" + hostLine + "\r\n", status: 400},

	{name: "HTTP/0.9", raw: "GET /\r\n", status: 400},
	{name: "HTTP/0.9 with its version", raw: "GET / HTTP/0.9\r\n\r\n", status: 505},
	{name: "HTTP/1.2", raw: "GET / HTTP/1.2\r\n" + hostLine + "\r\n", status: 200, pod: seen},
	{name: "HTTP/2.0", raw: "GET / HTTP/2.0\r\n" + hostLine + "\r\n", status: 505},
	{name: "HTTP/1.10", raw: "GET / HTTP/1.10\r\n" + hostLine + "\r\n", status: 400},
	{name: "HTTP/01.1", raw: "GET / HTTP/01.1\r\n" + hostLine + "\r\n", status: 400},
	{name: "http/1.1", raw: "GET / http/1.1\r\n" + hostLine + "\r\n", status: 400},
	{name: "another protocol", raw: "GET / ICAP/1.0\r\n" + hostLine + "\r\n", status: 400},
	{name: "version with NUL", raw: "GET / HTTP/1.1\x00\r\n" + hostLine + "\r\n", status: 400},

	{name: "CONNECT", raw: "CONNECT evil.example:25 HTTP/1.1\r\nHost: evil.example:25\r\n\r\n", status: 405},
	{name: "CONNECT with a path", raw: "CONNECT / HTTP/1.1\r\n" + hostLine + "\r\n", status: 405},
	{name: "TRACE", raw: "TRACE / HTTP/1.1\r\n" + hostLine + "\r\n", status: 405},
	{name: "connect", raw: "connect a.example:80 HTTP/1.1\r\n" + hostLine + "\r\n", status: 405},
}

// for1 is a GET of that target, and for1Seen what is seen of it where it was written so.
func for1(target string) string { return "GET " + target + " HTTP/1.1\r\n" + hostLine + "\r\n" }
func for1Seen(target string) string {
	return "GET " + target + " HTTP/1.1\r\n" + hostLine + who + "\r\n"
}

var rawTargets = []rawCase{
	{name: "path and query", raw: for1("/a/b?c=d&e"), status: 200, pod: for1Seen("/a/b?c=d&e")},
	{name: "empty query", raw: for1("/a?"), status: 200, pod: for1Seen("/a?")},
	{name: "query that would be refused in a path", raw: for1("/?rate=50%&a=\\..\\"), status: 200, pod: for1Seen("/?rate=50%&a=\\..\\")},
	{name: "absolute-form", raw: for1("http://a.example/b?c"), status: 200, pod: for1Seen("/b?c")},
	{name: "absolute-form with https", raw: for1("https://a.example/b"), status: 200, pod: for1Seen("/b")},
	{name: "absolute-form without path", raw: for1("http://a.example"), status: 200, pod: for1Seen("/")},
	{name: "absolute-form in capitals", raw: for1("HTTP://A.EXAMPLE/B"), status: 200, pod: for1Seen("/B")},
	{name: "absolute-form against Host", raw: for1("http://b.example/"), status: 400},
	{name: "absolute-form with the default port", raw: for1("http://a.example:80/"), status: 200, pod: for1Seen("/")},
	{name: "absolute-form with another port", raw: for1("http://a.example:81/"), status: 400},
	{name: "absolute-form with user", raw: for1("http://a.example@b.example/"), status: 400},
	{name: "absolute-form with a backslash", raw: for1("http://a.example\\@b.example/"), status: 400},
	{name: "absolute-form without authority", raw: for1("http:///b"), status: 400},
	{name: "absolute-form without Host", raw: "GET http://a.example/ HTTP/1.1\r\n\r\n", status: 400},
	{name: "absolute-form of another scheme", raw: for1("ftp://a.example/"), status: 400},
	{name: "authority-form", raw: for1("a.example:80"), status: 400},
	{name: "asterisk-form of OPTIONS", raw: "OPTIONS * HTTP/1.1\r\n" + hostLine + "\r\n", status: 200, pod: "OPTIONS * HTTP/1.1\r\n" + hostLine + who + "\r\n"},
	{name: "OPTIONS, absolute without path", raw: "OPTIONS http://a.example HTTP/1.1\r\n" + hostLine + "\r\n", status: 200, pod: "OPTIONS * HTTP/1.1\r\n" + hostLine + who + "\r\n"},
	{name: "asterisk-form of GET", raw: for1("*"), status: 400},
	{name: "asterisk and more", raw: "OPTIONS */a HTTP/1.1\r\n" + hostLine + "\r\n", status: 400},
	{name: "relative", raw: for1("../a"), status: 400},
	{name: "target of two words", raw: for1("/a b"), status: 400},
	{name: "fragment", raw: for1("/a#b"), status: 400},
	{name: "NUL in the target", raw: for1("/a\x00b"), status: 400},
	{name: "bare CR in the target", raw: for1("/a\rb"), status: 400},
	{name: "DEL in the target", raw: for1("/a\x7fb"), status: 400},
	{name: "UTF-8 in the target", raw: for1("/caf\xc3\xa9?\xc3\xa9"), status: 200, pod: for1Seen("/caf%C3%A9?%C3%A9")},
	{name: "other bytes above ASCII in the target", raw: for1("/caf\xe9"), status: 400},
	{name: "bad escape", raw: for1("/%zz"), status: 400},
	{name: "half an escape", raw: for1("/a%4"), status: 400},
	{name: "escaped NUL", raw: for1("/a%00b"), status: 400},
	{name: "backslash in the path", raw: for1("/a\\..\\b"), status: 400},
	{name: "path above the root", raw: for1("/a/../../b"), status: 400},
	{name: "escaped line end", raw: for1("/a%0d%0aX:%20y"), status: 200, pod: for1Seen("/a%0D%0AX:%20y")},
	{name: "dot segments", raw: for1("/a/./b/../c"), status: 200, pod: for1Seen("/a/c")},
}

var rawLimits = []rawCase{
	{name: "longest target", raw: for1("/" + strings.Repeat("a", 16<<10-1)), status: 200, pod: for1Seen("/" + strings.Repeat("a", 16<<10-1))},
	{name: "target too long", raw: for1("/" + strings.Repeat("a", 16<<10)), status: 414},
	{name: "query too long", raw: for1("/?" + strings.Repeat("a", 16<<10)), status: 414},
	{name: "target without end", raw: "GET /" + strings.Repeat("a", 20<<10), status: 414},
	{name: "method too long", raw: strings.Repeat("M", 33) + " / HTTP/1.1\r\n" + hostLine + "\r\n", status: 501},
	{name: "head too large", raw: with("A: " + strings.Repeat("a", 70<<10)), status: 431},
	{name: "head without end", raw: get + hostLine + "A: " + strings.Repeat("a", 70<<10), status: 431},
	{name: "name without end", raw: get + hostLine + strings.Repeat("a", 70<<10), status: 431},
	{name: "spaces without end", raw: get + hostLine + "A: " + strings.Repeat(" ", 70<<10), status: 431},
	{name: "too many fields", raw: with(strings.Repeat("A: b\n", 128) + "A: b"), status: 431},
	{name: "most fields", raw: with(strings.Repeat("A: b\n", 126) + "A: b"), status: 200, pod: pod200(strings.Repeat("A: b\n", 126) + "A: b")},
}
