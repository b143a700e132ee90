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

// Keyring seals tokens with its first key and opens them with all of them, so that keys rotate without losing a
// session. It is immutable and safe for concurrent use.
type Keyring struct {
	keys []key
}

// key is one AES-256-GCM key. It draws a random nonce for each token: NIST SP 800-38D, section 8.3, allows 2^32 of
// them for one key.
type key struct {
	id     keyID
	aead   cipher.AEAD
	secret []byte // for Derive
}

// keyID is how a token says which key sealed it. It is derived from the key, so that all replicas agree on it.
type keyID [4]byte

// NewKeyring makes a keyring of 1 to 16 keys of 32 bytes each. The first one seals.
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

// Derive gives a key of 32 bytes for another purpose than tokens from each key of the ring, in their order (HKDF with
// SHA-256, RFC 5869). All replicas that have the ring derive the same. Nothing about the ring, or about keys for other
// purposes, can be told from them.
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

// Keys holds the keyring in use and lets it be replaced while requests are served. Store one before the first Load.
// It is safe for concurrent use.
type Keys struct {
	ring atomic.Pointer[Keyring]
}

// Load gives the keyring in use, nil if none was stored.
func (k *Keys) Load() *Keyring { return k.ring.Load() }

// Store puts another keyring to use. Requests that have loaded the old one finish with it.
func (k *Keys) Store(ring *Keyring) { k.ring.Store(ring) }
