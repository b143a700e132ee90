package affinity

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// forger counts the attempts to open values that were never sealed.
type forger struct {
	t      *testing.T
	ring   *Keyring
	memory ConnState // shared by all attempts: cached tokens must not help
	random *rand.Rand
	sealed [][]byte
	tries  int
}

func newForger(t *testing.T, tokens int) *forger {
	f := &forger{t: t, ring: newRing(t, 1, 2), random: rand.New(rand.NewPCG(3, 4))}
	sealers := []*Keyring{newRing(t, 1), newRing(t, 2)}
	for i := range tokens {
		token := Token{
			Endpoint: model.KeyOf(string(rune('a' + i%5))), Scope: model.ScopeOf(testScope),
			Started: 1_795_000_000 + int64(i), Renewed: 1_795_000_000 + int64(i), Session: f.random.Uint64(),
		}
		f.sealed = append(f.sealed, sealers[i%2].Seal(&f.memory, nil, &token))
	}
	return f
}

func (f *forger) try(kind string, text []byte) {
	f.tries++
	var got Token
	if f.ring.Open(&f.memory, text, &got) {
		f.t.Fatalf("%s: %q opened as %+v", kind, text, got)
	}
}

func TestOpen_forgedTokens(t *testing.T) {
	f := newForger(t, 600)
	f.flipEachBit()
	f.flipSomeBits(250_000)
	f.splice(300_000)
	f.truncateAndExtend()
	f.useForeignKeys(20_000)
	t.Logf("%d attempts", f.tries)
	if f.tries < 1_000_000 {
		t.Errorf("only %d attempts", f.tries)
	}
	for _, text := range f.sealed {
		if !f.ring.Open(&f.memory, text, new(Token)) {
			t.Fatalf("%s does not open without changes", text)
		}
	}
}

// flip inverts bit b of the 600 bits of a token. Each character encodes six of them.
func flip(text []byte, b int) {
	at := b / 6
	text[at] = alphabet[strings.IndexByte(alphabet, text[at])^1<<(b%6)]
}

func (f *forger) flipEachBit() {
	for _, text := range f.sealed {
		for b := range 6 * TokenLen {
			flip(text, b)
			f.try("bit flip", text)
			flip(text, b)
		}
	}
}

// flipSomeBits inverts two to nine different bits, often close to each other.
func (f *forger) flipSomeBits(n int) {
	forged := make([]byte, TokenLen)
	for range n {
		original := f.sealed[f.random.IntN(len(f.sealed))]
		copy(forged, original)
		start := f.random.IntN(6 * TokenLen)
		for range 2 + f.random.IntN(8) {
			flip(forged, (start+f.random.IntN(64))%(6*TokenLen))
		}
		if !bytes.Equal(forged, original) {
			f.try("several bit flips", forged)
		}
	}
}

// splice copies a part of one token into another.
func (f *forger) splice(n int) {
	forged := make([]byte, TokenLen)
	for range n {
		a, b := f.sealed[f.random.IntN(len(f.sealed))], f.sealed[f.random.IntN(len(f.sealed))]
		from := f.random.IntN(TokenLen)
		to := from + 1 + f.random.IntN(TokenLen-from)
		copy(forged, a)
		copy(forged[from:to], b[from:to])
		if !bytes.Equal(forged, a) && !bytes.Equal(forged, b) {
			f.try("splice", forged)
		}
	}
}

func (f *forger) truncateAndExtend() {
	for i, text := range f.sealed {
		for n := range TokenLen {
			f.try("truncation", text[:n])
		}
		for n := 1; n < TokenLen; n++ {
			f.try("beheading", text[n:])
		}
		other := f.sealed[(i+1)%len(f.sealed)]
		for n := 1; n <= TokenLen; n++ {
			f.try("extension", append(bytes.Clone(text), other[:n]...))
		}
	}
}

// useForeignKeys seals tokens with keys that are not in the ring, also with the key id of one that is.
func (f *forger) useForeignKeys(n int) {
	foreign, imitating := newRing(f.t, 3), newRing(f.t, 4)
	imitating.keys[0].id = f.ring.keys[0].id
	var m ConnState
	for range n {
		token := Token{Scope: model.ScopeOf(testScope), Started: 1_795_000_000, Session: f.random.Uint64()}
		f.try("foreign key", foreign.Seal(&m, nil, &token))
		f.try("foreign key under a known ID", imitating.Seal(&m, nil, &token))
	}
}

func TestDecide_tokenOfAnotherBackend(t *testing.T) {
	ring := newRing(t, 1)
	set := newSet("a b c")
	policy := Compile(affinityOf(cookieMethod))
	scopes := []string{
		"shop/cart:81", "shop/cart:8", "shop/car:80", "Shop/cart:80", "shop/group/cart:80", "", "other/cart:80",
	}
	var m ConnState
	var d Decision
	for n := range 20_000 {
		scope := scopes[n%len(scopes)]
		text := ring.Seal(&m, []byte("cart-id="), &Token{
			Endpoint: set.Key(model.IdentityPod, n%3), Scope: model.ScopeOf(scope), Started: 1000, Renewed: 1000, Session: 7,
		})
		policy.Decide(&d, &fakeRequest{cookies: []string{string(text)}}, set, ring, &m, 1000)
		if d.Outcome != OutcomeInvalid || d.Session == 7 || !d.Issue {
			t.Fatalf("a token for %q accepted for %q: %+v", scope, testScope, d)
		}
	}
}
