package htpasswd

import (
	"crypto/md5" //nolint:gosec // MD5 is what these hashes are made of
	"crypto/subtle"
	"strings"
)

// The two kinds of MD5 crypt differ in the text that goes into the hash.
const (
	md5Magic  = "$1$"
	apr1Magic = "$apr1$"
)

// md5Crypted is a hash of MD5 crypt or of Apache's variant of it.
type md5Crypted struct {
	magic, salt, want string
}

func newMD5Crypt(text string) (verifier, string) {
	const maxSalt, length = 8, 22
	m := &md5Crypted{magic: md5Magic}
	if strings.HasPrefix(text, apr1Magic) {
		m.magic = apr1Magic
	}
	var found bool
	m.salt, m.want, found = strings.Cut(text[len(m.magic):], "$")
	if !found || len(m.salt) > maxSalt || len(m.want) != length {
		return nil, "has an invalid password hash of MD5 crypt"
	}
	return m, ""
}

func (*md5Crypted) isSlow() bool { return true }

func (m *md5Crypted) verify(password []byte) bool {
	return subtle.ConstantTimeCompare([]byte(m.want), encodeMD5(m.sum(password))) == 1
}

// sum returns the hash of a password
// (https://svnweb.freebsd.org/base/head/lib/libcrypt/crypt-md5.c).
func (m *md5Crypted) sum(password []byte) [md5.Size]byte {
	text := append(append(append([]byte(nil), password...), m.salt...), password...)
	inner := md5.Sum(text) //nolint:gosec // see the import
	text = append(append(append(text[:0], password...), m.magic...), m.salt...)
	for n := len(password); n > 0; n -= md5.Size {
		text = append(text, inner[:min(n, md5.Size)]...)
	}
	for n := len(password); n > 0; n >>= 1 {
		if n&1 != 0 {
			text = append(text, 0)
		} else {
			text = append(text, password[0])
		}
	}
	sum := md5.Sum(text) //nolint:gosec // see the import
	for i := range 1000 {
		text = m.round(text[:0], i, password, sum[:])
		sum = md5.Sum(text) //nolint:gosec // see the import
	}
	return sum
}

// round appends the input of one of the thousand rounds.
func (m *md5Crypted) round(text []byte, i int, password, sum []byte) []byte {
	first, last := sum, password
	if i%2 != 0 {
		first, last = password, sum
	}
	text = append(text, first...)
	if i%3 != 0 {
		text = append(text, m.salt...)
	}
	if i%7 != 0 {
		text = append(text, password...)
	}
	return append(text, last...)
}

// encodeMD5 returns the text form of a hash. crypt(3) has an alphabet and an order of its own.
func encodeMD5(sum [md5.Size]byte) []byte {
	const alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	order := [...][3]int{{0, 6, 12}, {1, 7, 13}, {2, 8, 14}, {3, 9, 15}, {4, 10, 5}}
	out := make([]byte, 0, 22)
	put := func(bits uint, n int) {
		for range n {
			out = append(out, alphabet[bits&0x3f])
			bits >>= 6
		}
	}
	for _, at := range order {
		put(uint(sum[at[0]])<<16|uint(sum[at[1]])<<8|uint(sum[at[2]]), 4)
	}
	put(uint(sum[11]), 2)
	return out
}
