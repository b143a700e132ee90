package htpasswd

import (
	"fmt"
	"strings"
	"testing"
)

// users has hashes that openssl passwd and crypt(3) made. The password is "secret", with the exceptions in TestVerify.
const users = `# staff
apr1:$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/
empty:$apr1$ab$S8K6Sgp3W8c9Jb6LxgywZ.
long:$apr1$abcdefgh$Bzx3dru/Wz5AFIeQ4D8sE/
md5:$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1
sha256:$5$abcdefgh$gruCpC7VkOTspMQTTSAR8mtlO9Upms.fwqE5y16JVM.
sha512:$6$abcdefgh$ltjgWl6579NluT/Vi1nwEvcil.G5Nbc4NiXZaNGStk8PSwGfQv72N2CKPPrVACtLtip/cZ/1GM/O6IND4WQhG.
rounds:$5$rounds=1234$saltsaltsaltsalt$c9DfFy1lrxPaOvlu1olQZskmO6Pubr3sNeFXDoMVlW7
bcrypt:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a
bcrypty:$2y$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a:a comment
sha:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=
ssha:{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0
plain:{PLAIN}secret
plain:{PLAIN}second
`

func parse(t testing.TB, text string) (*File, []Problem) {
	t.Helper()
	f, problems, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return f, problems
}

func TestVerify(t *testing.T) {
	f, problems := parse(t, users)
	if f.Users() != 12 || len(problems) != 0 {
		t.Errorf("%d users, problems %v", f.Users(), problems)
	}
	passwords := map[string]string{"empty": "", "long": "a longer password of more than sixteen bytes"}
	for user := range f.users {
		password, ok := passwords[user]
		if !ok {
			password = "secret"
		}
		if !f.Verify([]byte(user), []byte(password)) {
			t.Errorf("%s: the password is refused", user)
		}
		for _, wrong := range []string{"Secret", password + "x", password + "\x00", "second", strings.Repeat("s", MaxPassword+1)} {
			if f.Verify([]byte(user), []byte(wrong)) {
				t.Errorf("%s: %q is accepted", user, wrong)
			}
		}
	}
	for _, unknown := range []string{"", "root", "APR1", "# staff", "apr1:"} {
		if f.Verify([]byte(unknown), []byte("secret")) {
			t.Errorf("%q is accepted", unknown)
		}
	}
}

// bcrypt uses 72 bytes of a password, in crypt(3) as well.
func TestVerify_bcryptLimit(t *testing.T) {
	const hash = "$2a$05$/OK.fbVrR/bpIqNJ5ianF.o./n25XVfAX7VFNzvpZ3..GjO3c92LO"
	f, problems := parse(t, "u:"+hash)
	if len(problems) != 0 {
		t.Fatal(problems)
	}
	for _, length := range []int{71, 72, 73, MaxPassword, MaxPassword + 1} {
		f.Verify([]byte("u"), []byte(strings.Repeat("p", length))) // must not panic
	}
}

func TestParse_unsupported(t *testing.T) {
	for hash, want := range map[string]string{
		"":                              "no password hash",
		"abJnggxhB/yWI":                 "traditional crypt",
		"secret":                        "unknown kind",
		"$y$j9T$abc$def":                "yescrypt",
		"$argon2id$v=19$m=1,t=1,p=1$a$": "unknown kind",
		"{MD5}abc":                      "unknown kind",
		"{SHA}abc":                      "SHA-1",
		"{SSHA}5en6":                    "SHA-1",
		"$2b$15$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a": "higher than 14",
		"$2x$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a": "invalid password hash of bcrypt",
		"$2b$05$short": "invalid password hash of bcrypt",
		"$2":           "invalid password hash of bcrypt",
		"$apr1$toolongsalt$h9FWgUz3n9YxylKLlR5SQ/": "MD5 crypt",
		"$1$": "MD5 crypt",
		"$5$rounds=500001$salt$c9DfFy1lrxPaOvlu1olQZskmO6Pubr3sNeFXDoMVlW7": "more than 500000 rounds",
		"$5$rounds=x$salt$c9DfFy1lrxPaOvlu1olQZskmO6Pubr3sNeFXDoMVlW7":      "SHA-256",
		"$6$salt$c9DfFy1lrxPaOvlu1olQZskmO6Pubr3sNeFXDoMVlW7":               "SHA-256 or SHA-512",
	} {
		f, problems := parse(t, "u:"+hash+"\nok:{PLAIN}ok")
		if len(problems) != 1 || problems[0].User != "u" || !strings.Contains(problems[0].Text, want) {
			t.Errorf("%q: problems %v, want %q", hash, problems, want)
		}
		for _, password := range []string{"", hash, "ok", "secret"} {
			if f.Verify([]byte("u"), []byte(password)) {
				t.Errorf("%q accepts %q", hash, password)
			}
		}
	}
}

func TestParse_lines(t *testing.T) {
	f, problems := parse(t, "a:{PLAIN}1\r\n\r\n#b:{PLAIN}2\n c:{PLAIN}3\nno colon\n:{PLAIN}4\nd:{PLAIN}5:rest")
	if f.Users() != 3 || len(problems) != 0 {
		t.Errorf("%d users, problems %v", f.Users(), problems)
	}
	for user, password := range map[string]string{"a": "1", " c": "3", "d": "5"} {
		if !f.Verify([]byte(user), []byte(password)) {
			t.Errorf("%q is refused", user)
		}
	}
	for user, password := range map[string]string{"b": "2", "#b": "2", "c": "3", "": "4"} {
		if f.Verify([]byte(user), []byte(password)) {
			t.Errorf("%q is accepted", user)
		}
	}
}

func TestParse_limits(t *testing.T) {
	var many strings.Builder
	for i := range MaxUsers + 1 {
		fmt.Fprintf(&many, "u%d:{PLAIN}p\n", i)
	}
	if _, _, err := Parse([]byte(many.String())); err == nil {
		t.Error("too many users are accepted")
	}
	if _, _, err := Parse(make([]byte, MaxBytes+1)); err == nil {
		t.Error("a file that is too large is accepted")
	}
	if f, _ := parse(t, ""); f.Verify(nil, nil) || f.IsSlow([]byte("u")) {
		t.Error("an empty file has a user")
	}
}

// An unknown user takes the time of a known one, and always of the same one.
func TestFile_unknownUserHasDecoy(t *testing.T) {
	f, _ := parse(t, "a:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a\nb:{PLAIN}secret")
	slow := 0
	for i := range 100 {
		user := fmt.Appendf(nil, "u%d", i)
		if first, again := f.IsSlow(user), f.IsSlow(user); first != again {
			t.Fatalf("%s changes its decoy", user)
		}
		if f.IsSlow(user) {
			slow++
		}
	}
	if slow < 20 || slow > 80 {
		t.Errorf("%d of 100 unknown users have the slow decoy", slow)
	}
	if !f.IsSlow([]byte("a")) || f.IsSlow([]byte("b")) {
		t.Error("known users have a decoy")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(users), []byte("apr1"), []byte("secret"))
	f.Fuzz(func(_ *testing.T, text, user, password []byte) {
		if file, _, err := Parse(text); err == nil && len(text) < 200 {
			file.Verify(user, password)
		}
	})
}
