package affinity

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

func TestClaim_values(t *testing.T) {
	deep := func(n int) string { return strings.Repeat(`[`, n) + strings.Repeat(`]`, n) }
	for payload, want := range map[string]string{
		`{"sub":"alice"}`: "alice",
		" {\t\"iss\" : \"x\",\n\"sub\" :\r\"alice\" } ": "alice",
		`{"sub":42}`:                                        "42",
		`{"sub":-1.5e+3}`:                                   "-1.5e+3",
		`{"sub":"a\u0062\"\\\/\n"}`:                         "ab\"\\/\n",
		`{"sub":"\ud83d\ude00"}`:                            "😀",
		`{"s\u0075b":"alice"}`:                              "alice",
		`{"a":{"sub":"x"},"sub":"alice"}`:                   "alice",
		`{"a":[1,true,null,{}],"sub":"alice"}`:              "alice",
		`{"a":` + deep(maxClaimDepth-1) + `,"sub":"alice"}`: "alice",
		`{"sub":"` + strings.Repeat("x", maxClaim) + `"}`:   strings.Repeat("x", maxClaim),
		// Absent:
		`{}`:                       "",
		`{"sub":""}`:               "",
		`{"sub":true}`:             "",
		`{"sub":null}`:             "",
		`{"sub":["alice"]}`:        "",
		`{"sub":{"sub":"alice"}}`:  "",
		`{"a":{"sub":"alice"}}`:    "",
		`["sub","alice"]`:          "",
		`{"sub":"a","sub":"b"}`:    "",
		`{"sub":"a","sub":null}`:   "",
		`{"Sub":"alice"}`:          "",
		`{"sub":"alice"`:           "",
		`{"sub":"alice"}}`:         "",
		`{"sub":"alice",}`:         "",
		`{"sub":"alice","x"}`:      "",
		`{"sub":"alice","x":01}`:   "",
		`{"sub":"alice","x":1.}`:   "",
		`{"sub":"alice","x":tru}`:  "",
		`{"sub":"alice","x":"\x"}`: "",
		`{"sub":"\ud83d"}`:         "",
		`{"sub":"\udc00"}`:         "",
		"{\"sub\":\"al\nice\"}":    "",
		`{"sub":alice}`:            "",
		`{"a":` + deep(maxClaimDepth) + `,"sub":"alice"}`:   "",
		`{"sub":"` + strings.Repeat("x", maxClaim+1) + `"}`: "",
	} {
		state := &ConnState{}
		if got := state.claim([]byte(jwt(payload)), "sub"); string(got) != want {
			t.Errorf("%.60s: %.60q, want %.60q", payload, got, want)
		}
	}
}

func TestClaim_tokenForms(t *testing.T) {
	good := jwt(`{"sub":"alice"}`)
	parts := strings.Split(good, ".")
	for token, want := range map[string]string{
		good:                             "alice",
		"Bearer " + good:                 "alice",
		"bearer   " + good:               "alice",
		good + "c2ln":                    "alice",
		"Basic " + good:                  "",
		"Bearer":                         "",
		"Bearer ":                        "",
		parts[0] + "." + parts[1]:        "",
		"." + parts[1] + ".":             "",
		parts[0] + "..":                  "",
		good + ".":                       "",
		good + ".x.y":                    "",
		good + "sig=":                    "",
		parts[0] + "." + parts[1] + "=.": "",
		parts[0] + "." + parts[1] + "A.": "",
		parts[0] + "." + strings.Replace(parts[1], "e", "+", 1) + ".":                             "",
		"e." + jwt(`{"sub":"alice","x":"` + strings.Repeat("x", maxJWT) + `"}`)[len(parts[0])+1:]: "",
	} {
		state := &ConnState{}
		if got := state.claim([]byte(token), "sub"); string(got) != want {
			t.Errorf("%.80s: %q, want %q", token, got, want)
		}
	}
}

// FuzzClaim checks that the parser accepts no text that encoding/json refuses, and that it finds the same claim.
func FuzzClaim(f *testing.F) {
	for _, payload := range []string{`{"sub":"alice","x":[1,{"a":-0.5e3}]}`, `{"sub":"\ud83d\ude00\u0041"}`, `{"sub":12}`, `{`, `{"sub":"a","sub":1}`} {
		f.Add([]byte(payload))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		got := (&ConnState{}).claim([]byte(jwt(string(payload))), "sub")
		if got == nil {
			return
		}
		decoder := json.NewDecoder(bytes.NewReader(payload))
		decoder.UseNumber()
		var all map[string]any
		if err := decoder.Decode(&all); err != nil {
			t.Fatalf("%q: found %q, but %v", payload, got, err)
		}
		if want := fmt.Sprint(all["sub"]); want != strings.ToValidUTF8(string(got), "\ufffd") && isValidText(payload) {
			t.Fatalf("%q: found %q, want %q", payload, got, want)
		}
	})
}

// isValidText reports whether encoding/json replaces no bytes of the text.
func isValidText(text []byte) bool { return string(bytes.ToValidUTF8(text, nil)) == string(text) }
