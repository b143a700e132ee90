package store

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
)

// clusterParts is into how many parts, of 256 slots each, a cluster is divided here. Its nodes own ranges of slots, so that
// but for the part at the edge of a range each part is of one node, whichever that is at the time.
const clusterParts = 64

// parts are the breakers of a shared store: one for each part that may be silent while the others answer.
type parts struct {
	breakers []*breaker
	prefix   uint16 // the CRC of what every key begins with
}

func newParts(m mode, prefix string, h *health) parts {
	p := parts{breakers: make([]*breaker, partsOf(m)), prefix: crc16(0, []byte(prefix))}
	for i := range p.breakers {
		p.breakers[i] = newBreaker(i, h)
	}
	return p
}

func partsOf(m mode) int {
	if m == cluster {
		return clusterParts
	}
	return 1
}

// of gives the breaker of the part that has a session.
func (p *parts) of(id sum) *breaker {
	if len(p.breakers) == 1 {
		return p.breakers[0]
	}
	var digits [2 * len(id)]byte
	hex.Encode(digits[:], id[:])
	slot := crc16(p.prefix, digits[:]) % 16384
	return p.breakers[slot/(16384/clusterParts)]
}

// nobody gives an id that no session has, of the part of a breaker.
func (p *parts) nobody(b *breaker) sum {
	for {
		var id sum
		binary.LittleEndian.PutUint64(id[:], rand.Uint64())
		if p.of(id) == b {
			return id
		}
	}
}

// crc16 is CRC-16/XMODEM, by which a cluster divides keys among slots (Redis cluster specification, "Key distribution
// model"). No key has a hash tag: prefixes with braces are refused.
func crc16(crc uint16, data []byte) uint16 {
	for _, b := range data {
		crc ^= uint16(b) << 8
		for range 8 {
			top := crc&0x8000 != 0
			if crc <<= 1; top {
				crc ^= 0x1021
			}
		}
	}
	return crc
}
