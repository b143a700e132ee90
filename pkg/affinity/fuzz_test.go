package affinity

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func FuzzOpen(f *testing.F) {
	ring := newRing(f, 1, 2)
	f.Add([]byte(goldenToken))
	f.Add([]byte(goldenToken[:99]))
	f.Add([]byte(strings.Repeat("A", TokenLen)))
	f.Fuzz(func(t *testing.T, text []byte) {
		var got Token
		if ring.Open(&ConnState{}, text, &got) != (string(text) == goldenToken) {
			t.Errorf("%q opened as %+v", text, got)
		}
	})
}

func FuzzSeal_roundTrip(f *testing.F) {
	f.Add([]byte("0123456789abcdef"), uint64(1), int64(2), int64(3), uint64(4))
	f.Fuzz(func(t *testing.T, endpoint []byte, scope uint64, bound, renewed int64, session uint64) {
		token := Token{Scope: scope, Started: bound & (1<<40 - 1), Renewed: renewed & (1<<40 - 1), Session: session}
		copy(token.Endpoint[:], endpoint)
		checkRoundTrip(t, newRing(t, 1), token)
	})
}

var (
	strictPair   = `[!#$%&'*+.^_` + "`" + `|~0-9A-Za-z-]+=(?:[!#-+\--:<-\[\]-~]*|"[!#-+\--:<-\[\]-~]*")`
	strictHeader = regexp.MustCompile(`^` + strictPair + `(?:; ` + strictPair + `)*$`) // RFC 6265, section 4.2.1
	strictValue  = regexp.MustCompile(`^[!#-+\--:<-\[\]-~]*$`)
)

// parsedByNetHTTP returns the result of net/http for the field: the non-empty values of one name, and all other
// cookies.
func parsedByNetHTTP(field, name string) (values, others []string) {
	req := http.Request{Header: http.Header{"Cookie": {field}}}
	for _, c := range req.Cookies() {
		if c.Name != name {
			others = append(others, c.Name+"="+c.Value)
		} else if c.Value != "" {
			values = append(values, c.Value)
		}
	}
	return values, others
}

func addCookieFields(f *testing.F) {
	for _, field := range []string{
		"id=a", "x=1; id=b; y=2", `id="a"; id=b`, "id =a; id= b", "id;=;id=;", `x="; id=a; "`, "id=a=b;ID=c;xid=d;idx=e",
		" \tid=a\t ; \r\nid=b", "id=\x00; id=\xff; id=a,b; id=a b", strings.Repeat("id=a; ", 20),
	} {
		f.Add(field)
	}
}

func FuzzCookies_matchNetHTTP(f *testing.F) {
	addCookieFields(f)
	f.Fuzz(func(t *testing.T, field string) {
		if len(field) > 4*maxPairs {
			return // more than maxPairs cookies
		}
		theirs, _ := parsedByNetHTTP(field, "id")
		ours := cookiesNamed("id", field)
		if strictHeader.MatchString(field) && !slices.Equal(ours, theirs) {
			t.Errorf("%q: ours %q, net/http %q", field, ours, theirs)
		}
		// Both parsers may skip different parts of a malformed field. Every value that we find must still be found by
		// net/http.
		for _, value := range ours {
			if !strictValue.MatchString(value) {
				continue
			}
			at := slices.Index(theirs, value)
			if at < 0 {
				t.Fatalf("%q: %q found, but not by net/http: %q", field, value, theirs)
			}
			theirs = theirs[at+1:]
		}
	})
}

func FuzzAppendCookies(f *testing.F) {
	addCookieFields(f)
	ring := newRing(f, 1)
	f.Add("a=1; id=" + sealedText(ring) + `; id="` + sealedText(ring) + `"; id=2`)
	f.Fuzz(func(t *testing.T, field string) {
		if len(field) > 4096 {
			return
		}
		left := string(AppendCookies(nil, []byte(field), []string{"id"}, nil, ring, new(int)))
		want := slices.DeleteFunc(cookiesNamed("id", field), func(v string) bool { return ring.HasSealed([]byte(v)) })
		if got := cookiesNamed("id", left); !slices.Equal(got, want) {
			t.Errorf("%q remains of %q: cookies %q, want %q", left, field, got, want)
		}
		_, before := parsedByNetHTTP(field, "id")
		_, after := parsedByNetHTTP(left, "id")
		if !slices.Equal(before, after) {
			t.Errorf("%q becomes %q: net/http found %q, before %q", field, left, after, before)
		}
	})
}
