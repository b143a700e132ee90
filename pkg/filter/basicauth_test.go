package filter

import (
	"encoding/base64"
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/limpet-dev/limpet/pkg/http1"
	"github.com/limpet-dev/limpet/pkg/model"
)

// usersFile has the password "secret" for jane. Its bcrypt hash has a low cost.
const usersFile = "jane:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\njoe:{PLAIN}a:b\nann:{PLAIN}\njoe2:{PLAIN}x"

var staff = model.Passwords{
	Secret: model.Ref{Kind: "Secret", Namespace: "shop", Name: "staff"}, Realm: `Staff "A"`, File: []byte(usersFile),
}

func withCredentials(c *Credentials, authorization ...string) *Request {
	r := &Request{Head: new(http1.Request), Credentials: c}
	r.ClientIP = netip.MustParseAddr("192.0.2.1")
	for _, value := range authorization {
		r.Head.Add([]byte("Authorization"), []byte(value))
	}
	return r
}

func basic(credentials string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(credentials))
}

func newTestCredentials() *Credentials {
	return NewCredentials(func() [][32]byte { return [][32]byte{{1}, {2}} })
}

func TestBasicAuth(t *testing.T) {
	long := strings.Repeat("p", 8<<10)
	cases := []struct {
		name   string
		fields []string
		want   int
	}{
		{"right", []string{basic("jane:secret")}, 0},
		{"right, again", []string{basic("jane:secret")}, 0},
		{"scheme in lower case", []string{"basic " + basic("jane:secret")[6:]}, 0},
		{"several spaces", []string{"Basic   " + basic("jane:secret")[6:]}, 0},
		{"without padding", []string{strings.TrimRight(basic("ann:"), "=")}, 0},
		{"empty password of a user without one", []string{basic("ann:")}, 0},
		{"missing", nil, 401},
		{"empty", []string{""}, 401},
		{"only the scheme", []string{"Basic"}, 401},
		{"scheme and space", []string{"Basic "}, 401},
		{"another scheme", []string{"Bearer " + basic("jane:secret")[6:]}, 401},
		{"scheme without space", []string{"Basic" + basic("jane:secret")[6:]}, 401},
		{"wrong password", []string{basic("jane:Secret")}, 401},
		{"empty password", []string{basic("jane:")}, 401},
		{"unknown user", []string{basic("root:secret")}, 401},
		{"empty user", []string{basic(":secret")}, 401},
		{"no colon", []string{basic("jane")}, 401},
		{"comment of the file", []string{basic("joe:a:b")}, 401},
		{"first line counts", []string{basic("joe:a")}, 0},
		{"invalid base64", []string{"Basic ====", "Basic "}, 401},
		{"invalid characters", []string{"Basic amFuZTpzZWNyZXQ*"}, 401},
		{"URL alphabet", []string{"Basic _-_-"}, 401},
		{"zero byte", []string{basic("jane:secret\x00")}, 401},
		{"zero byte in the name", []string{basic("jane\x00:secret")}, 401},
		{"8 KiB password", []string{basic("jane:" + long)}, 401},
		{"8 KiB without base64", []string{"Basic " + long}, 401},
		{"repeated field", []string{basic("jane:secret"), basic("jane:secret")}, 401},
		{"right and wrong field", []string{basic("jane:secret"), basic("root:x")}, 401},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := NewAccess(false, NewPasswords(&staff, false)).(RequestFilter)
			r := withCredentials(newTestCredentials(), c.fields...)
			resp := f.FilterRequest(r)
			if got := statusOf(resp); got != c.want {
				t.Fatalf("status %d, want %d", got, c.want)
			}
			if c.want == 401 && string(resp.Fields[1].Value) != `Basic realm="Staff \"A\""` {
				t.Errorf("fields %q", resp.Fields)
			}
			for i := range r.Head.Fields {
				if isKept := r.Head.Fields[i].ID != http1.FieldWithheld; isKept != (resp != nil) {
					t.Errorf("the pod receives the field: %t", isKept)
				}
			}
		})
	}
}

// Credentials that were verified for one list of users count for no other one.
func TestBasicAuth_otherLists(t *testing.T) {
	c := newTestCredentials()
	check := func(m model.Passwords) int {
		f := NewAccess(false, NewPasswords(&m, false)).(RequestFilter)
		return statusOf(f.FilterRequest(withCredentials(c, basic("jane:secret"))))
	}
	if got := check(staff); got != 0 {
		t.Fatalf("status %d", got)
	}
	changed := staff
	changed.File = []byte("jane:{PLAIN}other")
	if got := check(changed); got != http.StatusUnauthorized {
		t.Errorf("status %d with a changed password", got)
	}
	if got := check(staff); got != 0 {
		t.Errorf("status %d with the password changed back", got)
	}
	none := staff
	none.File = nil
	if got := check(none); got != http.StatusUnauthorized {
		t.Errorf("status %d without users", got)
	}
}

func TestBasicAuth_withoutState(t *testing.T) {
	f := NewAccess(false, NewPasswords(&staff, false)).(RequestFilter)
	if got := statusOf(f.FilterRequest(withCredentials(nil, basic("jane:secret")))); got != http.StatusServiceUnavailable {
		t.Errorf("status %d without state", got)
	}
	invalid := staff
	invalid.File = make([]byte, 2<<20)
	for _, invalid.Digest = range []bool{false, true} {
		f = NewAccess(true, NewPasswords(&invalid, false)).(RequestFilter)
		if got := statusOf(f.FilterRequest(withCredentials(newTestCredentials(), basic("jane:secret")))); got != http.StatusServiceUnavailable {
			t.Errorf("status %d with an invalid file", got)
		}
	}
	if NewPasswords(&staff, true) != nil || NewPasswords(nil, false) != nil {
		t.Error("ACME challenges need credentials")
	}
}

func TestBasicAuth_allocations(t *testing.T) {
	f := NewAccess(false, NewPasswords(&staff, false)).(RequestFilter)
	r := withCredentials(newTestCredentials(), basic("jane:secret"))
	restore := func() {
		r.Head.Reset()
		r.Head.Add(authorizationName, authorizationValue)
	}
	restore()
	if resp := f.FilterRequest(r); resp != nil {
		t.Fatalf("status %d", resp.Status)
	}
	if allocs := testing.AllocsPerRun(100, func() { restore(); f.FilterRequest(r) }); allocs > allocationsAllowed {
		t.Errorf("%v allocations", allocs)
	}
}

var authorizationName, authorizationValue = []byte("Authorization"), []byte(basic("jane:secret"))

func BenchmarkBasicAuth_verified(b *testing.B) {
	f := NewAccess(false, NewPasswords(&staff, false)).(RequestFilter)
	r := withCredentials(newTestCredentials())
	b.ReportAllocs()
	for b.Loop() {
		r.Head.Reset()
		r.Head.Add(authorizationName, authorizationValue)
		if f.FilterRequest(r) != nil {
			b.Fatal("refused")
		}
	}
}

func FuzzCredentials(f *testing.F) {
	f.Add(basic("jane:secret"))
	f.Add(`Digest username="jane", realm="x", qop=auth, nc=00000001, cnonce="a\"b", uri="/", response="0", nonce="0"`)

	plainUsers := staff
	plainUsers.File = []byte("jane:{PLAIN}secret")
	digestUsers := staff
	digestUsers.Digest = true
	checks := []AccessCheck{NewPasswords(&plainUsers, false), NewPasswords(&digestUsers, false)}
	f.Fuzz(func(t *testing.T, value string) {
		for _, check := range checks {
			r := withCredentials(newTestCredentials(), value)
			decision, resp := check.CheckAccess(r)
			isRight := strings.Contains(decodedFor(value), "jane:secret")
			if decision == AccessGranted && !isRight || (decision == AccessGranted) != (resp == nil) {
				t.Errorf("%q: decision %d, response %v", value, decision, resp)
			}
		}
	})
}

// decodedFor returns the decoded credentials of the basic scheme.
func decodedFor(value string) string {
	_, text, _ := strings.Cut(value, " ")
	out, _ := base64.RawStdEncoding.DecodeString(strings.TrimRight(strings.Trim(text, " "), "="))
	return string(out)
}
