package store

import (
	"crypto/sha256"
	"encoding/binary"
)

// sessionHash is the hash of a scope and a session id.
type sessionHash [16]byte

// hashOf hashes the id first, so that the input of the second hash has a fixed length and stays on the stack. The
// result must not change between releases, because replicas share it; a test pins it.
func hashOf(scope uint64, id []byte) sessionHash {
	inner := sha256.Sum256(id)
	var b [8 + sha256.Size]byte
	binary.BigEndian.PutUint64(b[:8], scope)
	copy(b[8:], inner[:])
	outer := sha256.Sum256(b[:])
	return sessionHash(outer[:16])
}
