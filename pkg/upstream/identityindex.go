package upstream

import (
	"encoding/binary"
	"math/bits"
	"net"

	"github.com/limpet-dev/limpet/pkg/model"
)

// identityIndex finds the endpoints of a Set by one kind of identity. It is immutable.
type identityIndex struct {
	hashes []uint64            // indexed by endpoint
	keys   []model.EndpointKey // indexed by endpoint
	// others are further keys by which endpoints are found.
	others []otherKey
	// slots is a hash table with open addressing: positions in keys and others plus one, or zero. At most half of it is taken.
	// It has a sixth of the size of a map.
	slots []uint32
}

// otherKey is a further key of an endpoint.
type otherKey struct {
	key      model.EndpointKey
	endpoint int
}

// newIdentityIndex indexes endpoints by an identity of their pods. The key of an endpoint without a pod is its IP address,
// unless several endpoints have it. The pools of other ports of the Service then find the endpoint too. The address with the
// port is also found. If several endpoints have the same identity, the first is found.
func newIdentityIndex(endpoints []*Endpoint, identity func(*Endpoint) string) *identityIndex {
	x := &identityIndex{hashes: make([]uint64, len(endpoints)), keys: make([]model.EndpointKey, len(endpoints))}
	hosts := countHosts(endpoints, identity)
	for i, e := range endpoints {
		id := identity(e)
		x.hashes[i], x.keys[i] = model.HashString(id), model.KeyOf(id)
		if host := hostOf(e.Address); id == e.Address && hosts[host] == 1 {
			x.others = append(x.others, otherKey{x.keys[i], i})
			x.keys[i] = model.KeyOf(host)
		}
	}
	x.fill()
	return x
}

// countHosts counts the endpoints of each IP address that are identified by their address.
func countHosts(endpoints []*Endpoint, identity func(*Endpoint) string) map[string]int {
	var count map[string]int
	for _, e := range endpoints {
		host := hostOf(e.Address)
		if identity(e) != e.Address || host == "" {
			continue
		}
		if count == nil {
			count = map[string]int{}
		}
		count[host]++
	}
	return count
}

// hostOf returns the host of a dial address, or "" if it is malformed.
func hostOf(address string) string {
	host, _, _ := net.SplitHostPort(address)
	return host
}

// fill adds all keys to the table. The IP address of an endpoint without a pod takes precedence over identities.
func (x *identityIndex) fill() {
	n := len(x.keys) + len(x.others)
	if n == 0 {
		return
	}
	x.slots = make([]uint32, 1<<bits.Len(uint(2*n-1)))
	for _, other := range x.others {
		x.insert(other.endpoint)
	}
	for position := range n {
		x.insert(position)
	}
}

// insert adds the key at a position, unless the table has it.
func (x *identityIndex) insert(position int) {
	key, _ := x.at(position)
	at, found := x.find(key)
	if !found {
		x.slots[at] = uint32(position) + 1
	}
}

// at returns the key at a position and its endpoint.
func (x *identityIndex) at(position int) (model.EndpointKey, int) {
	if position < len(x.keys) {
		return x.keys[position], position
	}
	other := &x.others[position-len(x.keys)]
	return other.key, other.endpoint
}

// find returns the slot of a key, or the free slot for it.
func (x *identityIndex) find(key model.EndpointKey) (slot int, found bool) {
	mask := len(x.slots) - 1
	for at := int(binary.LittleEndian.Uint32(key[:])) & mask; ; at = (at + 1) & mask {
		if x.slots[at] == 0 {
			return at, false
		}
		if have, _ := x.at(int(x.slots[at]) - 1); have == key {
			return at, true
		}
	}
}

// lookup returns the endpoint of a key.
func (x *identityIndex) lookup(key model.EndpointKey) (endpoint int, found bool) {
	if len(x.slots) == 0 {
		return 0, false
	}
	slot, found := x.find(key)
	if !found {
		return 0, false
	}
	_, endpoint = x.at(int(x.slots[slot]) - 1)
	return endpoint, true
}
