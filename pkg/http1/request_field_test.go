package http1

import (
	"strings"
	"testing"
)

var fieldCases = []requestCase{
	{name: "no space after colon", raw: get("A:b"), want: "GET / a.example"},
	{name: "tab after colon", raw: get("A:\tb"), want: "GET / a.example"},
	{name: "empty value", raw: get("A:"), want: "GET / a.example"},
	{name: "value of spaces", raw: get("A:  \t "), want: "GET / a.example"},
	{name: "value with colon", raw: get("A: b: c"), want: "GET / a.example"},
	{name: "value above ASCII", raw: get("A: caf\xc3\xa9 \xff"), want: "GET / a.example"},
	{name: "tab in value", raw: get("A: b\tc"), want: "GET / a.example"},
	{name: "name of one letter", raw: get("a: b"), want: "GET / a.example"},
	{name: "name of every token character", raw: get("!#$%&'*+-.^_`|~: b"), want: "GET / a.example"},
	{name: "many tabs", raw: get("A: " + strings.Repeat("\t", 1000) + "b"), want: "GET / a.example"},

	{name: "space before colon", raw: get("A : b"), err: ErrFieldName},
	{name: "tab before colon", raw: get("A\t: b"), err: ErrFieldName},
	{name: "space before colon of Content-Length", raw: post("Content-Length : 5"), err: ErrFieldName},
	{name: "space before colon of Transfer-Encoding", raw: post("Transfer-Encoding : chunked"), err: ErrFieldName},
	{name: "space in name", raw: get("A b: c"), err: ErrFieldName},
	{name: "no name", raw: get(": b"), err: ErrFieldName},
	{name: "no colon", raw: get("A b"), err: ErrFieldName},
	{name: "no colon and nothing else", raw: get("A"), err: ErrFieldName},
	{name: "line without colon before one with", raw: get("A", "B: c"), err: ErrFieldName},
	{name: "NUL in name", raw: get("A\x00: b"), err: ErrFieldName},
	{name: "CR in name", raw: get("A\r: b"), err: ErrFieldName},
	{name: "name above ASCII", raw: get("\xc3\x84: b"), err: ErrFieldName},
	{name: "name in parentheses", raw: get("(A): b"), err: ErrFieldName},
	{name: "name in quotes", raw: get("\"A\": b"), err: ErrFieldName},
	{name: "name with slash", raw: get("A/B: c"), err: ErrFieldName},
	{name: "name with at sign", raw: get("A@B: c"), err: ErrFieldName},
	{name: "byte order mark before name", raw: get("\xef\xbb\xbfA: b"), err: ErrFieldName},

	{name: "folded with space", raw: get("A: b", " c"), err: ErrFold},
	{name: "folded with tab", raw: get("A: b", "\tc"), err: ErrFold},
	{name: "folded after empty value", raw: get("A:", " b"), err: ErrFold},
	{name: "folded Transfer-Encoding", raw: post("Transfer-Encoding:", " chunked"), err: ErrFold},
	{name: "folded Content-Length", raw: post("Content-Length: 1", " 0"), err: ErrFold},
	{name: "fold without a line before", raw: head("GET / HTTP/1.1", " Host: a.example"), err: ErrFold},
	{name: "line of a space", raw: get(" "), err: ErrFold},

	{name: "bare LF after field", raw: "GET / HTTP/1.1\r\nHost: a.example\nA: b\r\n\r\n", err: ErrLineEnd},
	{name: "bare LF at the end", raw: "GET / HTTP/1.1\r\nHost: a.example\r\n\n", err: ErrLineEnd},
	{name: "bare LFs everywhere", raw: "GET / HTTP/1.1\nHost: a.example\n\n", err: ErrLineEnd},
	{name: "LF CR", raw: "GET / HTTP/1.1\n\rHost: a.example\n\r\n\r", err: ErrLineEnd},
	{name: "bare CR in value", raw: get("A: b\rc"), err: ErrLineEnd},
	{name: "bare CR and a field in value", raw: get("A: b\rContent-Length: 5"), err: ErrLineEnd},
	{name: "CR CR LF after field", raw: get("A: b\r"), err: ErrLineEnd},
	{name: "CR at the beginning of a line", raw: get("\rA: b"), err: ErrLineEnd},
	{name: "NUL in value", raw: get("A: b\x00c"), err: ErrFieldValue},
	{name: "NUL after value", raw: get("A: b\x00"), err: ErrFieldValue},
	{name: "DEL in value", raw: get("A: b\x7fc"), err: ErrFieldValue},
	{name: "escape character in value", raw: get("A: b\x1b[31m"), err: ErrFieldValue},
	{name: "vertical tab before value", raw: get("A: \vb"), err: ErrFieldValue},
	{name: "form feed after value", raw: get("A: b\f"), err: ErrFieldValue},
	{name: "backspace in long value", raw: get("A: " + strings.Repeat("b", 100) + "\b"), err: ErrFieldValue},
}

var limitCases = []requestCase{
	{name: "most fields", raw: get(many(127)...), want: "GET / a.example"},
	{name: "too many fields", raw: get(many(128)...), err: ErrTooManyFields},
	{name: "longest head", raw: headOf(64 << 10), want: "GET / a.example"},
	{name: "head too large", raw: headOf(64<<10 + 1), err: ErrHeadTooLarge},
	{name: "head without end", raw: headOf(65 << 10)[:65<<10-4], err: ErrHeadTooLarge},
	{name: "name without end", raw: "GET / HTTP/1.1\r\n" + strings.Repeat("a", 70<<10), err: ErrHeadTooLarge},
	{name: "value without end", raw: "GET / HTTP/1.1\r\nA: " + strings.Repeat("a", 70<<10), err: ErrHeadTooLarge},
	{name: "spaces without end", raw: "GET / HTTP/1.1\r\nA: " + strings.Repeat(" ", 70<<10), err: ErrHeadTooLarge},
}

// many returns n fields.
func many(n int) []string { return strings.Split(strings.Repeat("A: b\n", n)[:5*n-1], "\n") }

// headOf returns a head of n bytes.
func headOf(n int) string { return get("A: " + strings.Repeat("b", n-len(get("A: ")))) }

func TestFields_trimmedInOrder(t *testing.T) {
	lim := DefaultLimits()
	var r Request
	raw := get("B:\t 1 \t", "a:2", "B: 3 3", "C:", "D: \t", "x_Y: caf\xc3\xa9")
	if _, err := ParseRequest(&r, []byte(raw), &lim); err != nil {
		t.Fatal(err)
	}
	want := "Host: a.example\nB: 1\na: 2\nB: 3 3\nC: \nD: \nx_Y: caf\xc3\xa9\n"
	if got := fieldLines(r.Fields); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFields_lookup(t *testing.T) {
	lim := DefaultLimits()
	var r Request
	raw := get("USER-AGENT: curl", "x-session: 1", "X-Session: 2", "cookie: a=1", "Referer:", "Cookie: b=2")
	if _, err := ParseRequest(&r, []byte(raw), &lim); err != nil {
		t.Fatal(err)
	}
	if got := r.Get(FieldUserAgent); string(got) != "curl" {
		t.Errorf("User-Agent is %q", got)
	}
	if got := r.Get(FieldReferer); got == nil || len(got) > 0 {
		t.Errorf("an empty Referer is %#v", got)
	}
	if r.Get(FieldDate) != nil || r.Has(FieldDate) {
		t.Error("found a Date")
	}
	if got, ok := r.Lookup("X-SESSION"); !ok || string(got) != "1" {
		t.Errorf("X-Session is %q", got)
	}
	if _, ok := r.Lookup("X-Sessio"); ok {
		t.Error("found X-Sessio")
	}
	if len(r.Cookies) != 2 || string(r.Fields[r.Cookies[1]].Value) != "b=2" {
		t.Errorf("cookies are at %v", r.Cookies)
	}
}

func TestNameID_knownNames(t *testing.T) {
	for id := FieldHost; id < fieldIDs; id++ {
		name := id.String()
		for _, spelling := range []string{name, strings.ToLower(name), strings.ToUpper(name)} {
			if got := NameID([]byte(spelling)); got != id {
				t.Errorf("%s is taken for %d %s", spelling, got, got)
			}
		}
		alike := strings.ReplaceAll(name, "-", "_")
		if got := NameID([]byte(alike)); alike != name && got != FieldLookAlike {
			t.Errorf("%s is taken for %d %s", alike, got, got)
		}
	}
}

func TestNameID_otherNames(t *testing.T) {
	for _, name := range []string{"", "x", "xx", "Hos", "Hosts", "Hist", "C00kie", "X-Forwarded", "X-Forwarder-For", "my_header", "Ssl-Client", "Ssl-Clients-Cert",
		"TransferEncoding", "Proxy-Authentication-Infos", "Proxy_Authentication_Infos", strings.Repeat("x_", 99)} {
		if got := NameID([]byte(name)); got != FieldOther {
			t.Errorf("%q is taken for %d %s", name, got, got)
		}
	}
	for _, name := range []string{"X_Forwarded-For", "x.forwarded.for", "CONTENT_LENGTH", "Transfer~Encoding",
		"X_Forwarded_Anything", "x-forwarded-any_thing", "ssl_client_verify", "SSL.Client-Cert", "X.Forwarded-" + strings.Repeat("x", 99)} {
		if got := NameID([]byte(name)); got != FieldLookAlike {
			t.Errorf("%q is taken for %d %s", name, got, got)
		}
	}
	for _, name := range []string{"ssl-client-verify", "SSL-Client-Subject-DN", "Ssl-Client-" + strings.Repeat("x", 99)} {
		if got := NameID([]byte(name)); got != FieldSSLClient {
			t.Errorf("%q is taken for %d %s", name, got, got)
		}
	}
	for _, name := range []string{"X-Forwarded-Fox", "x-forwarded-client-cert", "X-Forwarded-" + strings.Repeat("x", 99)} {
		if got := NameID([]byte(name)); got != FieldForwardedOther {
			t.Errorf("%q is taken for %d %s", name, got, got)
		}
	}
}
