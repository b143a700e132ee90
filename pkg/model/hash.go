package model

import (
	"crypto/sha256"
	"encoding/binary"
)

// Hash is the one hash that sessions are placed by: FNV-1a of 64 bits, and the finaliser of MurmurHash3 on top, since
// FNV alone leaves the high bits of short keys poor. It is fixed and unseeded on purpose: all replicas and all
// releases must agree (golden vectors in the test).
func Hash(b []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return Mix(h)
}

// HashString is Hash of a string's bytes.
func HashString(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return Mix(h)
}

// Mix spreads every bit of h over all 64 (the finaliser of MurmurHash3).
func Mix(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// EndpointKey stands for an endpoint's identity where its length must be fixed, as in a token.
type EndpointKey [16]byte

// KeyOf is the first half of the SHA-256 of an identity: a pod's UID or name, or an address.
func KeyOf[T string | []byte](identity T) EndpointKey {
	sum := sha256.Sum256([]byte(identity))
	return EndpointKey(sum[:16])
}

// ScopeOf stands for Affinity.Scope in a token.
func ScopeOf(scope string) uint64 {
	sum := sha256.Sum256([]byte(scope))
	return binary.BigEndian.Uint64(sum[:8])
}
