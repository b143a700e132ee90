package affinity

import (
	"bytes"
	"encoding/base64"
	"math"
	"net/netip"
	"regexp"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

var cookieSafe = regexp.MustCompile(`^[A-Za-z0-9_-]{100}$`)

func TestSeal_roundTrip(t *testing.T) {
	ring := newRing(t, 1)
	for _, token := range []Token{
		{},
		insideGoldenToken,
		{Scope: math.MaxUint64, Started: 1<<40 - 1, Renewed: 1<<40 - 1, Session: math.MaxUint64},
	} {
		checkRoundTrip(t, ring, token)
	}
}

func checkRoundTrip(t *testing.T, ring *Keyring, token Token) {
	t.Helper()
	var sealer ConnState
	text := ring.Seal(&sealer, []byte("id="), &token)[len("id="):]
	if !cookieSafe.Match(text) {
		t.Errorf("%q is not 100 characters of base64url", text)
	}
	for name, m := range map[string]*ConnState{"the sealer's memory": &sealer, "no memory": {}} {
		var got Token
		if !ring.Open(m, text, &got) || got != token {
			t.Errorf("%+v opened as %+v with %s", token, got, name)
		}
	}
}

// goldenToken was sealed by an independent program in another language, with testKey(1) and the nonce 0, 1, 2 ... 11.
// A release that cannot open it loses every session of every user.
const goldenToken = "FvmCNwABAgMEBQYHCAkKC78FAp8_0_hlY1UFH6DMpjhszioBcL" +
	"QA8q44bmFKHXhYHKgNQNEmmHbkEmUoRpVzVIaAvibJOKnH7Jx0"

var insideGoldenToken = Token{
	Endpoint: model.KeyOf("0b9ae2f6-7d1c-4a58-9f6e-0d9b3c1f2a11"), Scope: model.ScopeOf(testScope),
	Started: 1_795_000_000, Renewed: 1_795_000_600, Session: 0x0123456789abcdef,
}

func TestOpen_goldenToken(t *testing.T) {
	var got Token
	if !newRing(t, 2, 1).Open(&ConnState{}, []byte(goldenToken), &got) || got != insideGoldenToken {
		t.Errorf("golden token opened as %+v, want %+v", got, insideGoldenToken)
	}
}

func TestOpen_cached(t *testing.T) {
	ring := newRing(t, 1)
	var m ConnState
	var got Token
	ok := ring.Open(&m, []byte(goldenToken), &got)
	if !ok || m.openedBy != ring || string(m.text[:]) != goldenToken || m.token != got {
		t.Errorf("after opening %+v the cache has %q with %+v", got, m.text, m.token)
	}
}

func TestOpen_cachesLastToken(t *testing.T) {
	ring := newRing(t, 1)
	var m ConnState
	first := ring.Seal(&ConnState{}, nil, &Token{Session: 1})
	second := ring.Seal(&ConnState{}, nil, &Token{Session: 2})
	for range 3 {
		for want, text := range map[uint64][]byte{1: first, 2: second} {
			var got Token
			if !ring.Open(&m, text, &got) || got.Session != want {
				t.Fatalf("opened session %d, want %d", got.Session, want)
			}
		}
	}
}

func TestOpen_failureChangesNothing(t *testing.T) {
	ring := newRing(t, 1)
	var m ConnState
	good := ring.Seal(&m, nil, &Token{Session: 1})
	bad := bytes.Clone(good)
	bad[50] ^= 1
	got := Token{Session: 99}
	if ring.Open(&m, bad, &got) || got != (Token{Session: 99}) {
		t.Errorf("forged token opened, or the result changed to %+v", got)
	}
	if !ring.Open(&m, good, &got) || got.Session != 1 {
		t.Errorf("after a forged token the valid one opened as %+v", got)
	}
}

func TestOpen_lineBreaks(t *testing.T) {
	ring := newRing(t, 1)
	text := ring.Seal(&ConnState{}, nil, &Token{})
	for _, forged := range [][]byte{
		append([]byte("\n"), text[1:]...),
		append([]byte("\r\n"), text...),
		append(bytes.Clone(text[:99]), '\n'),
		append(bytes.Clone(text), '='),
	} {
		if ring.Open(&ConnState{}, forged, new(Token)) {
			t.Errorf("%q opened", forged)
		}
	}
}

func TestOpen_unknownVersion(t *testing.T) {
	ring := newRing(t, 1)
	raw := append([]byte(nil), ring.keys[0].id[:]...)
	plain := make([]byte, plainSize)
	plain[0] = tokenVersion + 1
	raw = ring.keys[0].aead.Seal(raw, nil, plain, ring.keys[0].id[:])
	if ring.Open(&ConnState{}, tokenEncoding.AppendEncode(nil, raw), new(Token)) {
		t.Error("a token of another format version opened")
	}
}

const (
	secretPod     = "cart-0"
	secretUID     = "0b9ae2f6-7d1c-4a58-9f6e-0d9b3c1f2a11"
	secretService = "shop/cart:80"
)

// manyTokens seals the same token repeatedly. It returns the texts and the decoded bytes.
func manyTokens(t *testing.T, n int) (texts, raws [][]byte) {
	ring := newRing(t, 1)
	var m ConnState
	for range n {
		text := ring.Seal(&m, nil, &Token{
			Endpoint: model.KeyOf(secretUID), Scope: model.ScopeOf(secretService),
			Started: 1_795_000_000, Renewed: 1_795_000_000, Session: 7,
		})
		raw, err := base64.RawURLEncoding.DecodeString(string(text))
		if err != nil {
			t.Fatal(err)
		}
		texts, raws = append(texts, text), append(raws, raw)
	}
	return texts, raws
}

func TestSeal_revealsNothing(t *testing.T) {
	texts, raws := manyTokens(t, 10_000)
	key := model.KeyOf(secretUID)
	ip := netip.MustParseAddr("10.244.3.17").As4()
	for _, secret := range [][]byte{
		[]byte(secretPod), []byte(secretUID), []byte(secretUID[:8]), []byte(secretService), []byte("10.244.3.17"),
		key[:], key[:8], []byte("cart"), []byte("shop"), []byte("8080"), ip[:], key[:4],
	} {
		found := 0
		for i := range texts {
			if bytes.Contains(texts[i], secret) || bytes.Contains(raws[i], secret) {
				found++
			}
		}
		allowed := 0
		if len(secret) < 8 {
			allowed = 8 // four given characters appear by chance in one of 17 runs
		}
		if found > allowed {
			t.Errorf("%d of %d tokens contain %q", found, len(texts), secret)
		}
	}
}

func TestSeal_tokensDiffer(t *testing.T) {
	_, raws := manyTokens(t, 10_000)
	nonces := map[string]bool{}
	for _, raw := range raws {
		nonces[string(raw[idSize:idSize+12])] = true
	}
	if len(nonces) != len(raws) {
		t.Errorf("%d nonces in %d tokens", len(nonces), len(raws))
	}
	for at := idSize; at < rawSize; at++ {
		values := map[byte]bool{}
		for _, raw := range raws {
			values[raw[at]] = true
		}
		if len(values) < 250 {
			t.Errorf("byte %d has only %d values", at, len(values))
		}
	}
}
