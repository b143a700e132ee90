package affinity

import (
	"fmt"
	"slices"
	"testing"

	"github.com/limpet-dev/limpet/pkg/model"
)

// wireRequest is a Request over header bytes, as in the proxy.
type wireRequest struct {
	fakeRequest
	cookie []byte
	value  []byte
	query  []byte
	domain []byte
}

func (r *wireRequest) Host() []byte { return r.domain }

func (r *wireRequest) Query() []byte { return r.query }

func (r *wireRequest) Header(string) ([]byte, bool) { return r.value, r.value != nil }

func (r *wireRequest) CookieHeader(i int) []byte {
	if i > 0 {
		return nil
	}
	return r.cookie
}

// stage contains the arguments of repeated decisions.
type stage struct {
	p    *Policy
	set  *fakeSet
	ring *Keyring
	m    ConnState
	d    Decision
	req  wireRequest
	out  []byte
}

func newStage(t testing.TB, endpoints int, methods ...model.Method) *stage {
	ids := podIDs(endpoints)
	s := &stage{set: newSetOf(ids, ids, endpoints), ring: newRing(t, 2, 1), out: make([]byte, 0, 256)}
	s.p = Compile(affinityOf(methods...))
	s.req.value = []byte("0123456789abcdef0123456789abcdef")
	s.req.ip = "192.0.2.17"
	return s
}

// withToken returns the request with a token cookie for endpoint 1 and other cookies.
func (s *stage) withToken() *stage {
	s.req.cookie = s.ring.Seal(&s.m, []byte("_ga=GA1.2.1234567890.1795000000; cart-id="), s.token())
	s.req.cookie = append(s.req.cookie, "; theme=dark"...)
	return s
}

// newCompositeStage returns a stage whose request has every part. Its claim is in a token of common size.
func newCompositeStage(t testing.TB, parts ...model.Part) *stage {
	s := newStage(t, 20, compositeMethod(parts...))
	s.req.domain, s.req.query = []byte("shop.example.com"), []byte("a=1&room=%34%32")
	if slices.ContainsFunc(parts, func(p model.Part) bool { return p.JWTClaim != "" }) {
		s.req.value = []byte("Bearer " + jwt(`{"iss":"https://id.example.com/","aud":["shop","cart"],"exp":1795000000,`+
			`"iat":1794996400,"scope":"openid profile email","sub":"auth0|0123456789abcdef01234567"}`))
	}
	if s.decide(); s.d.Method != 0 {
		t.Fatal("the composite does not recognize the request")
	}
	return s
}

// lend returns the request with a token for a pod that is not ready.
func (s *stage) lend() *stage {
	s.p.lendsNotReady = true
	s.set.notReady = []string{"not-ready"}
	token := s.token()
	token.Endpoint = model.KeyOf("not-ready")
	s.req.cookie = s.ring.Seal(&s.m, []byte("cart-id="), token)
	return s
}

func (s *stage) token() *Token {
	return &Token{
		Endpoint: s.set.Key(model.IdentityPod, 1), Scope: s.p.scope, Started: testNow, Renewed: testNow, Session: 7,
	}
}

func (s *stage) decide() { s.p.Decide(&s.d, &s.req, s.set, s.ring, &s.m, testNow) }

func (s *stage) issue() {
	s.out = s.p.AppendToken(s.out[:0], &s.d, s.set, s.ring, &s.m, true)
}

var givenName, givenValue = []byte("X-Session-Id"), []byte("0123456789abcdef")

func (s *stage) bindAnswer() {
	s.out = s.p.BindResponse(s.out[:0], &s.d, givenName, givenValue, s.set, s.ring, &s.m)
}

// forget clears the token cache, so that the next token must be opened.
func (s *stage) forget() { s.m.openedBy = nil }

func TestPolicy_noAllocations(t *testing.T) {
	known := newStage(t, 20, cookieMethod).withToken()
	text := known.ring.Seal(&ConnState{}, nil, known.token())
	fresh := newStage(t, 20, cookieMethod)
	header := newStage(t, 20, headerMethod)
	address := newStage(t, 20, addressMethod)
	query := newStage(t, 20, queryMethod)
	query.req.query = []byte("a=1&sid=%34%32+x")
	composite := newCompositeStage(t, hostPart, headerPart, queryPart, addressPart)
	claims := newCompositeStage(t, hostPart, claimPart)
	lent := newStage(t, 20, cookieMethod).lend()
	own := newStage(t, 20, ownMethod(model.SourceHeader, model.BindingWrapped), ownMethod(model.SourceHeader, model.BindingNamed))
	own.req.value = []byte("own.pod-7")
	seal := func() { own.decide(); own.bindAnswer() }
	seal()
	sealed := newStage(t, 20, ownMethod(model.SourceHeader, model.BindingWrapped))
	sealed.req.value = own.out
	learned := newStage(t, 20, ownMethod(model.SourceHeader, model.BindingLearned))
	learned.m.Learned = memoryStore{}
	learned.decide()
	learned.bindAnswer()
	learned.req.value = givenValue
	cookies, appCookie := []string{"cart-id"}, []byte("cart-id=42; Path=/")
	for name, act := range map[string]func(){
		"open from memory":      func() { known.ring.Open(&known.m, text, &known.d.Token) },
		"open":                  func() { known.forget(); known.ring.Open(&known.m, text, &known.d.Token) },
		"seal":                  func() { known.out = known.ring.Seal(&known.m, known.out[:0], &known.d.Token) },
		"decide from memory":    known.decide,
		"decide by cookie":      func() { known.forget(); known.decide() },
		"decide for a new one":  func() { fresh.decide(); fresh.issue() },
		"decide by header":      header.decide,
		"decide by address":     address.decide,
		"decide by query":       query.decide,
		"decide by composite":   composite.decide,
		"decide by claim":       claims.decide,
		"decide for a lent one": lent.decide,
		"next by composite":     func() { composite.decide(); composite.p.Next(&composite.d, &composite.req, composite.set) },
		"decide by name, wrap":  seal,
		"decide by wrapping":    func() { sealed.forget(); sealed.decide() },
		"next by header":        func() { header.decide(); header.p.Next(&header.d, &header.req, header.set) },
		"next by pick":          func() { known.decide(); known.p.Next(&known.d, &known.req, known.set) },
		"find a collision":      func() { known.decide(); known.p.FindCollision(&known.d, []byte("Set-Cookie"), appCookie) },
		"take cookies out":      func() { known.out = AppendCookies(known.out[:0], known.req.cookie, cookies, nil, known.ring, new(int)) },
		"decide by learned id":  learned.decide,
	} {
		if n := testing.AllocsPerRun(100, act); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	for _, pick := range allPicks {
		if n := testing.AllocsPerRun(100, func() { Pick(known.set, pick, &known.req) }); n != 0 {
			t.Errorf("pick %s: %v allocations", pick, n)
		}
	}
}

func BenchmarkSeal(b *testing.B) {
	s := newStage(b, 3, cookieMethod)
	token := s.token()
	b.ReportAllocs()
	for b.Loop() {
		s.out = s.ring.Seal(&s.m, s.out[:0], token)
	}
}

func BenchmarkOpen(b *testing.B) {
	s := newStage(b, 3, cookieMethod)
	text := s.ring.Seal(&ConnState{}, nil, s.token())
	b.ReportAllocs()
	for b.Loop() {
		s.forget()
		s.ring.Open(&s.m, text, &s.d.Token)
	}
}

func BenchmarkDecide(b *testing.B) {
	known := newStage(b, 20, cookieMethod).withToken()
	for name, act := range map[string]func(){
		"memory":    known.decide,
		"open":      func() { known.forget(); known.decide() },
		"header":    newStage(b, 20, headerMethod).decide,
		"address":   newStage(b, 20, addressMethod).decide,
		"composite": newCompositeStage(b, hostPart, headerPart, queryPart, addressPart).decide,
		"claim":     newCompositeStage(b, hostPart, claimPart).decide,
		"lent":      newStage(b, 20, cookieMethod).lend().decide,
		"new":       newStage(b, 20, cookieMethod).decide,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				act()
			}
		})
	}
}

func BenchmarkAppendToken(b *testing.B) {
	s := newStage(b, 3, cookieMethod)
	s.decide()
	b.ReportAllocs()
	for b.Loop() {
		s.issue()
	}
}

func BenchmarkRendezvous(b *testing.B) {
	for _, n := range []int{3, 20, 100} {
		s := newStage(b, n, headerMethod)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			key := uint64(1)
			for b.Loop() {
				key = key*6364136223846793005 + uint64(place(s.set, model.IdentityPod, key, true, nil)) + 1
			}
		})
	}
}
