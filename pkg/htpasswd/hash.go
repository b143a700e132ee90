package htpasswd

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // {SHA} is what the file contains
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"hash"
	"strconv"
	"strings"

	"github.com/go-crypt/x/crypt"
	"golang.org/x/crypto/bcrypt"
)

// The bounds of the cost of hashes. Each takes less than about a second on one core of a small machine.
const (
	maxCost   = 14
	maxRounds = 500_000
	minRounds = 1000 // of crypt(3): a smaller number counts as this one
)

// traditionalLength is the length of hashes of the traditional crypt, which has no prefix.
const traditionalLength = 13

// verifier verifies passwords against one hash.
type verifier interface {
	verify(password []byte) bool
	// isSlow reports whether that takes more than about 100 us.
	isSlow() bool
}

// newVerifier returns the verifier for the hash of a line, or a problem as the end of a sentence about its user.
func newVerifier(text []byte) (v verifier, problem string) {
	hash := string(text) // a copy, because the text belongs to a Secret
	switch {
	case strings.HasPrefix(hash, "{PLAIN}"):
		return plain(hash[len("{PLAIN}"):]), ""
	case strings.HasPrefix(hash, "{SHA}"):
		return newSalted(hash[len("{SHA}"):], false)
	case strings.HasPrefix(hash, "{SSHA}"):
		return newSalted(hash[len("{SSHA}"):], true)
	case strings.HasPrefix(hash, "$2"):
		return newBcrypt(hash)
	case strings.HasPrefix(hash, apr1Magic), strings.HasPrefix(hash, md5Magic):
		return newMD5Crypt(hash)
	case strings.HasPrefix(hash, "$5$"):
		return newSHACrypt(hash, sha256.New, 43)
	case strings.HasPrefix(hash, "$6$"):
		return newSHACrypt(hash, sha512.New, 86)
	case strings.HasPrefix(hash, "$y$"), strings.HasPrefix(hash, "$7$"), strings.HasPrefix(hash, "$gy$"):
		return nil, "has a password hash of yescrypt or scrypt, which is not supported"
	case strings.HasPrefix(hash, "$"), strings.HasPrefix(hash, "{"):
		return nil, "has a password hash of an unknown kind"
	case hash == "":
		return nil, "has no password hash"
	case len(hash) == traditionalLength:
		return nil, "has a password hash of the traditional crypt, which is not supported"
	}
	return nil, "has a password hash of an unknown kind"
}

// plain is a password in cleartext.
type plain string

func (p plain) verify(password []byte) bool {
	want, got := sha256.Sum256([]byte(p)), sha256.Sum256(password) // so that the time does not depend on the length
	return subtle.ConstantTimeCompare(want[:], got[:]) == 1
}

func (plain) isSlow() bool { return false }

// salted is a SHA-1 hash of the password and a salt, which may be empty.
type salted struct {
	sum  [sha1.Size]byte
	salt []byte
}

func newSalted(text string, hasSalt bool) (verifier, string) {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(data) < sha1.Size || !hasSalt && len(data) > sha1.Size {
		return nil, "has an invalid password hash of SHA-1"
	}
	return &salted{[sha1.Size]byte(data), data[sha1.Size:]}, ""
}

func (s *salted) verify(password []byte) bool {
	sum := sha1.Sum(append(bytes.Clone(password), s.salt...)) //nolint:gosec // see the import
	return subtle.ConstantTimeCompare(s.sum[:], sum[:]) == 1
}

func (*salted) isSlow() bool { return false }

// bcrypted is a bcrypt hash. Only the first 72 bytes of a password count, as in crypt(3).
type bcrypted []byte

func newBcrypt(hash string) (verifier, string) {
	cost, err := bcrypt.Cost([]byte(hash))
	switch {
	case err != nil || len(hash) != 60 || strings.HasPrefix(hash, "$2x$"):
		return nil, "has an invalid password hash of bcrypt"
	case cost > maxCost:
		return nil, "has a password hash of bcrypt whose cost is higher than " + strconv.Itoa(maxCost)
	}
	return bcrypted(hash), ""
}

func (b bcrypted) verify(password []byte) bool {
	return bcrypt.CompareHashAndPassword(b, password) == nil
}

func (bcrypted) isSlow() bool { return true }

// shaCrypted is a hash of SHA-256 or SHA-512 crypt (https://www.akkadia.org/drepper/SHA-crypt.txt).
type shaCrypted struct {
	new        func() hash.Hash
	rounds     int
	salt, want []byte
}

func newSHACrypt(text string, newHash func() hash.Hash, length int) (verifier, string) {
	const invalid = "has an invalid password hash of SHA-256 or SHA-512 crypt"
	const maxSalt = 16
	s := &shaCrypted{new: newHash, rounds: 5000}
	parts := strings.Split(text[len("$5$"):], "$")
	if number, hasRounds := strings.CutPrefix(parts[0], "rounds="); hasRounds {
		n, err := strconv.Atoi(number)
		if err != nil || n < 0 {
			return nil, invalid
		}
		if n > maxRounds {
			return nil, "has a password hash with more than " + strconv.Itoa(maxRounds) + " rounds"
		}
		s.rounds, parts = max(n, minRounds), parts[1:]
	}
	if len(parts) != 2 || len(parts[0]) > maxSalt || len(parts[1]) != length {
		return nil, invalid
	}
	s.salt, s.want = []byte(parts[0]), []byte(parts[1])
	return s, ""
}

func (s *shaCrypted) verify(password []byte) bool {
	return subtle.ConstantTimeCompare(s.want, crypt.KeySHACrypt(s.new, password, s.salt, s.rounds)) == 1
}

func (*shaCrypted) isSlow() bool { return true }
