package store

import (
	"crypto/sha256"
	"encoding/binary"
)

// sum stands for one id of one scope.
type sum [16]byte

// sumOf hashes the id first, so that what is hashed with the scope has a fixed length and fits on the stack. Replicas and
// releases must agree on it: a test pins it.
func sumOf(scope uint64, id []byte) sum {
	inner := sha256.Sum256(id)
	var b [8 + sha256.Size]byte
	binary.BigEndian.PutUint64(b[:8], scope)
	copy(b[8:], inner[:])
	outer := sha256.Sum256(b[:])
	return sum(outer[:16])
}
