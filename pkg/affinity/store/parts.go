package store

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
)

// clusterParts is the number of parts of a cluster, of 256 slots each. Nodes own ranges of slots. So a part belongs
// to one node, except at the edges of these ranges.
const clusterParts = 64

// parts has a breaker for each part of the shared store that can fail independently.
type parts struct {
	breakers []*breaker
	prefix   uint16 // CRC of the common prefix of all keys
}

func newParts(m mode, prefix string, h *health) parts {
	p := parts{breakers: make([]*breaker, partCount(m)), prefix: crc16(0, []byte(prefix))}
	for i := range p.breakers {
		p.breakers[i] = newBreaker(i, h)
	}
	return p
}

func partCount(m mode) int {
	if m == cluster {
		return clusterParts
	}
	return 1
}

// breakerFor returns the breaker of the part that stores a session.
func (p *parts) breakerFor(id sessionHash) *breaker {
	if len(p.breakers) == 1 {
		return p.breakers[0]
	}
	var digits [2 * len(id)]byte
	hex.Encode(digits[:], id[:])
	slot := crc16(p.prefix, digits[:]) % 16384
	return p.breakers[slot/(16384/clusterParts)]
}

// unusedID returns a random id in the part of a breaker. It belongs to no session.
func (p *parts) unusedID(b *breaker) sessionHash {
	for {
		var id sessionHash
		binary.LittleEndian.PutUint64(id[:], rand.Uint64())
		if p.breakerFor(id) == b {
			return id
		}
	}
}

// crc16 computes CRC-16/XMODEM, which maps keys to slots (Redis Cluster specification, "Key distribution model").
// Keys have no hash tags, because prefixes with braces are rejected.
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
