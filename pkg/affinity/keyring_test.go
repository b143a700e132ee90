package affinity

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
)

func TestNewKeyring_invalidKeys(t *testing.T) {
	many := make([][]byte, 17)
	for i := range many {
		many[i] = testKey(byte(i))
	}
	for _, c := range []struct {
		name string
		keys [][]byte
		want string // part of the error, empty if no error is expected
	}{
		{"one", many[:1], ""},
		{"sixteen", many[:16], ""},
		{"none", nil, "no key"},
		{"seventeen", many, "17 keys, at most 16"},
		{"short", [][]byte{testKey(1), make([]byte, 16)}, "key 2: 16 bytes long, must be 32"},
		{"long", [][]byte{make([]byte, 33)}, "key 1: 33 bytes long, must be 32"},
	} {
		_, err := NewKeyring(c.keys)
		checkError(t, c.name, err, c.want)
	}
}

func TestParseKeys(t *testing.T) {
	a, b := base64.StdEncoding.EncodeToString(testKey(1)), base64.StdEncoding.EncodeToString(testKey(2))
	keys, err := ParseKeys([]byte("\n" + a + "\r\n\n  " + b + "\t\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(keys) != 2 || !bytes.Equal(keys[0], testKey(1)) || !bytes.Equal(keys[1], testKey(2)) {
		t.Errorf("got %d keys, or wrong keys", len(keys))
	}
}

func TestParseKeys_errors(t *testing.T) {
	good := base64.StdEncoding.EncodeToString(testKey(1))
	var seventeen strings.Builder
	for n := range byte(17) {
		seventeen.WriteString(base64.StdEncoding.EncodeToString(testKey(n)) + "\n")
	}
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "no key"},
		{"blank", "\n \n", "no key"},
		{"not base64", good + "\nhello*secret", "line 2: not standard base64"},
		{"no padding", good[:43], "line 1: not standard base64"},
		{"spare bits set", good[:42] + "/=", "line 1: not standard base64"},
		{"two on a line", good + " " + good, "line 1: not standard base64"},
		{"short", base64.StdEncoding.EncodeToString(make([]byte, 16)), "line 1: 16 bytes after decoding, must be 32"},
		{"twice", good + "\n\n" + good, "line 3: the same key"},
		{"seventeen", seventeen.String(), "line 17: more than 16"},
	} {
		_, err := ParseKeys([]byte(c.text))
		checkError(t, c.name, err, c.want)
		for _, secret := range []string{"hello*secret", good[:20]} {
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the error contains the key: %v", c.name, err)
			}
		}
	}
}

func checkError(t *testing.T, name string, err error, want string) {
	t.Helper()
	switch {
	case err == nil && want != "":
		t.Errorf("%s: no error, want one with %q", name, want)
	case err != nil && (want == "" || !strings.Contains(err.Error(), want)):
		t.Errorf("%s: error %q, want %q", name, err, want)
	}
}

func TestNewKey(t *testing.T) {
	a, b := NewKey(), NewKey()
	if len(a) != keySize || bytes.Equal(a, b) {
		t.Errorf("two new keys of %d and %d bytes, equal: %v", len(a), len(b), bytes.Equal(a, b))
	}
}

func TestKeyring_rotation(t *testing.T) {
	token := Token{Scope: 1, Started: 1000, Renewed: 1000, Session: 7}
	before, during, after := newRing(t, 1), newRing(t, 2, 1), newRing(t, 2)
	old := before.Seal(&ConnState{}, nil, &token)
	renewed := during.Seal(&ConnState{}, nil, &token)
	for _, c := range []struct {
		name string
		ring *Keyring
		text []byte
		want bool
	}{
		{"old token, old key", before, old, true},
		{"old token, both keys", during, old, true},
		{"old token, new key", after, old, false},
		{"new token, old key: a replica that has not heard yet", before, renewed, false},
		{"new token, both keys", during, renewed, true},
		{"new token, new key", after, renewed, true},
		{"new token, keys in the other order", newRing(t, 1, 2), renewed, true},
	} {
		var got Token
		if ok := c.ring.Open(&ConnState{}, c.text, &got); ok != c.want || ok && got != token {
			t.Errorf("%s: opened %v with %+v, want %v", c.name, ok, got, c.want)
		}
	}
}

func TestOpen_cacheAfterKeyRemoval(t *testing.T) {
	var keys Keys
	keys.Store(newRing(t, 1))
	var m ConnState
	var got Token
	text := keys.Load().Seal(&m, nil, &Token{Session: 7})
	if !keys.Load().Open(&m, text, &got) {
		t.Fatal("token did not open with the key that sealed it")
	}
	keys.Store(newRing(t, 2))
	if keys.Load().Open(&m, text, &got) {
		t.Error("cached token opened after its key was removed")
	}
}

func TestOpen_keysWithEqualIDs(t *testing.T) {
	ring := newRing(t, 1, 2)
	ring.keys[1].id = ring.keys[0].id
	sealer := &Keyring{keys: ring.keys[1:]}
	var got Token
	if text := sealer.Seal(&ConnState{}, nil, &Token{Session: 7}); !ring.Open(&ConnState{}, text, &got) {
		t.Error("token did not open with two keys of equal ID")
	}
}

// All replicas and releases derive the same keys, and each purpose has its own.
func TestDerive_goldenVector(t *testing.T) {
	ring, err := NewKeyring([][]byte{testKey(1), testKey(2)})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[[32]byte]bool{[32]byte(testKey(1)): true, [32]byte(testKey(2)): true}
	for _, purpose := range []string{"a", "b"} {
		keys, err := ring.Derive(purpose)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range keys {
			if seen[k] {
				t.Errorf("for %s: key %x derived twice", purpose, k)
			}
			seen[k] = true
		}
	}
	if len(seen) != 6 {
		t.Errorf("%d keys, want 6", len(seen))
	}
	keys, _ := ring.Derive("a")
	if got := hex.EncodeToString(keys[1][:8]); got != "4addd956430881a4" {
		t.Errorf("the second key for a begins with %s", got)
	}
}
