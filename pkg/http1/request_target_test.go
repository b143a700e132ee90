package http1

import "strings"

// target is a GET request for that target.
func target(t string) string { return head("GET "+t+" HTTP/1.1", "Host: a.example") }

func options(t string) string { return head("OPTIONS "+t+" HTTP/1.1", "Host: a.example") }

var targetCases = []requestCase{
	{name: "path", raw: target("/a/b"), want: "GET /a/b a.example"},
	{name: "query", raw: target("/a?b=c"), want: "GET /a?b=c a.example"},
	{name: "empty query", raw: target("/a?"), want: "GET /a? a.example"},
	{name: "query with question mark", raw: target("/a?b?c"), want: "GET /a?b?c a.example"},
	{name: "query with slashes", raw: target("/?u=http://b.example/../x"), want: "GET /?u=http://b.example/../x a.example"},
	{name: "dot segments are for NormalizePath", raw: target("/a/../b"), want: "GET /a/../b a.example"},
	{name: "two slashes", raw: target("//b.example/c"), want: "GET //b.example/c a.example"},
	{name: "escapes", raw: target("/%7Ea%2fb"), want: "GET /%7Ea%2fb a.example"},
	{name: "matrix parameters", raw: target("/a;v=1/b"), want: "GET /a;v=1/b a.example"},
	{name: "characters that browsers do not escape", raw: target("/a|b[c]{d}^`?'|[]{}\\^`"), want: "GET /a|b[c]{d}^`?'|[]{}\\^` a.example"},
	{name: "bad escape in query", raw: target("/?rate=50%&u=%u0041"), want: "GET /?rate=50%&u=%u0041 a.example"},
	{name: "bad escape in path", raw: target("/a%zzb"), err: ErrPathEscape},
	{name: "half an escape in path", raw: target("/a%4"), err: ErrPathEscape},
	{name: "half an escape before query", raw: target("/a%4?1"), err: ErrPathEscape},
	{name: "percent at the end of path", raw: target("/100%"), err: ErrPathEscape},
	{name: "second escape bad", raw: target("/%41%4g"), err: ErrPathEscape},
	{name: "backslash in path", raw: target("/a\\..\\b"), err: ErrTarget},
	{name: "fragment", raw: target("/a#b"), err: ErrTarget},
	{name: "fragment in query", raw: target("/a?b#c"), err: ErrTarget},
	{name: "NUL in target", raw: target("/a\x00b"), err: ErrTarget},
	{name: "DEL in target", raw: target("/a\x7fb"), err: ErrTarget},
	{name: "escape character in target", raw: target("/a\x1bb"), err: ErrTarget},
	{name: "byte above ASCII in path", raw: target("/caf\xc3\xa9"), err: ErrTarget},
	{name: "byte above ASCII in query", raw: target("/?q=caf\xe9"), err: ErrTarget},
	{name: "no slash", raw: target("a"), err: ErrTarget},
	{name: "relative target", raw: target("../a"), err: ErrTarget},
	{name: "only a query", raw: target("?a"), err: ErrTarget},
	{name: "no target", raw: head("GET HTTP/1.1", "Host: a.example"), err: ErrTarget},

	{name: "absolute-form", raw: target("http://a.example/b?c"), want: "GET /b?c a.example"},
	{name: "absolute-form with https", raw: target("https://a.example/b"), want: "GET /b a.example"},
	{name: "absolute-form in capitals", raw: target("HTTP://A.EXAMPLE/B"), want: "GET /B a.example"},
	{name: "absolute-form without path", raw: target("http://a.example"), want: "GET / a.example"},
	{name: "absolute-form with query and no path", raw: target("http://a.example?b/c"), want: "GET /?b/c a.example"},
	{name: "absolute-form with port", raw: head("GET http://a.example:8080/ HTTP/1.1", "Host: a.example:8080"), want: "GET / a.example:8080"},
	{name: "absolute-form against Host", raw: target("http://b.example/"), err: ErrHostMismatch},
	{name: "absolute-form with port against Host", raw: target("http://a.example:80/"), err: ErrHostMismatch},
	{name: "absolute-form with Host twice", raw: head("GET http://a.example/ HTTP/1.1", "Host: a.example", "Host: a.example"), err: ErrHostRepeated},
	{name: "absolute-form without Host", raw: head("GET http://a.example/ HTTP/1.1"), err: ErrHostMissing},
	{name: "absolute-form without authority", raw: target("http:///b"), err: ErrHost},
	{name: "absolute-form without anything", raw: target("http://"), err: ErrTarget},
	{name: "absolute-form with user", raw: target("http://a.example@b.example/"), err: ErrHost},
	{name: "absolute-form with backslash", raw: target("http://a.example\\@b.example/"), err: ErrHost},
	{name: "absolute-form with one slash", raw: target("http:/a.example/"), err: ErrTarget},
	{name: "absolute-form with bad escape", raw: target("http://a.example/%g0"), err: ErrPathEscape},
	{name: "absolute-form of another scheme", raw: target("ftp://a.example/"), err: ErrTarget},
	{name: "absolute-form of ws", raw: target("ws://a.example/"), err: ErrTarget},
	{name: "authority-form without CONNECT", raw: target("a.example:80"), err: ErrTarget},

	{name: "asterisk", raw: options("*"), want: "OPTIONS * a.example"},
	{name: "OPTIONS with path", raw: options("/a"), want: "OPTIONS /a a.example"},
	{name: "OPTIONS absolute without path", raw: options("http://a.example"), want: "OPTIONS * a.example"},
	{name: "OPTIONS absolute with slash", raw: options("http://a.example/"), want: "OPTIONS / a.example"},
	{name: "OPTIONS absolute with query", raw: options("http://a.example?b"), want: "OPTIONS /?b a.example"},
	{name: "asterisk with GET", raw: target("*"), err: ErrTarget},
	{name: "asterisk and more", raw: options("*/a"), err: ErrTarget},
	{name: "asterisk with query", raw: options("*?a"), err: ErrTarget},

	{name: "longest target", raw: target("/" + strings.Repeat("a", 16<<10-1)), want: "GET /" + strings.Repeat("a", 16<<10-1) + " a.example"},
	{name: "target too long", raw: target("/" + strings.Repeat("a", 16<<10)), err: ErrTargetTooLong},
	{name: "query too long", raw: target("/?" + strings.Repeat("a", 16<<10)), err: ErrTargetTooLong},
	{name: "target too long, and worse behind", raw: target("/" + strings.Repeat("a", 16<<10) + "\x00"), err: ErrTargetTooLong},
	{name: "target without end", raw: "GET /" + strings.Repeat("a", 20<<10), err: ErrTargetTooLong},
}
