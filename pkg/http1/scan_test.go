package http1

import (
	"bytes"
	"testing"
)

// Eight bytes are processed at once: each byte must be found at each position, next to any other byte.
func TestTextEnd(t *testing.T) {
	for _, around := range []byte{'a', ' ', '\t', '~', 0x80, 0xff} {
		for b := range 256 {
			for place := range 20 {
				text := bytes.Repeat([]byte{around}, 20)
				text[place] = byte(b)
				want := place
				if b >= ' ' && b != 0x7f || b == '\t' {
					want = len(text)
				}
				if got := textEnd(text, 0); got != want {
					t.Fatalf("%q: got %d, want %d", text, got, want)
				}
			}
		}
	}
}

func TestIndexColon(t *testing.T) {
	for b := range 256 {
		for place := range 20 {
			text := bytes.Repeat([]byte{byte(b)}, 20)
			text[place] = ':'
			want := bytes.IndexByte(text, ':')
			if got := indexColon(text, 0); got != want {
				t.Fatalf("%q: got %d, want %d", text, got, want)
			}
		}
	}
}

func TestClasses_matchRFCs(t *testing.T) {
	for b := range 256 {
		letter := 'a' <= b|0x20 && b|0x20 <= 'z' && b < 0x80
		digit := '0' <= b && b <= '9'
		for _, tc := range []struct {
			name string
			bit  uint8
			want bool
		}{
			{"token", classToken, letter || digit || bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), byte(b)) >= 0},
			{"target", classTarget, '!' <= b && b <= '~' && b != '#'},
			{"host", classHost, letter || digit || b == '-' || b == '.' || b == '_'},
			{"hex", classHex, digit || letter && b|0x20 <= 'f'},
		} {
			if got := class[b]&tc.bit != 0; got != tc.want {
				t.Errorf("%q in %s: got %t, want %t", byte(b), tc.name, got, tc.want)
			}
		}
	}
}
