package affinity

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
)

const (
	keySize = 32 // AES-256
	maxKeys = 16
)

// Keyring seals tokens with its first key and opens them with any key, so that keys can rotate without losing
// sessions. It is immutable and safe for concurrent use.
type Keyring struct {
	keys []key
}

// key is one AES-256-GCM key. It uses a random nonce for each token. NIST SP 800-38D, section 8.3, allows 2^32 random
// nonces for one key.
type key struct {
	id     keyID
	aead   cipher.AEAD
	secret []byte // for Derive
}

// keyID identifies in a token the key that sealed it. It is derived from the key, so that all replicas compute the
// same value.
type keyID [4]byte

// NewKeyring returns a keyring of 1 to 16 keys of 32 bytes each. The first key seals new tokens.
func NewKeyring(keys [][]byte) (*Keyring, error) {
	if len(keys) == 0 {
		return nil, errors.New("keyring: no key, need at least one")
	}
	if len(keys) > maxKeys {
		return nil, fmt.Errorf("keyring: %d keys, at most %d are allowed", len(keys), maxKeys)
	}
	ring := &Keyring{keys: make([]key, len(keys))}
	for i, secret := range keys {
		k, err := newKey(secret)
		if err != nil {
			return nil, fmt.Errorf("keyring: key %d: %w", i+1, err)
		}
		ring.keys[i] = k
	}
	return ring, nil
}

func newKey(secret []byte) (key, error) {
	if len(secret) != keySize {
		return key{}, fmt.Errorf("%d bytes long, must be %d", len(secret), keySize)
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return key{}, err
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return key{}, err
	}
	sum := sha256.Sum256(append([]byte("limpet token key id "), secret...))
	return key{id: keyID(sum[:4]), aead: aead, secret: slices.Clone(secret)}, nil
}

// Derive derives a 32-byte key for another purpose from each key of the ring, in their order (HKDF with SHA-256, RFC
// 5869). All replicas with the same ring derive the same keys. The derived keys reveal neither the ring nor the keys
// for other purposes.
func (k *Keyring) Derive(purpose string) ([][32]byte, error) {
	out := make([][32]byte, len(k.keys))
	for i := range k.keys {
		derived, err := hkdf.Key(sha256.New, k.keys[i].secret, nil, "limpet "+purpose, len(out[i]))
		if err != nil {
			return nil, fmt.Errorf("keyring: deriving keys for %s: %w", purpose, err)
		}
		out[i] = [32]byte(derived)
	}
	return out, nil
}

// Keys contains the current keyring and can be updated while requests are served. Call Store before the first Load. It
// is safe for concurrent use.
type Keys struct {
	ring atomic.Pointer[Keyring]
}

// Load returns the current keyring, or nil if none was stored.
func (k *Keys) Load() *Keyring { return k.ring.Load() }

// Store replaces the keyring. Requests that have loaded the previous one continue with it.
func (k *Keys) Store(ring *Keyring) { k.ring.Store(ring) }
