package ingressnginx

import (
	"cmp"
	"hash/crc32"
	"slices"
	"sort"
)

// ring is a hash ring in the order of its points.
type ring []point

type point struct {
	hash    uint32
	address string
}

// pointsPerPod is the number of points of a pod.
const pointsPerPod = 160

func newRing(addresses []string) ring {
	var r ring
	for _, address := range addresses {
		previous := []byte{0, 0, 0, 0}
		for range pointsPerPod {
			hash := crc32.ChecksumIEEE(append([]byte(address), previous...))
			previous = []byte{byte(hash), byte(hash >> 8), byte(hash >> 16), byte(hash >> 24)}
			r = append(r, point{hash, address})
		}
	}
	slices.SortStableFunc(r, func(a, b point) int { return cmp.Compare(a.hash, b.hash) })
	return r
}

// find returns the address of the first point that is not below the hash of the key.
func (r ring) find(key string) string {
	hash := crc32.ChecksumIEEE([]byte(key))
	at := sort.Search(len(r), func(i int) bool { return r[i].hash >= hash })
	return r[at%len(r)].address
}
