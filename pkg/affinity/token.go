package affinity

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Token is the content of a sealed value that Limpet issues to a client.
type Token struct {
	// Endpoint identifies the endpoint of the session.
	Endpoint model.EndpointKey
	// Scope is the model.ScopeOf of the backend for which the token is valid.
	Scope uint64
	// Started is when the session started, in Unix seconds from 0 to 2^40-1.
	Started int64
	// Renewed is when the token was sealed, in the same unit.
	Renewed int64
	// Session identifies the session for counting. Zero means no session.
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

// ConnState is the token state of one client connection. It contains scratch buffers and caches the last token,
// because a client sends the same token with every request. The zero value is ready to use. It must not be used by
// several goroutines at the same time.
type ConnState struct {
	// Learned stores the sessions of methods with binding Learned. Nil disables those methods.
	Learned Store
	id      LearnedID // argument of the last call of Learned

	// Scratch buffers. Their contents are valid until the next call.
	raw   [rawSize]byte
	plain [plainSize]byte
	value []byte   // decoded query parameter; allocated on first use
	addr  [16]byte // client network
	move  model.SessionMove

	// The token that was opened or sealed last.
	openedBy    *Keyring // keyring that last opened or sealed token; nil before the first use
	text        [TokenLen]byte
	token       Token
	sealedByKey int // index in openedBy of the key that sealed token

	// trace receives the findings of the methods while Explain runs. It is nil otherwise.
	trace *[]Finding
}

// Seal appends the sealed form of t, TokenLen bytes that are valid in a cookie value.
func (k *Keyring) Seal(state *ConnState, dst []byte, t *Token) []byte {
	first := &k.keys[0]
	state.sealedByKey = 0
	copy(state.raw[:], first.id[:])
	t.marshal(&state.plain)
	first.aead.Seal(state.raw[:idSize], nil, state.plain[:], first.id[:])
	dst = tokenEncoding.AppendEncode(dst, state.raw[:])
	state.remember(k, dst[len(dst)-TokenLen:], t)
	return dst
}

// Open decodes text into t and reports whether one of the keys sealed it. If not, t is unchanged.
func (k *Keyring) Open(state *ConnState, text []byte, t *Token) bool {
	if len(text) != TokenLen {
		return false
	}
	if state.openedBy == k && string(text) == string(state.text[:]) {
		*t = state.token
		return true
	}
	// Decode skips line breaks. A text that contains one decodes to fewer than rawSize bytes.
	if n, err := tokenEncoding.Decode(state.raw[:], text); err != nil || n != rawSize {
		return false
	}
	if !k.decrypt(state) || state.plain[0] != tokenVersion {
		return false
	}
	t.unmarshal(&state.plain)
	state.remember(k, text, t)
	return true
}

// decrypt decrypts state.raw into state.plain with the key that its key id names.
func (k *Keyring) decrypt(state *ConnState) bool {
	id := keyID(state.raw[:idSize])
	for i := range k.keys {
		if k.keys[i].id != id {
			continue
		}
		if _, err := k.keys[i].aead.Open(state.plain[:0], nil, state.raw[idSize:], state.raw[:idSize]); err == nil {
			state.sealedByKey = i
			return true
		}
	}
	return false
}

// remember caches the token with the keyring that verified it. After the keyring is replaced, the token is verified
// again.
func (state *ConnState) remember(k *Keyring, text []byte, t *Token) {
	state.openedBy = k
	copy(state.text[:], text)
	state.token = *t
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
