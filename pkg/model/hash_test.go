package model

import "testing"

// Replicas and releases place sessions by these values. A change moves every hashed session of every user.
func TestHash_goldenVectors(t *testing.T) {
	for in, want := range map[string]uint64{
		"":          0xefd01f60ba992926,
		"a":         0x82a2a958a9bece5b,
		"10.0.0.7":  0x6cddabade6f5afc9,
		"session-1": 0xf267abb32d450b1f,
	} {
		if got := Hash([]byte(in)); got != want {
			t.Errorf("Hash(%q) = %#x, want %#x", in, got, want)
		}
		if HashString(in) != Hash([]byte(in)) {
			t.Errorf("HashString(%q) differs from Hash", in)
		}
	}
}

func TestKeyOf_goldenVectors(t *testing.T) {
	want := EndpointKey{0xd8, 0xaf, 0xec, 0x96, 0x8b, 0x2c, 0x8b, 0x31, 0xc0, 0x9d, 0x1e, 0x8e, 0x98, 0x14, 0xcb, 0x86}
	if got := KeyOf("0b9ae2f6-7d1c-4a58-9f6e-0d9b3c1f2a11"); got != want {
		t.Errorf("KeyOf = %x, want %x", got, want)
	}
	if got := ScopeOf("shop/cart:80"); got != 0x570267d07d62e108 {
		t.Errorf("ScopeOf = %#x, want 0x570267d07d62e108", got)
	}
}
