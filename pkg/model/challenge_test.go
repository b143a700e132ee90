package model

import "testing"

func TestIsChallenge(t *testing.T) {
	for path, want := range map[string]bool{
		"/.well-known/acme-challenge": true, "/.well-known/acme-challenge/": true, "/.well-known/acme-challenge/a/b": true,
		"/.well-known/acme-challenges": false, "/.well-known/acme-challenge%2Fa": false, "/.well-known": false, "/": false, "": false,
		"/a/.well-known/acme-challenge/a": false, "/.WELL-KNOWN/acme-challenge/a": false,
	} {
		if IsChallenge(path) != want || IsChallenge([]byte(path)) != want {
			t.Errorf("%q: got %t", path, !want)
		}
	}
}
