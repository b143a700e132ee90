package htpasswd

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"iter"
)

// Limits of files and credentials.
const (
	// MaxBytes is the maximum size of a file. Secrets are not larger.
	MaxBytes = 1 << 20
	// MaxUsers is the maximum number of users of a file.
	MaxUsers = 20_000
	// MaxPassword is the maximum length of a password in bytes. Longer ones are not verified, because the time that some hashes
	// take grows with the length.
	MaxPassword = 512
)

// File is a list of users and the hashes of their passwords. It is immutable and safe for concurrent use.
type File struct {
	users map[string]verifier
	// decoys are the hashes in use. They are verified for unknown users, so that these take as long as known ones.
	decoys []verifier
	seed   maphash.Seed
}

// Problem describes a user who cannot log in.
type Problem struct {
	User string
	// Text completes a sentence about the user: "has a password hash of ...". It has no part of the hash.
	Text string
}

// Parse reads a file. Users whose hash is not supported are listed as problems, and cannot log in. It fails if the file exceeds
// a limit.
func Parse(text []byte) (*File, []Problem, error) {
	f := &File{users: map[string]verifier{}, seed: maphash.MakeSeed()}
	var problems []Problem
	if len(text) > MaxBytes {
		return nil, nil, fmt.Errorf("it has more than %d bytes", MaxBytes)
	}
	for user, hash := range lines(text) {
		if _, known := f.users[string(user)]; known {
			continue // as in nginx, the first line of a user counts
		}
		if len(f.users) == MaxUsers {
			return nil, nil, fmt.Errorf("it has more than %d users", MaxUsers)
		}
		v, problem := newVerifier(hash)
		if problem != "" {
			problems = append(problems, Problem{string(user), problem})
		} else {
			f.decoys = append(f.decoys, v)
		}
		f.users[string(user)] = v
	}
	return f, problems, nil
}

// lines returns the users of a file with the text after them, as nginx reads it: up to the end of the line or to the next
// colon, which begins a comment. Lines that begin with "#", and those without a colon, are left out.
func lines(text []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(user, hash []byte) bool) {
		for line := range bytes.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
			user, rest, found := bytes.Cut(line, []byte(":"))
			if !found || len(user) == 0 || user[0] == '#' {
				continue
			}
			hash, _, _ := bytes.Cut(rest, []byte(":"))
			if !yield(user, hash) {
				return
			}
		}
	}
}

// Users returns the number of users, including those who cannot log in.
func (f *File) Users() int { return len(f.users) }

// Verify reports whether the password of a user is correct. For an unknown user, it verifies the password against the hash of
// another one, and returns false. The same user always gets the same one, so the time shows nothing.
func (f *File) Verify(user, password []byte) bool {
	v, isKnown := f.of(user)
	if v == nil || len(password) > MaxPassword || bytes.IndexByte(password, 0) >= 0 {
		return false // crypt(3) ignores everything after a zero byte
	}
	return v.verify(password) && isKnown
}

// IsSlow reports whether verifying the password of a user takes long enough to be a burden. Unknown users count as the one
// whose hash Verify uses.
func (f *File) IsSlow(user []byte) bool {
	v, _ := f.of(user)
	return v != nil && v.isSlow()
}

// of returns the verifier for a user. isKnown is false if the verifier belongs to another user. v is nil without verifiers.
func (f *File) of(user []byte) (v verifier, isKnown bool) {
	if v = f.users[string(user)]; v != nil {
		return v, true
	}
	if len(f.decoys) == 0 {
		return nil, false
	}
	return f.decoys[maphash.Bytes(f.seed, user)%uint64(len(f.decoys))], false
}
