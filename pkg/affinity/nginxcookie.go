package affinity

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"

	"github.com/limpet-dev/limpet/pkg/model"
)

// A cookie that both Limpet and ingress-nginx read is "<key>|<backend hash>|<token>". ingress-nginx reads the first two parts
// and ignores the rest (get_cookie_parsed in rootfs/etc/nginx/lua/balancer/sticky.lua). Limpet reads the token. A cookie that
// ingress-nginx sets again has no token, so it is adopted like any other one of ingress-nginx, and the two never disagree.

// nginxCookie writes the parts for ingress-nginx. A nil nginxCookie writes none.
type nginxCookie struct {
	backend  int // index into adoption.backends
	balanced bool
}

func compileNginxCookie(a *model.Affinity) *nginxCookie {
	if a.NginxCookie == nil {
		return nil
	}
	at := slices.Index(a.AdoptBackends, a.NginxCookie.Backend)
	if at < 0 || !slices.Contains(a.Adopt, model.AdoptIngressNginx) {
		return nil
	}
	return &nginxCookie{backend: at, balanced: a.NginxCookie.Balanced}
}

// sealedPart returns the part of a value that may be a token: the rest after the parts for ingress-nginx, or all of it.
func sealedPart(value []byte) []byte {
	if at := len(value) - TokenLen; at > 0 && value[at-1] == '|' {
		return value[at:]
	}
	return value
}

// leadsTo reports whether ingress-nginx would send a request with this cookie value to endpoint at. It is true for an endpoint
// that ingress-nginx does not use.
func (c *nginxCookie) leadsTo(value []byte, at int, a *adoption, set Set) bool {
	if at >= set.Ready() {
		return true
	}
	key, mark, _ := bytes.Cut(value, []byte("|"))
	mark, _, _ = bytes.Cut(mark, []byte("|"))
	switch {
	case !bytes.Equal(mark, a.backends[c.backend].hash):
		return false
	case c.balanced:
		return isSameAddress(set, a.findBalanced(key, set), at)
	}
	return isSameAddress(set, a.findPersistent(key, c.backend, set), at)
}

// correctNginxCookie makes method i issue its cookie again if ingress-nginx would send a request with this one elsewhere. It does
// not for a cookie with the generated name, which ingress-nginx does not read.
func (e *evaluation) correctNginxCookie(i int, v *valueReader, value []byte, at int) {
	if e.nginx != nil && !v.generated && !e.nginx.leadsTo(value, at, e.adoption, e.set) {
		e.d.issueBy(i)
	}
}

// isSameAddress reports whether ingress-nginx takes endpoint i, or -1, for endpoint at: it knows only addresses.
func isSameAddress(set Set, i, at int) bool {
	return i == at || i != none && set.Address(i) == set.Address(at)
}

// append appends the parts for ingress-nginx, with which it finds endpoint at, and a "|". It appends nothing for an endpoint that
// ingress-nginx does not use, because it is draining or not known.
func (c *nginxCookie) append(dst []byte, at int, now int64, a *adoption, set Set) []byte {
	if at < 0 || at >= set.Ready() {
		return dst
	}
	backend := &a.backends[c.backend]
	if c.balanced {
		target, ok := positionOf(a.indexOf(set).ring(), set, at)
		if !ok {
			return dst
		}
		dst = appendBalancedKey(dst, target, now)
	} else {
		dst = appendPersistentKey(dst, backend.name, set.Address(at))
	}
	dst = append(append(dst, '|'), backend.hash...)
	return append(dst, '|')
}

// appendPersistentKey appends the key of affinity-mode persistent: the hex MD5 of backend name and address.
func appendPersistentKey(dst, backend []byte, address string) []byte {
	var buf [256]byte
	sum := md5.Sum(append(append(buf[:0], backend...), address...))
	return hex.AppendEncode(dst, sum[:])
}

// positionOf returns a random ring position whose owner is endpoint at. It returns false if the endpoint has no position. Random
// positions spread the sessions of an endpoint over its points, so that a new endpoint takes only some of them over in
// ingress-nginx.
func positionOf(ring []uint64, set Set, at int) (position uint32, ok bool) {
	if len(ring) == 0 {
		return 0, false
	}
	for i, n := rand.IntN(len(ring)), 0; n < len(ring); i, n = (i+1)%len(ring), n+1 {
		if !isSameAddress(set, int(uint32(ring[i])), at) {
			continue
		}
		first, last := uint64(0), ring[i]>>32
		if i > 0 {
			first = ring[i-1]>>32 + 1
		}
		if first <= last { // otherwise another endpoint has a point at the same position
			return uint32(first + rand.Uint64N(last-first+1)), true
		}
	}
	return 0, false
}

// keyDigits is the number of octal digits at the end of a key for affinity-mode balanced. Each has three bits that can be chosen,
// which must be at least 32 in total.
const keyDigits = 12

// appendBalancedKey appends a key for affinity-mode balanced whose CRC-32 is target. It looks like those of ingress-nginx: a
// time, a process id and a random number. The digits of the number are solved for, because CRC-32 is linear.
func appendBalancedKey(dst []byte, target uint32, now int64) []byte {
	start := len(dst)
	dst = strconv.AppendInt(dst, now, 10)
	dst = append(dst, ".1."...)
	digits := len(dst)
	for range keyDigits {
		dst = append(dst, '0')
	}
	difference := crc32.ChecksumIEEE(dst[start:]) ^ target
	var bits uint64
	for i, solution := range keySolutions() {
		if difference>>i&1 != 0 {
			bits ^= solution
		}
	}
	for i := range keyDigits {
		dst[digits+i] |= byte(bits >> (3 * i) & 7)
	}
	return dst
}

// keySolutions returns for each bit of a CRC-32 the bits of the digits that change only this bit: three for each digit, the first
// digit lowest.
var keySolutions = sync.OnceValue(func() (solutions [32]uint64) {
	zeros := bytes.Repeat([]byte("0"), keyDigits)
	unchanged := crc32.ChecksumIEEE(zeros)
	type effect struct {
		crc  uint32 // which bits of the CRC change
		bits uint64 // if these bits of the digits do
	}
	var effects []effect
	for i := range 3 * keyDigits {
		digits := slices.Clone(zeros)
		digits[i/3] |= 1 << (i % 3)
		effects = append(effects, effect{crc32.ChecksumIEEE(digits) ^ unchanged, 1 << i})
	}
	// Gauss-Jordan elimination over GF(2).
	for bit := range 32 {
		pivot := slices.IndexFunc(effects[bit:], func(e effect) bool { return e.crc>>bit&1 != 0 }) + bit
		effects[bit], effects[pivot] = effects[pivot], effects[bit]
		for i := range effects {
			if i != bit && effects[i].crc>>bit&1 != 0 {
				effects[i].crc ^= effects[bit].crc
				effects[i].bits ^= effects[bit].bits
			}
		}
	}
	for bit := range solutions {
		solutions[bit] = effects[bit].bits
	}
	return solutions
})
