package affinity

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// The head of a message is at most 64 KiB long, and the request target at most 16 KiB.
const (
	headBytes   = 64 << 10
	targetBytes = 16 << 10
)

// worstSet has addresses in the format of pod addresses.
func worstSet(endpoints int) *fakeSet {
	ids := make([]string, endpoints)
	for i := range ids {
		ids[i] = fmt.Sprintf("10.%d.%d.%d:8080", i>>16, i>>8&0xff, i&0xff)
	}
	return newSetOf(ids, ids, endpoints)
}

// contender is an operation with a short input and with its most expensive input.
type contender struct{ short, worst func() }

// deciding compares the cost of a decision for two requests.
func deciding(t testing.TB, a *model.Affinity, set *fakeSet, short, worst *wireRequest) contender {
	p, ring, m := Compile(a), newRing(t, 1), &ConnState{}
	decide := func(r *wireRequest) func() {
		return func() {
			var d Decision
			p.Decide(&d, r, set, ring, m, testNow)
		}
	}
	return contender{decide(short), decide(worst)}
}

func exemptFor(e model.Exempt) *model.Affinity {
	a := affinityOf(cookieMethod)
	a.Exempt = &e
	return a
}

func many(n int, text func(i int) string) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = text(i)
	}
	return all
}

// adoptingCookies returns eight cookies with the method's name that identify removed endpoints.
func adoptingCookies(value string) *wireRequest {
	return &wireRequest{cookie: []byte(strings.Repeat("cart-id="+value+";", maxAdoptable))}
}

// foreignTokens returns cookies with different tokens of another backend.
func foreignTokens(t testing.TB, n int) (cookies []byte) {
	ring, m := newRing(t, 1), &ConnState{}
	for i := range n {
		cookies = append(cookies, "cart-id="...)
		cookies = append(ring.Seal(m, cookies, &Token{Scope: 1, Session: uint64(i)}), ';')
	}
	return cookies
}

func markOf(backend string) string { return md5Hex(md5Hex(backend) + backend) }

func contenders(t testing.TB) map[string]contender {
	few, thousand := worstSet(3), worstSet(1000)
	adopt := affinityOf(cookieMethod)
	adopt.Adopt = []model.Adopted{model.AdoptIngressNginx, model.AdoptTraefik, model.AdoptNGINX}
	adopt.AdoptBackends, adopt.AdoptCookie = []string{"shop-cart-80", "shop-cart-http"}, "INGRESSCOOKIE"
	sum := md5.Sum([]byte("gone"))
	gone := hex.EncodeToString(sum[:])
	named := model.Method{Source: model.SourceCookie, Binding: model.BindingNamed, Cookie: &model.Cookie{Name: "id"}, Separator: "xxxxxxxy"}
	hashedBy := func(m model.Method) *model.Affinity { m.Binding = model.BindingHashed; return affinityOf(m) }
	long := func(unit string, n int) []byte { return []byte(strings.Repeat(unit, n/len(unit))) }
	onlyCookie := &wireRequest{cookie: []byte("a=1")}
	return map[string]contender{
		"exempt.methods": deciding(t, exemptFor(model.Exempt{Methods: many(16, func(i int) string { return strings.Repeat("M", 31) + fmt.Sprint(i%10) })}),
			few, onlyCookie, &wireRequest{fakeRequest: fakeRequest{method: strings.Repeat("M", 32)}}),
		"exempt.paths": deciding(t, exemptFor(model.Exempt{Paths: many(32, func(int) string { return "/" + strings.Repeat("a", 1022) + "b" })}),
			few, onlyCookie, &wireRequest{fakeRequest: fakeRequest{path: "/" + strings.Repeat("a", targetBytes-1)}}),
		"exempt.userAgents": deciding(t, exemptFor(model.Exempt{UserAgents: many(32, func(i int) string { return strings.Repeat("a", 2+i*8) + "b" })}),
			few, &wireRequest{value: []byte("curl")}, &wireRequest{value: long("A", maxAgent)}),
		"exempt.userAgents, long": deciding(t, exemptFor(model.Exempt{UserAgents: many(32, func(i int) string { return strings.Repeat("a", 2+i*8) + "b" })}),
			few, &wireRequest{value: []byte("curl")}, &wireRequest{value: long("A", headBytes)}),
		"adopt, by MD5":      deciding(t, adopt, thousand, adoptingCookies("x"), adoptingCookies(gone)),
		"adopt, persistent":  deciding(t, adopt, thousand, adoptingCookies("x"), adoptingCookies(gone+"|"+markOf("shop-cart-http"))),
		"adopt, balanced":    deciding(t, adopt, thousand, adoptingCookies("x"), adoptingCookies("1.2.3|"+markOf("shop-cart-80"))),
		"adopt, Traefik URL": deciding(t, adopt, thousand, adoptingCookies("x"), adoptingCookies("http://10.9.9.9:8080")),
		"cookies, many":      deciding(t, affinityOf(cookieMethod), few, onlyCookie, &wireRequest{cookie: long("a;", headBytes)}),
		"tokens, foreign": deciding(t, affinityOf(cookieMethod), few, &wireRequest{cookie: foreignTokens(t, 1)},
			&wireRequest{cookie: foreignTokens(t, headBytes/(TokenLen+len("cart-id=;")))}),
		"cookies, long": deciding(t, affinityOf(named), few, &wireRequest{cookie: []byte("id=1")}, &wireRequest{cookie: long("id="+strings.Repeat("x", maxValue)+";", headBytes)}),
		"header, long":  deciding(t, hashedBy(headerMethod), few, &wireRequest{value: []byte("1")}, &wireRequest{value: long("a", maxValue)}),
		"parameters, many": deciding(t, hashedBy(model.Method{Source: model.SourceQueryParam, QueryParam: &model.QueryParam{Name: "abc"}}), few,
			&wireRequest{query: []byte("a=1")}, &wireRequest{query: long("%61b=+&", targetBytes)}),
		"parameters, in the path": deciding(t, hashedBy(model.Method{Source: model.SourceQueryParam, QueryParam: &model.QueryParam{Name: "abc"}}), few,
			&wireRequest{}, &wireRequest{fakeRequest: fakeRequest{path: "/" + strings.Repeat(";%61=", targetBytes/5)}}),
		"path segment, long": deciding(t, hashedBy(model.Method{Source: model.SourcePathSegment, PathSegment: &model.PathSegment{Index: 31}}), few,
			&wireRequest{}, &wireRequest{fakeRequest: fakeRequest{path: strings.Repeat("/a", 31) + "/" + strings.Repeat("a", targetBytes-63)}}),
		"source IP, 1,000 endpoints": deciding(t, hashedBy(model.Method{Source: model.SourceSourceIP, SourceIP: &model.SourceIP{IPv4PrefixLength: 32, IPv6PrefixLength: 64}}),
			thousand, &wireRequest{}, &wireRequest{fakeRequest: fakeRequest{ip: "192.0.2.1"}}),
		"composite of claims": deciding(t, affinityOf(compositeMethod(many8(claimPart)...)), few,
			&wireRequest{value: []byte(jwt(`{"sub":"1"}`))},
			&wireRequest{value: []byte(jwt(`{"x":[` + strings.Repeat(`"\u0041",`, 80) + `0],"sub":"1"}`))}),
		"composite of values": deciding(t, affinityOf(compositeMethod(many8(headerPart)...)), few,
			&wireRequest{value: []byte("1")}, &wireRequest{value: long("a", maxTotal/8)}),
		"app responses": responseBinding(t, headBytes),
		"cookies, passed on": {
			passingCookies(t, 1, []byte("a=1")), passingCookies(t, 128, bytes.Repeat([]byte("a;"), headBytes/128/2)),
		},
	}
}

// many8 returns eight times the same part, which translate does not accept.
func many8(p model.Part) (parts []model.Part) {
	for range 8 {
		parts = append(parts, p)
	}
	return parts
}

// passingCookies copies the Cookie fields of a request without the cookies of eight methods.
func passingCookies(t testing.TB, fields int, field []byte) func() {
	names := many(8, func(i int) string { return fmt.Sprint("a", i) })
	out := make([]byte, 0, headBytes)
	ring := newRing(t, 1)
	return func() {
		pairs := 0
		for range fields {
			out = AppendCookies(out[:0], field, names, nil, ring, &pairs)
		}
	}
}

// responseBinding binds the values of a response with eight methods that read one header.
func responseBinding(t testing.TB, size int) contender {
	method := headerMethod
	method.Binding = model.BindingLearned
	methods := make([]model.Method, 8)
	for i := range methods {
		methods[i] = method
	}
	p, set, ring, m := Compile(affinityOf(methods...)), worstSet(3), newRing(t, 1), &ConnState{}
	bind := func(fields int, value []byte) func() {
		return func() {
			d := Decision{Outcome: OutcomeNew}
			for range fields {
				p.BindResponse(nil, &d, []byte("X-Session-Id"), value, set, ring, m)
			}
		}
	}
	return contender{bind(1, []byte("1")), bind(size/maxValue, bytes.Repeat([]byte("a"), maxValue))}
}

// TestWorstCase_ratio compares the worst input with a short one, so that it does not depend on the speed of the
// machine.
func TestWorstCase_ratio(t *testing.T) {
	for name, c := range contenders(t) {
		c.worst() // warm up: build what is built once
		short, worst := fastest(c.short, 300), fastest(c.worst, 10)
		if worst > 1500*short {
			t.Errorf("%s: worst input took %v, short input %v", name, worst, short)
		}
	}
}

// fastest returns the shortest duration of several rounds.
func fastest(do func(), rounds int) time.Duration {
	least := time.Hour
	for range 10 {
		begin := time.Now()
		for range rounds {
			do()
		}
		least = min(least, time.Since(begin)/time.Duration(rounds))
	}
	return max(least, 50*time.Nanosecond)
}

func BenchmarkWorstCase(b *testing.B) {
	for name, c := range contenders(b) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				c.worst()
			}
		})
	}
}

func BenchmarkAdoptIndex(b *testing.B) {
	set, a := worstSet(1000), affinityOf(cookieMethod)
	a.Adopt, a.AdoptBackends = []model.Adopted{model.AdoptIngressNginx, model.AdoptTraefik, model.AdoptNGINX}, []string{"a", "b"}
	adoption := compileAdoption(a)
	b.Run("addresses", func(b *testing.B) {
		for b.Loop() {
			adoption.newIndex(set)
		}
	})
	b.Run("ring", func(b *testing.B) {
		for b.Loop() {
			newKetamaRing(set)
		}
	})
}
