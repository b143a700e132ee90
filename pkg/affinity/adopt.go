package affinity

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"hash/crc32"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/limpet-dev/limpet/pkg/model"
)

// Adopting is finding the endpoint that the cookie of another controller stands for. All of them hash the address, and
// none uses a key, so that it can be found by hashing the addresses there are. A client is adopted once: it is given a
// token in the same cookie.

// adoption is what a policy adopts, nil for nothing.
type adoption struct {
	ingressNginx, traefik, nginx bool
	cookie                       string // where else to look, "" for nowhere
	backends                     []nginxBackend

	index    atomic.Pointer[adoptIndex] // of the Set that was asked about last
	building sync.Mutex                 // held while it is built
}

// nginxBackend is what ingress-nginx calls a backend, "shop-cart-80", and what its cookies say about it.
type nginxBackend struct {
	name []byte
	hash []byte // the hex MD5 of the hex MD5 of the name and the name
}

func compileAdoption(a *model.Affinity) *adoption {
	if len(a.Adopt) == 0 {
		return nil
	}
	out := &adoption{cookie: a.AdoptCookie}
	for _, controller := range a.Adopt {
		switch controller {
		case model.AdoptIngressNginx:
			out.ingressNginx = true
		case model.AdoptTraefik:
			out.traefik = true
		case model.AdoptNGINX:
			out.nginx = true
		}
	}
	for _, name := range a.AdoptBackends {
		inner := md5.Sum([]byte(name))
		outer := md5.Sum([]byte(hex.EncodeToString(inner[:]) + name))
		out.backends = append(out.backends, nginxBackend{[]byte(name), []byte(hex.EncodeToString(outer[:]))})
	}
	return out
}

// findElsewhere looks into the cookie that has the name which the method's own was to have.
func (a *adoption) findElsewhere(req Request, set Set) int {
	if a == nil || a.cookie == "" {
		return none
	}
	return a.find(CookieValue(req, a.cookie), set)
}

// maxAdopted is the length in bytes of the longest cookie that is adopted.
const maxAdopted = 256

// find is the endpoint that a cookie's value stands for, -1 if it is not known.
func (a *adoption) find(value []byte, set Set) int {
	if a == nil || len(value) > maxAdopted {
		return none
	}
	if a.ingressNginx {
		if at := a.findIngressNginx(value, set); at != none {
			return at
		}
	}
	if a.nginx {
		if at := a.findNGINX(value, set); at != none {
			return at
		}
	}
	if a.traefik {
		return a.findTraefik(value, set)
	}
	return none
}

// findNGINX looks up the hex MD5 of the address: ngx_http_upstream_sticky_module.c.
func (a *adoption) findNGINX(value []byte, set Set) int {
	var key [md5.Size]byte
	if !decodeHex(key[:], value) {
		return none
	}
	return lookUpKey(a.indexOf(set).nginx, key)
}

// findTraefik looks up the first 16 digits of the SHA-256 of the URL, which it has written since v2.10, or the URL itself
// as before: pkg/server/service/loadbalancer/sticky.go.
func (a *adoption) findTraefik(value []byte, set Set) int {
	if address, ok := bytes.CutPrefix(value, []byte("http://")); ok {
		return lookUpKey(a.indexOf(set).addresses, string(address))
	}
	var key [traefikSize]byte
	if !decodeHex(key[:], value) {
		return none
	}
	return lookUpKey(a.indexOf(set).traefik, key)
}

// findIngressNginx reads "<key>|<mark of the backend>": rootfs/etc/nginx/lua/balancer/sticky*.lua.
func (a *adoption) findIngressNginx(value []byte, set Set) int {
	key, mark, ok := bytes.Cut(value, []byte("|"))
	if !ok {
		return none
	}
	for i := range a.backends {
		if !bytes.Equal(mark, a.backends[i].hash) {
			continue
		}
		if isHex(key, 2*md5.Size) {
			return a.findPersistent(key, i, set)
		}
		return a.findBalanced(key, set)
	}
	return none
}

// findPersistent finds the endpoint of affinity-mode persistent: the key is the hex MD5 of backend and address.
func (a *adoption) findPersistent(text []byte, backend int, set Set) int {
	var key [md5.Size]byte
	if !decodeHex(key[:], text) {
		return none
	}
	return lookUpKey(a.indexOf(set).persistent[backend], key)
}

// findBalanced finds the endpoint of affinity-mode balanced: on a ring of all ready endpoints, the owner of the first
// point from the CRC-32 of the key on.
func (a *adoption) findBalanced(key []byte, set Set) int {
	ring := a.indexOf(set).ring()
	if len(ring) == 0 {
		return none
	}
	at, _ := slices.BinarySearch(ring, uint64(crc32.ChecksumIEEE(key))<<32)
	return int(uint32(ring[at%len(ring)]))
}

func isHex(text []byte, n int) bool {
	if len(text) != n {
		return false
	}
	for _, c := range text {
		if unhex[c] < 0 {
			return false
		}
	}
	return true
}
