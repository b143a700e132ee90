package affinity

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Token is what is sealed into the value that Limpet gives a client.
type Token struct {
	// Endpoint is where the session lives.
	Endpoint model.EndpointKey
	// Scope is model.ScopeOf the backend that the token is good for.
	Scope uint64
	// Bound is when the session began, in Unix seconds from 0 to 2^40-1.
	Started int64
	// Renewed is when the token was sealed, in the same unit.
	Renewed int64
	// Session tells sessions apart for counting. 0 is no session.
	Session uint64
}

// The sealed form is, in bytes, big endian:
//
//	key id 4 | nonce 12 | AES-256-GCM of (version 1, endpoint 16, scope 8, bound 5, renewed 5, session 8) | tag 16
//
// with the key id as additional data. 75 bytes are exactly 100 characters of base64url: no padding, no spare bits.
const (
	tokenVersion = 1
	idSize       = len(keyID{})
	plainSize    = 1 + 16 + 8 + 5 + 5 + 8
	rawSize      = idSize + 12 + plainSize + 16

	// TokenLen is the length of every token as text.
	TokenLen = rawSize / 3 * 4
)

var tokenEncoding = base64.RawURLEncoding.Strict()

// Memory is what a connection keeps for tokens: room to work in, and the last token with its text, since a client
// sends the same one with every request. The zero value is ready. It belongs to one connection at a time.
type ConnState struct {
	// Learned is where the sessions are kept that methods with binding Learned have seen; nil: none are.
	Learned Store

	raw   [rawSize]byte
	plain [plainSize]byte
	value []byte   // of a query parameter, decoded; made when one has to be
	addr  [16]byte // the network of a client

	openedBy    *Keyring // that the last token was opened or sealed with; nil before the first
	text        [TokenLen]byte
	token       Token
	sealedByKey int // index in ring of the key that sealed it

	trace *[]Finding // where methods record what they find, while Explain runs; nil records nothing
}

// Seal appends t as text, TokenLen bytes that may stand in a cookie as they are.
func (k *Keyring) Seal(m *ConnState, dst []byte, t *Token) []byte {
	first := &k.keys[0]
	m.sealedByKey = 0
	copy(m.raw[:], first.id[:])
	t.marshal(&m.plain)
	first.aead.Seal(m.raw[:idSize], nil, m.plain[:], first.id[:])
	dst = tokenEncoding.AppendEncode(dst, m.raw[:])
	m.remember(k, dst[len(dst)-TokenLen:], t)
	return dst
}

// Open sets t from a text that Seal made with one of the keys, and reports whether it is one. If not, t is as it was.
func (k *Keyring) Open(m *ConnState, text []byte, t *Token) bool {
	if len(text) != TokenLen {
		return false
	}
	if m.openedBy == k && string(text) == string(m.text[:]) {
		*t = m.token
		return true
	}
	// The decoder skips line breaks, so a text with one in it comes out short.
	if n, err := tokenEncoding.Decode(m.raw[:], text); err != nil || n != rawSize {
		return false
	}
	if !k.decrypt(m) || m.plain[0] != tokenVersion {
		return false
	}
	t.unmarshal(&m.plain)
	m.remember(k, text, t)
	return true
}

// decrypt opens m.raw into m.plain with the key that it names.
func (k *Keyring) decrypt(m *ConnState) bool {
	id := keyID(m.raw[:idSize])
	for i := range k.keys {
		if k.keys[i].id != id {
			continue
		}
		if _, err := k.keys[i].aead.Open(m.plain[:0], nil, m.raw[idSize:], m.raw[:idSize]); err == nil {
			m.sealedByKey = i
			return true
		}
	}
	return false
}

// remember keeps the text with the keyring that vouches for it: once the keyring is replaced, it is opened again.
func (m *ConnState) remember(k *Keyring, text []byte, t *Token) {
	m.openedBy = k
	copy(m.text[:], text)
	m.token = *t
}

func (t *Token) marshal(b *[plainSize]byte) {
	b[0] = tokenVersion
	copy(b[1:17], t.Endpoint[:])
	binary.BigEndian.PutUint64(b[17:], t.Scope)
	putSeconds(b[25:30], t.Started)
	putSeconds(b[30:35], t.Renewed)
	binary.BigEndian.PutUint64(b[35:], t.Session)
}

func (t *Token) unmarshal(b *[plainSize]byte) {
	copy(t.Endpoint[:], b[1:17])
	t.Scope = binary.BigEndian.Uint64(b[17:])
	t.Started = seconds(b[25:30])
	t.Renewed = seconds(b[30:35])
	t.Session = binary.BigEndian.Uint64(b[35:])
}

func putSeconds(b []byte, s int64) {
	b[0] = byte(s >> 32)
	binary.BigEndian.PutUint32(b[1:], uint32(s))
}

func seconds(b []byte) int64 {
	return int64(b[0])<<32 | int64(binary.BigEndian.Uint32(b[1:]))
}
