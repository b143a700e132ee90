package affinity

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// cookiesNamed returns the values that the cookie source finds.
func cookiesNamed(name string, fields ...string) []string {
	v := valueReader{method: &method{source: sourceCookie, name: name}, req: &fakeRequest{cookies: fields}}
	var found []string
	for value := v.next(); value != nil; value = v.next() {
		found = append(found, string(value))
	}
	return found
}

func TestCookie_exactName(t *testing.T) {
	for _, c := range []struct {
		name   string
		fields []string
		want   []string
	}{
		{"none", nil, nil},
		{"empty field", []string{""}, nil},
		{"only one", []string{"id=a"}, []string{"a"}},
		{"first, middle and last", []string{"id=a; x=1; id=b; y=2; id=c"}, []string{"a", "b", "c"}},
		{"several fields, as HTTP/2 has them", []string{"id=a", "x=1", "", "id=b"}, []string{"a", "b"}},
		{"no space after the semicolon", []string{"x=1;id=a;id=b"}, []string{"a", "b"}},
		{"space around the pair", []string{" \t id=a \t ;\tid=b"}, []string{"a", "b"}},
		{"equals sign in the value", []string{"id=a=b=="}, []string{"a=b=="}},
		{"quotes", []string{`id="a"; id=""; id="b; id="`}, []string{"a", `"b`, `"`}},
		{"empty values", []string{"id=; id=a; id="}, []string{"a"}},
		{"longer names", []string{"xid=1; idx=2; x-id=3; id2=4"}, nil},
		{"another case", []string{"ID=1; Id=2"}, nil},
		{"the name in a value", []string{"x=id=a"}, nil},
		{"no value at all", []string{"id; id"}, nil},
		{"space around the equals sign", []string{"id =1; id= a"}, []string{" a"}},
		{"semicolons only", []string{";;;; ; ;"}, nil},
		{"nine of them", []string{strings.Repeat("id=a;", 9)}, slices.Repeat([]string{"a"}, 9)},
	} {
		if got := cookiesNamed("id", c.fields...); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// sealedText returns a token of the keyring.
func sealedText(ring *Keyring) string { return string(ring.Seal(&ConnState{}, nil, &Token{})) }

func TestAppendCookies(t *testing.T) {
	own, ring := []string{"cart-id", "old-id"}, newRing(t, 2, 1)
	t1, t2 := sealedText(newRing(t, 1)), sealedText(newRing(t, 2))
	foreign := sealedText(newRing(t, 3))
	for _, c := range []struct{ name, field, want string }{
		{"nothing there", "", ""},
		{"nothing of ours", `a=1;b="x;y" ; c`, `a=1;b="x;y" ; c`},
		{"only ours", "cart-id=" + t1, ""},
		{"only ours, twice", "cart-id=" + t1 + "; old-id=" + t2 + ";cart-id=" + t1, ""},
		{"quoted", `cart-id="` + t1 + `"; a=1`, "a=1"},
		{"first", "cart-id=" + t2 + "; a=1; b=2", "a=1; b=2"},
		{"middle", "a=1; cart-id=" + t2 + "; b=2", "a=1; b=2"},
		{"last", "a=1; b=2; old-id=" + t2, "a=1; b=2"},
		{"value of the app", "a=1; cart-id=42; b=2", "a=1; cart-id=42; b=2"},
		{"value of the app and token", "cart-id=42; cart-id=" + t1, "cart-id=42"},
		{"token of another keyring", "cart-id=" + foreign, "cart-id=" + foreign},
		{"token and more", "cart-id=" + t1 + "A", "cart-id=" + t1 + "A"},
		{"empty value", "a=1; cart-id=; b=2", "a=1; cart-id=; b=2"},
		{"similar names", "xcart-id=1; cart-idx=2; cart-id", "xcart-id=1; cart-idx=2; cart-id"},
		{"in a value", "a=cart-id=t", "a=cart-id=t"},
	} {
		got := string(AppendCookies([]byte("Cookie: "), []byte(c.field), own, nil, ring, new(int)))
		if got != "Cookie: "+c.want {
			t.Errorf("%s: %q becomes %q, want %q", c.name, c.field, got, "Cookie: "+c.want)
		}
	}
}

func TestAppendToken_cookieAttributes(t *testing.T) {
	const sealed = int64(1_795_000_000) // Thu, 18 Nov 2026 11:06:40 GMT
	for _, c := range []struct {
		name           string
		cookie         model.Cookie
		absolute, idle int64
		tls            bool
		want           string
	}{
		{"default, plain", *cookieMethod.Cookie, 0, 0, false, "; Path=/; HttpOnly; SameSite=Lax"},
		{"default, TLS", *cookieMethod.Cookie, 0, 0, true, "; Path=/; Secure; HttpOnly; SameSite=Lax"},
		{"bare", model.Cookie{Name: "cart-id", Secure: model.SecureNever}, 60, 60, true, ""},
		{"secure always", model.Cookie{Name: "cart-id", Secure: model.SecureAlways}, 0, 0, false, "; Secure"},
		{"everything", model.Cookie{
			Name: "cart-id", Path: "/shop", Domain: "example.com", SameSite: model.SameSiteNone, Secure: model.SecureAlways,
			HTTPOnly: true, Partitioned: true, Permanent: true,
		}, 3600, 0, false, "; Path=/shop; Domain=example.com; Expires=Wed, 18 Nov 2026 12:06:40 GMT" +
			"; Secure; HttpOnly; SameSite=None; Partitioned"},
		{"permanent without an end", model.Cookie{Name: "cart-id", Permanent: true}, 0, 0, false, ""},
		{"idle ends first", model.Cookie{Name: "cart-id", Permanent: true}, 3600, 60, false,
			"; Expires=Wed, 18 Nov 2026 11:07:40 GMT"},
		{"absolute ends first", model.Cookie{Name: "cart-id", Permanent: true}, 60, 3600, false,
			"; Expires=Wed, 18 Nov 2026 11:07:40 GMT"},
		{"of ingress-nginx", model.Cookie{Name: "cart-id", MaxAge: ptr(int64(60)), ExpiresAfter: time.Minute}, 0, 0, false,
			"; Max-Age=60; Expires=Wed, 18 Nov 2026 11:07:40 GMT"},
		{"a compatible one", model.Cookie{Name: "cart-id", SameSite: model.SameSiteNone, CompatibleSameSite: true}, 0, 0, true,
			"; SameSite=None"},
		{"idle only", model.Cookie{Name: "cart-id", Permanent: true}, 0, 60, false,
			"; Expires=Wed, 18 Nov 2026 11:07:40 GMT"},
	} {
		method := cookieMethod
		method.Cookie = &c.cookie
		a := affinityOf(method)
		a.AbsoluteTimeout, a.IdleTimeout = timeOf(c.absolute), timeOf(c.idle)
		p, set, ring := Compile(a), newSet("a b"), newRing(t, 1)
		var d Decision
		var m ConnState
		p.Decide(&d, &fakeRequest{}, set, ring, &m, sealed)
		got := string(p.AppendToken([]byte("Set-Cookie: "), &d, set, ring, &m, c.tls))
		text, ok := strings.CutPrefix(got, "Set-Cookie: cart-id=")
		if !ok || len(text) < TokenLen || text[TokenLen:] != c.want {
			t.Errorf("%s: %q, want name, token and %q", c.name, got, c.want)
		}
	}
}

func TestCompileCookie_namesThatNeedSecure(t *testing.T) {
	for name, want := range map[string]model.Secure{
		"__Host-sid": model.SecureAlways, "__secure-sid": model.SecureAlways, "__Hostsid": model.SecureAuto, "sid": model.SecureAuto,
	} {
		if got := compileCookie(&model.Cookie{Name: name, Secure: model.SecureAuto}).secure; got != want {
			t.Errorf("cookie %s is Secure %s, want %s", name, got, want)
		}
	}
}
