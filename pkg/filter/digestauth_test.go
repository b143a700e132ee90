package filter

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/limpet-dev/limpet/pkg/model"
)

// digestFile has the user of the examples in RFC 7616 section 3.9.1.
const digestFile = "Mufasa:http-auth@example.org:3d78807defe7de2157e2b0b6573a855f\n" +
	"Mufasa:http-auth@example.org:7987c64c30e25f1b74be53f966b49b90f2808aa92faf9a00262392d7b4794232"

func newDigest(t *testing.T, file string) *DigestAuth {
	t.Helper()
	f, ok := newDigestAuth(&model.Passwords{Realm: "http-auth@example.org", Digest: true, File: []byte(file)}).(*DigestAuth)
	if !ok {
		t.Fatal("the file is invalid")
	}
	return f
}

func rfcCredentials(algorithm, response string) string {
	return `username="Mufasa", realm="http-auth@example.org", uri="/dir/index.html", algorithm=` + algorithm +
		`, nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",` +
		` qop=auth, response="` + response + `", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`
}

func TestDigestAuth_examplesOfRFC(t *testing.T) {
	f := newDigest(t, digestFile)
	r := withCredentials(newTestCredentials())
	r.Head.Method, r.Head.Path = []byte("GET"), []byte("/dir/index.html")
	for algorithm, response := range map[string]string{
		"MD5": "8ca523f5e9506fed4657c9700eebdbec", "SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
	} {
		p, ok := parseDigest([]byte(rfcCredentials(algorithm, response)))
		if !ok || !f.verify(&p, r.Head) {
			t.Errorf("%s: the response is refused", algorithm)
		}
		p.response[0]++
		if f.verify(&p, r.Head) {
			t.Errorf("%s: a wrong response is accepted", algorithm)
		}
	}
}

func TestParseDigest_refused(t *testing.T) {
	valid := rfcCredentials("MD5", "8ca523f5e9506fed4657c9700eebdbec")
	if _, ok := parseDigest([]byte(valid)); !ok {
		t.Fatal("valid credentials are refused")
	}
	for old, replacement := range map[string]string{
		"algorithm=MD5":     "algorithm=MD5-sess",
		"qop=auth":          "qop=auth-int",
		"nc=00000001":       "nc=1",
		", qop=auth":        "",
		`username="Mufasa"`: `username*=UTF-8''Mufasa`,
		`cnonce="f2`:        `cnonce="", x="f2`,
		`opaque="FQ`:        `qop="FQ`,
		`realm="http`:       `userhash=true, realm="http`,
		`uri="/dir`:         `uri=/dir`,
		`tdS"`:              `tdS`,
		`Sn"`:               `tdS\`,
		`tdS" `:             ``,
		`, nonce`:           ` nonce`,
		`"Mufasa"`:          `"Mufasa" x`,
	} {
		text := strings.Replace(valid, old, replacement, 1)
		if text == valid {
			continue // the part is not in the text
		}
		if _, ok := parseDigest([]byte(text)); ok {
			t.Errorf("accepted: %s", text)
		}
	}
	for _, text := range []string{"", " ", ",", "=", `a="`, strings.Repeat("x", 5000), strings.Repeat("a=b,", 20)} {
		if _, ok := parseDigest([]byte(text)); ok {
			t.Errorf("accepted: %.40s", text)
		}
	}
}

func TestNonce_lifetime(t *testing.T) {
	now := time.UnixMilli(1_700_000_000_000)
	keys := [][32]byte{{1}, {2}}
	list := []byte("list")
	n := newNonce(&keys[1], list, now)
	forged := n
	binary.BigEndian.PutUint64(forged[:8], uint64(now.Add(time.Second).UnixMilli()))
	for _, c := range []struct {
		name string
		text string
		keys [][32]byte
		list string
		at   time.Duration
		want bool
	}{
		{"at once", n.text(), keys, "list", 0, true},
		{"at the end of its life", n.text(), keys, "list", nonceLifetime, true},
		{"expired", n.text(), keys, "list", nonceLifetime + time.Millisecond, false},
		{"clock of the other replica is ahead", n.text(), keys, "list", -maxClockSkew, true},
		{"from the future", n.text(), keys, "list", -maxClockSkew - time.Millisecond, false},
		{"key is gone", n.text(), keys[:1], "list", 0, false},
		{"another list", n.text(), keys, "other", 0, false},
		{"forged time", forged.text(), keys, "list", 0, false},
		{"cut", n.text()[1:], keys, "list", 0, false},
		{"empty", "", keys, "list", 0, false},
		{"not base64", strings.Repeat("*", 43), keys, "list", 0, false},
	} {
		if _, ok := parseNonce([]byte(c.text), c.keys, []byte(c.list), now.Add(c.at)); ok != c.want {
			t.Errorf("%s: %t", c.name, ok)
		}
	}
}

func nonceAt(i int, at time.Time) (n nonce) {
	binary.BigEndian.PutUint64(n[:8], uint64(at.UnixMilli()))
	binary.BigEndian.PutUint64(n[8:], uint64(i))
	return n
}

func TestNonceUses_counts(t *testing.T) {
	var u nonceUses
	now := time.UnixMilli(1_700_000_000_000)
	n := nonceAt(1, now)
	for _, c := range []struct {
		count uint32
		want  bool
	}{
		{0, false}, {1, true}, {1, false}, {3, true}, {2, true}, {2, false}, {3, false}, {100, true}, {37, true}, {36, false},
		{99, true}, {99, false}, {1 << 31, true}, {100, false}, {1<<32 - 1, true}, {1<<32 - 1, false},
	} {
		if got := u.use(n, c.count, now); got != c.want {
			t.Errorf("count %d: %t", c.count, got)
		}
	}
}

// A nonce whose uses were forgotten is refused, however many others were used meanwhile.
func TestNonceUses_overflow(t *testing.T) {
	var u nonceUses
	now := time.UnixMilli(1_700_000_000_000)
	first := nonceAt(0, now)
	if !u.use(first, 1, now) {
		t.Fatal("refused")
	}
	for i := range 3 * maxNonces {
		u.use(nonceAt(i+1, now.Add(time.Duration(i)*time.Millisecond)), 1, now)
		if u.use(first, 1, now) {
			t.Fatalf("used twice after %d others", i)
		}
	}
	if size := len(u.recent) + len(u.older); size > 2*maxNonces {
		t.Errorf("%d nonces are recorded", size)
	}
	later := now.Add(time.Hour)
	if !u.use(nonceAt(7, later), 1, later) || len(u.recent) != 1 {
		t.Error("expired nonces are recorded")
	}
}

func TestDigestAuth_challenge(t *testing.T) {
	sha := sha256.Sum256([]byte("x"))
	for file, want := range map[string][]string{
		digestFile:                              {"SHA-256", "MD5"},
		"":                                      {"MD5"},
		"a:other:" + hex.EncodeToString(sha[:]): {"MD5"},
		"a:http-auth@example.org:" + hex.EncodeToString(sha[:]): {"SHA-256"},
	} {
		resp := newDigest(t, file).challenge(&[32]byte{}, time.Now(), false)
		var got []string
		for _, field := range resp.Fields {
			if _, after, found := strings.Cut(string(field.Value), "algorithm="); found {
				algorithm, _, _ := strings.Cut(after, ",")
				got = append(got, algorithm)
			}
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: challenges %v, want %v", file, got, want)
		}
	}
}

func TestDigestAuth_withoutKeys(t *testing.T) {
	f := newDigest(t, digestFile)
	for _, c := range []*Credentials{nil, NewCredentials(func() [][32]byte { return nil })} {
		if decision, resp := f.CheckAccess(withCredentials(c)); decision != AccessFailed || resp.Status != 503 {
			t.Errorf("decision %d, status %d", decision, resp.Status)
		}
	}
}
