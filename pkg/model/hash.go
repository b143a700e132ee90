package model

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// Hash is the hash function for placing sessions: 64-bit FNV-1a, followed by Mix, because FNV alone distributes the
// high bits of short keys poorly. It must stay fixed and unseeded, because all replicas and releases must agree. A
// test checks it against golden vectors.
func Hash(b []byte) uint64 {
	h := uint64(14695981039346656037)
	for _, c := range b {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return Mix(h)
}

// Hasher computes a Hash of several values. The length of each value precedes it as 4 bytes, big endian, so that
// different values never result in the same bytes. The zero value is not valid: see NewHasher.
type Hasher uint64

// NewHasher returns a Hasher without values.
func NewHasher() Hasher { return 14695981039346656037 }

// Add returns the Hasher with another value, which must be shorter than 4 GiB.
func (h Hasher) Add(value []byte) Hasher {
	n := uint32(len(value))
	for shift := 24; shift >= 0; shift -= 8 {
		h = (h ^ Hasher(byte(n>>shift))) * 1099511628211
	}
	for _, c := range value {
		h = (h ^ Hasher(c)) * 1099511628211
	}
	return h
}

// Sum returns the Hash of the values.
func (h Hasher) Sum() uint64 { return Mix(uint64(h)) }

// HashString returns the Hash of the bytes of s.
func HashString(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return Mix(h)
}

// Mix spreads every bit of h over all 64 bits (the finalizer of MurmurHash3).
func Mix(h uint64) uint64 {
	h = MixHigh(h)
	return h ^ h>>33
}

// MixHigh returns a number with the same upper 33 bits as Mix(h). It takes less time than Mix.
func MixHigh(h uint64) uint64 {
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	return h * 0xc4ceb9fe1a85ec53
}

// MixLow are the bits in which MixHigh and Mix may differ.
const MixLow = 1<<31 - 1

// EndpointKey identifies an endpoint in a fixed number of bytes, as tokens require.
type EndpointKey [16]byte

// KeyOf returns the first half of the SHA-256 of an identity: a pod's UID or name, or an address.
func KeyOf[T string | []byte](identity T) EndpointKey {
	sum := sha256.Sum256([]byte(identity))
	return EndpointKey(sum[:16])
}

// ScopeSuffix returns a suffix that distinguishes the names of different scopes.
func ScopeSuffix(scope string) string { return fmt.Sprintf("%08x", uint32(ScopeOf(scope)>>32)) }

// TokenName returns the generated name of the cookie or header in which Limpet issues the tokens of a scope.
func TokenName(scope string) string { return "limpet-" + ScopeSuffix(scope) }

// ScopeOf returns the number that identifies Affinity.Scope in a token.
func ScopeOf(scope string) uint64 {
	sum := sha256.Sum256([]byte(scope))
	return binary.BigEndian.Uint64(sum[:8])
}
