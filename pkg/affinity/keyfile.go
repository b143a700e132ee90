package affinity

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
)

// NewKey returns a new random key for a Keyring.
func NewKey() []byte {
	secret := make([]byte, keySize)
	_, _ = rand.Read(secret) // crypto/rand.Read never returns an error
	return secret
}

// ParseKeys parses the keys of a key file or Secret. It accepts 1 to 16 lines, each with the standard base64 (RFC
// 4648, section 4) of 32 bytes. Blank lines and whitespace around a key are ignored. Errors contain the line number,
// never the contents.
func ParseKeys(text []byte) ([][]byte, error) {
	var keys [][]byte
	number := 0
	for line := range bytes.Lines(text) {
		number++
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		secret, err := parseKey(line)
		if err != nil {
			return nil, fmt.Errorf("keys: line %d: %w", number, err)
		}
		if slices.ContainsFunc(keys, func(k []byte) bool { return bytes.Equal(k, secret) }) {
			return nil, fmt.Errorf("keys: line %d: the same key as on an earlier line", number)
		}
		if keys = append(keys, secret); len(keys) > maxKeys {
			return nil, fmt.Errorf("keys: line %d: more than %d keys", number, maxKeys)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("keys: no key, need at least one line with the base64 of 32 bytes")
	}
	return keys, nil
}

func parseKey(line []byte) ([]byte, error) {
	encoding := base64.StdEncoding.Strict()
	secret := make([]byte, encoding.DecodedLen(len(line)))
	n, err := encoding.Decode(secret, line)
	if err != nil {
		return nil, errors.New("not standard base64 with padding")
	}
	if n != keySize {
		return nil, fmt.Errorf("%d bytes after decoding, must be %d", n, keySize)
	}
	return secret[:n], nil
}
