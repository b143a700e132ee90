package htpasswd

import (
	"bytes"
	"crypto/md5" //nolint:gosec // MD5 is the algorithm of most digest files
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// DigestKey identifies the hash of a user of a digest file.
type DigestKey struct {
	User, Realm string
	// SHA256 selects the hash of SHA-256. If it is false, the hash of MD5 is selected.
	SHA256 bool
}

// DigestFile is a list of users in the format of htdigest: the user, the realm, and the hash of user, realm and password in hex.
// It is immutable.
type DigestFile struct {
	hashes map[DigestKey]string
}

// ParseDigest is Parse for files of htdigest. A hash with 32 digits is from MD5, and one with 64 digits from SHA-256.
func ParseDigest(text []byte) (*DigestFile, []Problem, error) {
	f := &DigestFile{hashes: map[DigestKey]string{}}
	var problems []Problem
	if len(text) > MaxBytes {
		return nil, nil, fmt.Errorf("it has more than %d bytes", MaxBytes)
	}
	for line := range bytes.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		parts := bytes.Split(line, []byte(":"))
		if line[0] == '#' || len(parts) < 2 || len(parts[0]) == 0 {
			continue
		}
		if len(f.hashes) == MaxUsers {
			return nil, nil, fmt.Errorf("it has more than %d users", MaxUsers)
		}
		if len(parts) < 3 || !isDigestHash(parts[2]) {
			const text = "has no hash for digest authentication: the line must be user:realm:hash"
			problems = append(problems, Problem{string(parts[0]), text})
			continue
		}
		key := DigestKey{string(parts[0]), string(parts[1]), len(parts[2]) == 2*sha256.Size}
		if _, known := f.hashes[key]; !known {
			f.hashes[key] = string(bytes.ToLower(parts[2]))
		}
	}
	return f, problems, nil
}

func isDigestHash(text []byte) bool {
	_, err := hex.DecodeString(string(text))
	return err == nil && (len(text) == 2*md5.Size || len(text) == 2*sha256.Size)
}

// Users returns the number of hashes.
func (f *DigestFile) Users() int { return len(f.hashes) }

// Hash returns the hash of a user in hex, in lower case.
func (f *DigestFile) Hash(key DigestKey) (hash string, found bool) {
	hash, found = f.hashes[key]
	return hash, found
}

// Has reports whether any user of the realm has a hash of that algorithm.
func (f *DigestFile) Has(realm string, isSHA256 bool) bool {
	for key := range f.hashes {
		if key.Realm == realm && key.SHA256 == isSHA256 {
			return true
		}
	}
	return false
}
