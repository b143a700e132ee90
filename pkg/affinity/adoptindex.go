package affinity

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"slices"
	"sync"
)

// adoptIndex finds the endpoints of one Set by the cookie values of other controllers. The first lookup after an
// endpoint change builds it. Later lookups cost the same for any number of endpoints.
type adoptIndex struct {
	set        Set
	nginx      map[[md5.Size]byte]int    // by the MD5 of the address
	traefik    map[[traefikSize]byte]int // by the first traefikSize bytes of the SHA-256 of the URL
	addresses  map[string]int
	persistent []map[[md5.Size]byte]int // one for each backend, by the MD5 of its name and the address
	ring       func() []uint64          // see newKetamaRing
}

// traefikSize is the length in bytes of the SHA-256 prefix in Traefik cookies.
const traefikSize = 8

// indexOf returns the index of set. It builds the index if set is not the one that was used last.
func (a *adoption) indexOf(set Set) *adoptIndex {
	if x := a.index.Load(); x != nil && x.set == set {
		return x
	}
	a.building.Lock()
	defer a.building.Unlock()
	if x := a.index.Load(); x != nil && x.set == set {
		return x
	}
	x := a.newIndex(set)
	a.index.Store(x)
	return x
}

func (a *adoption) newIndex(set Set) *adoptIndex {
	x := &adoptIndex{set: set, ring: sync.OnceValue(func() []uint64 { return newKetamaRing(set) })}
	if a.nginx {
		x.nginx = map[[md5.Size]byte]int{}
	}
	if a.traefik {
		x.traefik, x.addresses = map[[traefikSize]byte]int{}, map[string]int{}
	}
	for range a.backends {
		x.persistent = append(x.persistent, map[[md5.Size]byte]int{})
	}
	for i := range set.Len() {
		x.add(i, set.Address(i), a.backends)
	}
	return x
}

// add adds endpoint i. If several endpoints share an address, the first one is kept.
func (x *adoptIndex) add(i int, address string, backends []nginxBackend) {
	if x.nginx != nil {
		addFirst(x.nginx, md5.Sum([]byte(address)), i)
	}
	if x.traefik != nil {
		sum := sha256.Sum256([]byte("http://" + address))
		addFirst(x.traefik, [traefikSize]byte(sum[:]), i)
		addFirst(x.addresses, address, i)
	}
	for j := range backends {
		addFirst(x.persistent[j], md5.Sum(append(slices.Clone(backends[j].name), address...)), i)
	}
}

func addFirst[K comparable](index map[K]int, key K, i int) {
	if _, taken := index[key]; !taken {
		index[key] = i
	}
}

// lookUpKey returns the endpoint for key, or -1 if there is no such endpoint.
func lookUpKey[K comparable](index map[K]int, key K) int {
	if i, known := index[key]; known {
		return i
	}
	return none
}

// decodeHex decodes lower-case hex digits, as other controllers write them. It reports whether text is valid and fills
// dst.
func decodeHex(dst, text []byte) bool {
	if len(text) != 2*len(dst) {
		return false
	}
	for _, c := range text {
		if 'A' <= c && c <= 'F' {
			return false
		}
	}
	_, err := hex.Decode(dst, text)
	return err == nil
}

// pointsPerEndpoint is the number of ketama ring points for each endpoint (lua-resty-balancer, lib/resty/chash.lua).
const pointsPerEndpoint = 160

// newKetamaRing returns the sorted ring points of all ready endpoints. The upper 32 bits of a point are its ring
// position, the lower 32 bits its endpoint.
func newKetamaRing(set Set) []uint64 {
	points := make([]uint64, 0, pointsPerEndpoint*set.Ready())
	for i := range set.Ready() {
		base := crc32.ChecksumIEEE([]byte(set.Address(i)))
		point := [4]byte{}
		for range pointsPerEndpoint {
			hash := crc32.Update(base, crc32.IEEETable, point[:])
			binary.LittleEndian.PutUint32(point[:], hash)
			points = append(points, uint64(hash)<<32|uint64(i))
		}
	}
	return sortByPosition(points)
}

// sortByPosition sorts by the upper 32 bits and is stable. It is a radix sort because a pool of 1,000 endpoints has
// 160,000 points.
func sortByPosition(points []uint64) []uint64 {
	other := make([]uint64, len(points))
	for shift := 32; shift < 64; shift += 8 {
		var starts [257]int
		for _, p := range points {
			starts[int(byte(p>>shift))+1]++
		}
		for i := 1; i < len(starts); i++ {
			starts[i] += starts[i-1]
		}
		for _, p := range points {
			bucket := byte(p >> shift)
			other[starts[bucket]] = p
			starts[bucket]++
		}
		points, other = other, points
	}
	return points
}
