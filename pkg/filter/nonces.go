package filter

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"sync"
	"time"
)

const (
	// nonceLifetime limits the use of a nonce on every replica.
	nonceLifetime = 5 * time.Minute
	// maxClockSkew limits the difference to the clock of the replica that made a nonce.
	maxClockSkew = 30 * time.Second
	maxNonces    = 16_384
	// A nonce is a time in milliseconds, random bytes, and the authentication code of both.
	nonceBytes     = 32
	nonceCodeStart = 16
)

// nonce is a nonce of digest authentication.
type nonce [nonceBytes]byte

// newNonce returns a nonce for a list of users, whose fingerprint it authenticates.
func newNonce(key *[32]byte, fingerprint []byte, now time.Time) nonce {
	var n nonce
	binary.BigEndian.PutUint64(n[:8], uint64(now.UnixMilli()))
	_, _ = rand.Read(n[8:nonceCodeStart]) // never fails
	copy(n[nonceCodeStart:], n.code(key, fingerprint))
	return n
}

func (n *nonce) code(key *[32]byte, fingerprint []byte) []byte {
	mac := hmac.New(sha256.New, key[:])
	mac.Write(n[:nonceCodeStart])
	mac.Write(fingerprint)
	return mac.Sum(nil)[:nonceBytes-nonceCodeStart]
}

func (n *nonce) text() string { return base64.RawURLEncoding.EncodeToString(n[:]) }

func (n *nonce) madeAt() time.Time { return time.UnixMilli(int64(binary.BigEndian.Uint64(n[:8]))) }

// parseNonce reports whether text is a nonce that a replica made for the list of users, and has not expired.
func parseNonce(text []byte, keys [][32]byte, fingerprint []byte, now time.Time) (n nonce, ok bool) {
	if len(text) != base64.RawURLEncoding.EncodedLen(nonceBytes) {
		return n, false
	}
	if _, err := base64.RawURLEncoding.Strict().Decode(n[:], text); err != nil {
		return n, false
	}
	if age := now.Sub(n.madeAt()); age > nonceLifetime || age < -maxClockSkew {
		return n, false
	}
	for i := range keys {
		if hmac.Equal(n[nonceCodeStart:], n.code(&keys[i], fingerprint)) {
			return n, true
		}
	}
	return n, false
}

// nonceUses records which counts of which nonces were used on this replica. Counts may arrive out of order. It forgets a nonce
// only if it has expired, or if all nonces that were made before it are refused. The zero value is empty.
type nonceUses struct {
	mu sync.Mutex
	// recent and older are the uses by nonce. Once recent is full or nonceLifetime old, it replaces older.
	recent, older map[nonce]*nonceUse
	since         time.Time // the first use in recent
	latest        time.Time // when the newest nonce in recent was made
	olderLatest   time.Time // when the newest nonce in older was made
	refuseUntil   time.Time // nonces that were made until then are refused
}

// nonceUse contains the highest count of a nonce, and which of the 64 counts up to it were used.
type nonceUse struct {
	highest uint32
	used    uint64
}

// use records a use of a nonce. It returns false if the count was used before, or may have been.
func (u *nonceUses) use(n nonce, count uint32, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	use := u.find(n, now)
	if use == nil || count == 0 {
		return false
	}
	switch {
	case count > use.highest:
		use.used = use.used<<min(count-use.highest, 64) | 1
		use.highest = count
	case use.highest-count >= 64 || use.used&(1<<(use.highest-count)) != 0:
		return false
	default:
		use.used |= 1 << (use.highest - count)
	}
	return true
}

// find returns the uses of a nonce, or nil if they may have been forgotten. It begins a new record of an unknown nonce.
func (u *nonceUses) find(n nonce, now time.Time) *nonceUse {
	made := n.madeAt()
	if use := u.recent[n]; use != nil {
		return use
	}
	if use := u.older[n]; use != nil {
		return use
	}
	if len(u.recent) >= maxNonces || now.Sub(u.since) > nonceLifetime+maxClockSkew {
		u.turn(now)
	}
	if !made.After(u.refuseUntil) {
		return nil
	}
	if made.After(u.latest) {
		u.latest = made
	}
	use := new(nonceUse)
	u.recent[n] = use
	return use
}

// turn forgets the older uses. If they have not expired, their nonces are refused from now on.
func (u *nonceUses) turn(now time.Time) {
	if u.olderLatest.After(u.refuseUntil) && now.Sub(u.olderLatest) <= nonceLifetime {
		u.refuseUntil = u.olderLatest
	}
	u.older, u.olderLatest = u.recent, u.latest
	u.recent, u.since, u.latest = map[nonce]*nonceUse{}, now, time.Time{}
}
