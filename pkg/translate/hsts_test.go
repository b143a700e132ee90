package translate

import "testing"

func TestParseHSTS(t *testing.T) {
	for value, want := range map[string]string{
		"off": "", "": "", "max-age=0": "max-age=0", "max-age=31536000": "max-age=31536000",
		"Max-Age=031536000;INCLUDESUBDOMAINS ; preload": "max-age=31536000; includeSubDomains; preload",
		"preload; max-age=600":                          "max-age=600; preload",
		" max-age=315360000 ; includeSubDomains\t":      "max-age=315360000; includeSubDomains",
	} {
		if got, err := ParseHSTS(value); got != want || err != nil {
			t.Errorf("%q: got %q, %v; want %q", value, got, err, want)
		}
	}
	for _, value := range []string{
		"Off", "max-age", "max-age=", "max-age=-1", "max-age=+1", "max-age=1.5", `max-age="600"`, "max-age=1y", "max-age=315360001",
		"max-age=99999999999999999999", "max-age=1;max-age=2", "max-age=1;", ";max-age=1", "includeSubDomains", "preload",
		"max-age=1; includeSubDomains=1", "max-age=1; preload; preload", "max-age=1, preload", "max-age=1\r\nSet-Cookie: a=b",
		"max-age=1; unknown", "max-age =1",
	} {
		if got, err := ParseHSTS(value); err == nil {
			t.Errorf("%q: got %q, want an error", value, got)
		}
	}
}
